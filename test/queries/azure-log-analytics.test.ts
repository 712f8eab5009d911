import { afterEach, describe, expect, it } from 'vitest'
import { type LogAnalyticsSettings, logAnalytics } from '../../shared/queries/azure-log-analytics.ts'
import { azureCredential } from '../doubles/azure-credential.ts'
import {
  AUDIENCE,
  type LogAnalyticsDouble,
  logAnalyticsError,
  type Outcome,
  startLogAnalytics,
  WORKSPACE
} from '../doubles/log-analytics.ts'
import { localIdentity, sharedAuthority } from '../servers/certificates.ts'
import { ASKED, heard, refusal, someRows } from './scene.ts'

let double: LogAnalyticsDouble
afterEach(() => double.close())

async function asking(outcome?: Outcome, settings: Partial<LogAnalyticsSettings> = {}, execute?: () => Promise<Outcome>) {
  const answer = async (): Promise<Outcome> => outcome ?? { rows: someRows(3) }
  double = await startLogAnalytics({ execute: execute ?? answer, tls: await localIdentity() })
  return logAnalytics({
    ...{ workspaceId: WORKSPACE, credential: azureCredential('keyturn'), endpoint: `${double.url}/v1`, audience: AUDIENCE },
    clientOptions: {
      tlsOptions: { ca: (await sharedAuthority()).caPem },
      retryOptions: { maxRetries: 1, retryDelayInMs: 1, maxRetryDelayInMs: 1 }
    },
    ...settings
  })
}

describe('a question to Log Analytics', () => {
  it('is asked about its period and its history, for as long as the service may work', async () => {
    const { rows, answered } = await heard(await asking())
    expect(rows.map(({ identity, usual, observed }) => [identity, usual, observed])).toEqual([
      ['i-0', 2.5, undefined],
      ['i-1', 2.5, undefined],
      ['i-2', 2.5, undefined]
    ])
    expect(answered).toEqual({ rows: 3, isCapped: false, scannedBytes: undefined })
    expect(double.queries).toMatchObject([
      {
        text: expect.stringContaining('AZKVAuditLogs'),
        timespan: '2026-05-28T00:00:00.000Z/2026-07-10T00:00:00.000Z',
        prefer: 'wait=180'
      }
    ])
  })

  it('gives no more rows than are wanted, and asks for one more to know that there are', async () => {
    const { rows, answered } = await heard(await asking({ rows: someRows(11) }), { ...ASKED, mostRows: 10 })
    expect([rows.length, answered.isCapped]).toEqual([10, true])
    expect(double.queries[0]?.text).toContain('| take 11')
  })

  it('has no answer in a workspace without any log', async () => {
    expect((await heard(await asking({ status: 204, body: '' }))).answered.rows).toBe(0)
  })

  it('is asked again when the service asked to slow down, or was not there', async () => {
    const query = await asking()
    double.setFault(
      (_, index) =>
        [
          { status: 429, body: {}, headers: { 'retry-after': '0' } },
          { status: 503, body: 'said to people' }
        ][index / 2]
    )
    expect((await heard(query)).rows).toHaveLength(3)
    expect((await heard(query)).rows).toHaveLength(3)
    expect(double.calls.map(({ status }) => status)).toEqual([429, 200, 503, 200])
  })
})

describe('a question that Log Analytics does not answer', () => {
  it.each([
    [logAnalyticsError(400, 'BadArgumentError', 'SemanticError'), 'invalid/query', 'BadArgumentError'],
    [logAnalyticsError(401, 'AuthenticationFailed'), 'denied/query', 'AuthenticationFailed'],
    [logAnalyticsError(403, 'InsufficientAccessError'), 'denied/query', 'InsufficientAccessError'],
    [logAnalyticsError(404, 'PathNotFoundError'), 'not-found/table', 'PathNotFoundError'],
    [logAnalyticsError(403, 'SomethingNew'), 'denied/query', 'SomethingNew'],
    [logAnalyticsError(429, 'SomethingNew'), 'throttled/query', 'SomethingNew'],
    [{ status: 504, body: '<html>said to people</html>' }, 'unavailable/query', '504'],
    [{ status: 200, body: '' }, 'unavailable/query', '200'],
    [{ status: 200, body: '<html>said to people</html>' }, 'unavailable/query', '200']
  ] as const)('fails by the code, else by the status: %o', async (answer, code, vendor) => {
    expect(await refusal(await asking(answer))).toMatchObject({ code, vendor })
  })

  it('is not taken for an answer where it is a part of one', async () => {
    const query = await asking({ rows: someRows(3), isPartial: true })
    const rows: unknown[] = []
    const asked = query.ask('denied', ASKED, (row) => rows.push(row), new AbortController().signal)
    await expect(asked).rejects.toMatchObject({ code: 'throttled/query', vendor: 'PartialError' })
    expect(rows).toEqual([])
  })

  it('is unavailable where the connection breaks', async () => {
    const query = await asking()
    double.setFault(() => 'before')
    expect((await refusal(query)).code).toBe('unavailable/query')
  })

  it('is not trusted without its certificate', async () => {
    expect((await refusal(await asking(undefined, { clientOptions: { retryOptions: { maxRetries: 0 } } }))).code).toBe(
      'unavailable/query'
    )
    expect(double.calls).toEqual([])
  })

  it('is denied where the credential gives no token, or one for another', async () => {
    const credential = {
      getToken: async () => Promise.reject(Object.assign(new Error('said to people'), { name: 'CredentialUnavailableError' }))
    }
    expect((await refusal(await asking(undefined, { credential }))).code).toBe('denied/query')
    expect((await refusal(await asking(undefined, { audience: 'https://vault.azure.net' }))).code).toBe('denied/query')
  })

  it('is not waited for when the time is over', async () => {
    const over = new AbortController()
    const query = await asking(undefined, {}, () => {
      over.abort()
      return new Promise<Outcome>(() => {})
    })
    expect((await refusal(query, over.signal)).code).toBe('unavailable/deadline')
    expect(double.calls).toHaveLength(1)
  })
})

it.each([
  [{ workspaceId: 'workspace/../x' }, 'invalid/query'],
  [{ endpoint: 'http://api.loganalytics.io/v1' }, 'invalid/config'],
  [{ endpoint: 'api' }, 'invalid/config']
])('a setting that is none is refused: %o', async (settings, code) => {
  await expect(asking(undefined, settings)).rejects.toMatchObject({ code })
})
