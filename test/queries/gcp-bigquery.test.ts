import { afterEach, describe, expect, it } from 'vitest'
import { type BigQuerySettings, bigquery } from '../../shared/queries/gcp-bigquery.ts'
import { type BigQueryDouble, type BigQueryOptions, bigQueryError, startBigQuery } from '../doubles/bigquery.ts'
import { administrator } from '../doubles/google-iam-errors.ts'
import { ASKED, heard, refusal, someRows } from './scene.ts'

let double: BigQueryDouble
afterEach(() => double.close())

async function asking(options: Partial<BigQueryOptions> = {}, settings: Partial<BigQuerySettings> = {}) {
  double = await startBigQuery({ execute: async () => ({ rows: someRows(3) }), ...options })
  return bigquery({
    ...{ project: 'my-project', dataset: 'logs', location: 'EU', maximumBytesBilled: 5_000 },
    ...{ endpoint: double.url, authorize: administrator, pausesMs: [0], waitMs: 0 },
    ...settings
  })
}

const count = (op: string): number => double.calls.filter((call) => call.op === op).length

describe('a question to BigQuery', () => {
  it('is tried without being run, run with a limit, waited for and read', async () => {
    const { rows, answered } = await heard(await asking({ looks: 2 }))
    expect(rows.map(({ identity, usual, observed }) => [identity, usual, observed])).toEqual([
      ['i-0', 2.5, undefined],
      ['i-1', 2.5, undefined],
      ['i-2', 2.5, undefined]
    ])
    expect(answered).toEqual({ rows: 3, isCapped: false, scannedBytes: 900 })
    expect(count('insert')).toBe(2)
    expect(double.jobs).toMatchObject([
      { maximumBytesBilled: '5000', sql: expect.stringContaining('`my-project.logs._AllLogs`') }
    ])
    expect(count('cancel')).toBe(0)
  })

  it('is read page by page', async () => {
    const { rows } = await heard(await asking({ execute: async () => ({ rows: someRows(25) }) }, { pageSize: 10 }))
    expect(rows.map(({ identity }) => identity)).toEqual(someRows(25).map((_, at) => `i-${at}`))
  })

  it('gives no more rows than are wanted, and asks for one more to know that there are', async () => {
    const query = await asking({ execute: async () => ({ rows: someRows(11) }) })
    const { rows, answered } = await heard(query, { ...ASKED, mostRows: 10 })
    expect([rows.length, answered.isCapped]).toEqual([10, true])
    expect(double.jobs[0]?.sql).toMatch(/LIMIT 11$/)
  })

  it('may have no answer at all', async () => {
    expect((await heard(await asking({ execute: async () => ({ rows: [] }) }))).answered.rows).toBe(0)
  })

  it('is not run where it would read more than the limit', async () => {
    const error = await refusal(await asking({ bytes: 5_001 }))
    expect(error).toMatchObject({ code: 'throttled/query', message: expect.stringContaining('5001 bytes, more than 5000') })
    expect(double.jobs).toEqual([])
  })

  it('is one job, also where the answer to its start was lost', async () => {
    const query = await asking()
    double.setFault(({ op }, index) => (op === 'insert' && index === 1 ? 'lost' : undefined))
    expect((await heard(query)).rows).toHaveLength(3)
    expect([count('insert'), double.jobs.length]).toEqual([3, 1])
  })

  it('is asked again when BigQuery asked to slow down', async () => {
    const query = await asking()
    double.setFault((_, index) => (index === 2 ? bigQueryError(429, 'rateLimitExceeded') : undefined))
    expect((await heard(query)).rows).toHaveLength(3)
  })
})

describe('a question that BigQuery does not answer', () => {
  it.each([
    [400, 'invalidQuery', 'invalid/query'],
    [400, 'resourcesExceeded', 'invalid/query'],
    [400, 'bytesBilledLimitExceeded', 'throttled/query'],
    [403, 'accessDenied', 'denied/query'],
    [403, 'quotaExceeded', 'throttled/query'],
    [404, 'notFound', 'not-found/table'],
    [400, 'stopped', 'throttled/query'],
    [400, 'timeout', 'unavailable/query'],
    [403, 'somethingNew', 'denied/query'],
    [418, 'somethingNew', 'unavailable/query']
  ])('fails by the reason, not by the status: %i %s', async (status, reason, code) => {
    expect(await refusal(await asking({ execute: async () => ({ status, reason }) }))).toMatchObject({ code, vendor: reason })
  })

  it.each([
    [{ status: 503, body: '<html>said to people</html>' }, 'unavailable/query'],
    [{ status: 429, body: {} }, 'throttled/query'],
    [{ status: 200, body: '<html>said to people</html>' }, 'unavailable/query'],
    [{ status: 302, body: '', headers: { location: 'https://example.com' } }, 'unavailable/query'],
    [bigQueryError(401, 'authError'), 'denied/query'],
    ['before', 'unavailable/query']
  ] as const)('fails at its first request: %o', async (fault, code) => {
    const query = await asking()
    double.setFault(() => fault)
    expect((await refusal(query)).code).toBe(code)
  })

  it('is denied where nobody gives a token', async () => {
    const authorize = async (): Promise<Headers> => {
      throw new Error('said to people')
    }
    expect((await refusal(await asking({}, { authorize }))).code).toBe('denied/query')
  })

  it('is cancelled where the connection breaks: it may still run', async () => {
    const query = await asking({ looks: Number.POSITIVE_INFINITY })
    double.setFault(({ op }) => (op === 'results' ? 'before' : undefined))
    expect((await refusal(query)).code).toBe('unavailable/query')
    expect(double.jobs.map((job) => job.isCancelled())).toEqual([true])
  })

  it('is cancelled when the time is over', async () => {
    const query = await asking({ looks: Number.POSITIVE_INFINITY })
    const over = new AbortController()
    double.setFault((_, index) => {
      if (index === 5) over.abort()
      return undefined
    })
    expect((await refusal(query, over.signal)).code).toBe('unavailable/deadline')
    expect(double.jobs.map((job) => job.isCancelled())).toEqual([true])
  })
})

it.each([
  ['project', 'My Project`'],
  ['project', 'p'],
  ['jobProject', '../x'],
  ['dataset', 'logs`; DROP'],
  ['view', '_AllLogs` WHERE 1=1 --'],
  ['location', 'EU&x=1'],
  ['maximumBytesBilled', Number.NaN]
])('a setting never gets into the text of a query as anything but a name: %s %s', async (name, value) => {
  await expect(asking({}, { [name]: value })).rejects.toMatchObject({ code: 'invalid/query' })
})
