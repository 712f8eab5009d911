import { AthenaClient, CreateWorkGroupCommand } from '@aws-sdk/client-athena'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { athena } from '../../shared/queries/aws-athena.ts'
import { findMoto, type Moto, startMoto } from '../doubles/moto.ts'
import { leaveOut } from '../left-out.ts'
import { heard, refusal, someRows } from './scene.ts'

const program = findMoto()
if (program === undefined) leaveOut('Athena of moto', 'moto_server is not installed (.ci/run --install-only)')
else
  describe('a question to moto’s Athena, which answers with what it was given', () => {
    let moto: Moto
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    const region = 'us-east-1'
    const asking = (workgroup: string) =>
      athena({
        ...{ database: 'audit', table: 'trail', accounts: ['123456789012'], regions: [region], workgroup },
        ...{ region, endpoint: moto.url, pollMs: [0], credentials }
      })
    beforeAll(async () => {
      moto = await startMoto(program)
      const client = new AthenaClient({ region, endpoint: moto.url, credentials })
      const bounded = { BytesScannedCutoffPerQuery: 10_000_000 }
      await client.send(new CreateWorkGroupCommand({ Name: 'audit', Configuration: bounded }))
      await client.send(new CreateWorkGroupCommand({ Name: 'unbounded', Configuration: {} }))
    })
    afterAll(() => moto.close())

    it('is started, has ended and is read', async () => {
      const datum = (cell: string | number | null) => (cell === null ? {} : { VarCharValue: String(cell) })
      const rows = [['account'], ...someRows(2)].map((row) => ({ Data: row.map(datum) }))
      const results = [{ rows, column_info: [] }]
      const queue = `${moto.url}/moto-api/static/athena/query-results`
      await fetch(queue, { method: 'POST', body: JSON.stringify({ account_id: '123456789012', region, results }) })
      const found = await heard(asking('audit'))
      expect(found.rows.map(({ identity, usual }) => [identity, usual])).toEqual([
        ['i-0', 2.5],
        ['i-1', 2.5]
      ])
    })

    it('is not asked in a workgroup without a limit of bytes', async () => {
      expect((await refusal(asking('unbounded'))).code).toBe('invalid/query')
    })
  })
