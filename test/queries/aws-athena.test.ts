import { afterEach, describe, expect, it } from 'vitest'
import { type AthenaSettings, athena } from '../../shared/queries/aws-athena.ts'
import { type AthenaDouble, type AthenaOptions, athenaFault, startAthena } from '../doubles/athena.ts'
import { ASKED, heard, refusal, someRows } from './scene.ts'

let double: AthenaDouble
afterEach(() => double.close())

const answering = (count: number) => async () => ({ columns: ['account'], rows: someRows(count) })

async function asking(options: Partial<AthenaOptions> = {}, settings: Partial<AthenaSettings> = {}) {
  double = await startAthena({ execute: answering(3), ...options })
  return athena({
    ...{ database: 'audit', table: 'trail', accounts: ['111122223333'], regions: ['eu-west-1'], workgroup: 'audit' },
    ...{ region: 'eu-west-1', endpoint: double.url, pollMs: [0, 1], maxAttempts: 2 },
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'none' },
    ...settings
  })
}

const count = (op: string): number => double.calls.filter((call) => call.op === op).length

describe('a question to Athena', () => {
  it('is started, looked at until it has ended, and read', async () => {
    const { rows, answered } = await heard(await asking({ looks: 4 }))
    expect(rows.map(({ identity, usual, observed }) => [identity, usual, observed])).toEqual([
      ['i-0', 2.5, undefined],
      ['i-1', 2.5, undefined],
      ['i-2', 2.5, undefined]
    ])
    expect(answered).toEqual({ rows: 3, isCapped: false, scannedBytes: 12_345 })
    expect(double.calls.map(({ op }) => op)).toEqual([
      'GetWorkGroup',
      'StartQueryExecution',
      ...Array<string>(5).fill('GetQueryExecution'),
      'GetQueryResults'
    ])
    expect(double.queries[0]?.input).toMatchObject({
      WorkGroup: 'audit',
      QueryExecutionContext: { Database: 'audit', Catalog: 'AwsDataCatalog' },
      ResultReuseConfiguration: { ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: 60 } }
    })
  })

  it('is read page by page, and the columns’ names are no row', async () => {
    const { rows } = await heard(await asking({ execute: answering(2_500) }))
    expect(rows.map(({ identity }) => identity)).toEqual(someRows(2_500).map((_, at) => `i-${at}`))
    expect(count('GetQueryResults')).toBe(3)
  })

  it('gives no more rows than are wanted, and asks for one more to know that there are', async () => {
    const { rows, answered } = await heard(await asking({ execute: answering(11) }), { ...ASKED, mostRows: 10 })
    expect([rows.length, answered.isCapped]).toEqual([10, true])
    expect(double.queries[0]?.input.QueryString).toMatch(/LIMIT 11$/)
  })

  it('is not answered by an older result where that is not wanted', async () => {
    await heard(await asking({}, { reuseMinutes: 0 }))
    expect(double.queries[0]?.input).not.toHaveProperty('ResultReuseConfiguration')
  })

  it('is not asked in a workgroup without a limit of bytes', async () => {
    const error = await refusal(await asking({ bytesScannedCutoffPerQuery: undefined }))
    expect(error).toMatchObject({ code: 'invalid/query', message: expect.stringContaining('the workgroup audit has no limit') })
    expect(count('StartQueryExecution')).toBe(0)
  })

  it('looks at the workgroup once', async () => {
    const query = await asking()
    await heard(query)
    await heard(query)
    expect(count('GetWorkGroup')).toBe(1)
  })

  it('is one query, also where the answer to its start was lost', async () => {
    const query = await asking()
    double.setFault(({ op }, index) => (op === 'StartQueryExecution' && index === 1 ? 'lost' : undefined))
    expect((await heard(query)).rows).toHaveLength(3)
    expect([count('StartQueryExecution'), double.queries.length]).toEqual([2, 1])
  })

  it('is asked again when Athena asked to slow down', async () => {
    const query = await asking()
    double.setFault((_, index) => (index === 1 ? athenaFault('TooManyRequestsException', 400) : undefined))
    expect((await heard(query)).rows).toHaveLength(3)
  })
})

describe('a question that Athena does not answer', () => {
  it.each([
    ['FAILED', 1006, 2, 'invalid/query'],
    ['FAILED', 1110, 2, 'not-found/table'],
    ['FAILED', 1306, 2, 'not-found/table'],
    ['FAILED', 1501, 2, 'denied/query'],
    ['FAILED', 1404, 2, 'throttled/query'],
    ['FAILED', 1602, 2, 'throttled/query'],
    ['FAILED', 0, 1, 'throttled/query'],
    ['FAILED', 206, 1, 'unavailable/query'],
    ['FAILED', 9999, 3, 'unavailable/query'],
    ['FAILED', undefined, undefined, 'unavailable/query'],
    ['CANCELLED', undefined, undefined, 'throttled/query']
  ] as const)('fails by its state and type: %s, %s, %s', async (state, type, category, code) => {
    const failure = { state, ...(type !== undefined && { type }), ...(category !== undefined && { category }) }
    const error = await refusal(await asking({ execute: async () => failure }))
    expect(error).toMatchObject({ code, vendor: String(type ?? state) })
    expect(count('StopQueryExecution')).toBe(0)
  })

  it.each([
    ['AccessDeniedException', 400, 'denied/query'],
    ['ExpiredTokenException', 403, 'denied/query'],
    ['InvalidRequestException', 400, 'invalid/query'],
    ['MetadataException', 400, 'not-found/table'],
    ['TooManyRequestsException', 400, 'throttled/query'],
    ['InternalServerException', 500, 'unavailable/query'],
    ['SomethingNew', 403, 'denied/query'],
    ['SomethingNew', 503, 'unavailable/query'],
    ['SomethingNew', 400, 'bug/internal']
  ])('fails by the name of the error: %s (%i)', async (name, status, code) => {
    const query = await asking()
    double.setFault(({ op }) => (op === 'StartQueryExecution' ? athenaFault(name, status) : undefined))
    expect((await refusal(query)).code).toBe(code)
  })

  it('is unavailable where the connection breaks, and the query that may run is stopped', async () => {
    const query = await asking({ looks: Number.POSITIVE_INFINITY })
    double.setFault(({ op }) => (op === 'GetQueryExecution' ? 'before' : undefined))
    expect((await refusal(query)).code).toBe('unavailable/query')
    expect(double.queries.map((one) => one.state())).toEqual(['CANCELLED'])
  })

  it('is stopped when the time is over', async () => {
    const query = await asking({ looks: Number.POSITIVE_INFINITY })
    const over = new AbortController()
    double.setFault(({ op }, index) => {
      if (op === 'GetQueryExecution' && index === 6) over.abort()
      return undefined
    })
    expect((await refusal(query, over.signal)).code).toBe('unavailable/deadline')
    expect(double.queries.map((one) => one.state())).toEqual(['CANCELLED'])
  })

  it('says that its time is over when it is over before it began', async () => {
    expect((await refusal(await asking(), AbortSignal.abort())).code).toBe('unavailable/deadline')
    expect(double.queries).toEqual([])
  })
})
