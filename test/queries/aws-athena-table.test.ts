import { describe, expect, it } from 'vitest'
import { athena } from '../../shared/queries/aws-athena.ts'
import { type TrailPlace, trailTable } from '../../shared/queries/aws-athena-table.ts'

const PLACE: TrailPlace = {
  ...{ database: 'audit', table: 'trail', accounts: ['111122223333'], regions: ['eu-west-1', 'us-east-1'] },
  ...{ bucket: 'my-logs', firstDay: '2024-01-01' }
}

describe('the table of a trail', () => {
  it('has a partition for each account, region and day, which nobody has to add', () => {
    const text = trailTable({ ...PLACE, prefix: 'central/trail', organization: 'o-a1b2c3d4e5' })
    const root = 's3://my-logs/central/trail/AWSLogs/o-a1b2c3d4e5/'
    expect(text).toContain('PARTITIONED BY (account string, region string, `timestamp` string)')
    expect(text).toContain(`LOCATION '${root}'`)
    for (const property of [
      `'projection.enabled' = 'true'`,
      `'projection.account.type' = 'injected'`,
      `'projection.region.values' = 'eu-west-1,us-east-1'`,
      `'projection.timestamp.range' = '2024/01/01,NOW'`,
      `'storage.location.template' = '${root}\${account}/CloudTrail/\${region}/\${timestamp}'`
    ])
      expect(text).toContain(property)
  })

  it('lies where a trail without a prefix and an organization puts its logs', () => {
    expect(trailTable(PLACE)).toContain(`LOCATION 's3://my-logs/AWSLogs/'`)
  })

  it.each([
    ['database', 'audit; DROP TABLE x'],
    ['database', 'Audit'],
    ['table', 'trail"'],
    ['bucket', "logs' TBLPROPERTIES ('x"],
    ['bucket', 'a/b'],
    ['prefix', "x'"],
    ['prefix', 'x/'],
    ['prefix', 'a$b'],
    ['organization', 'o-1'],
    ['firstDay', '2024/01/01'],
    ['accounts', ['1234']],
    ['accounts', ["111122223333') OR ('1'='1"]],
    ['accounts', []],
    ['regions', ['eu-west-1,x']],
    ['regions', []]
  ])('is not made with a name that is none: %s %s', (name, value) => {
    expect(() => trailTable({ ...PLACE, [name]: value })).toThrow(expect.objectContaining({ code: 'invalid/query' }))
  })

  it.each([
    ['workgroup', "primary'"],
    ['catalog', 'a b'],
    ['table', 'trail"'],
    ['accounts', []]
  ])('is not asked by a name that is none: %s %s', (name, value) => {
    const settings = { ...PLACE, workgroup: 'audit', [name]: value }
    expect(() => athena(settings)).toThrow(expect.objectContaining({ code: 'invalid/query' }))
  })
})
