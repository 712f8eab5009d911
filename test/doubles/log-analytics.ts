import { principalOf } from './azure-credential.ts'
import { type ProviderAnswer, type ProviderDouble, startFaulty } from './faulty-server.ts'

export type Row = readonly (string | number | null)[]

/** What a query comes to: its rows, `isPartial` where they are not all, or an error. */
export type Outcome = { readonly rows: readonly Row[]; readonly isPartial?: boolean } | ProviderAnswer

export interface Query {
  readonly text: string
  /** ISO 8601: `start/end`. */
  readonly timespan: string
  /** What the Prefer header asks for. */
  readonly prefer: string
}

export interface LogAnalyticsOptions {
  readonly execute: (text: string) => Promise<Outcome>
  readonly tls: { readonly cert: string; readonly key: string }
}

export interface LogAnalyticsDouble extends ProviderDouble {
  readonly queries: readonly Query[]
}

export const WORKSPACE = '5a0d1c1e-4b5f-4c52-9d6f-0c7a52f5a0aa'
export const AUDIENCE = 'https://api.loganalytics.io'

/** azure-monitor/logs/api/errors. */
export const logAnalyticsError = (status: number, code: string, inner?: string): ProviderAnswer => ({
  status,
  body: { error: { message: 'said to people', code, ...(inner && { innererror: { code: inner, message: 'said to people' } }) } }
})

/** The query API of Log Analytics (azure-monitor/logs/api/request-format, response-format), on 127.0.0.1 with TLS. */
export async function startLogAnalytics({ execute, tls }: LogAnalyticsOptions): Promise<LogAnalyticsDouble> {
  const queries: Query[] = []
  const server = await startFaulty({
    read: ({ url = '', headers }, text) => ({ url, headers, body: JSON.parse(text) as { query: string; timespan: string } }),
    opOf: () => 'query',
    answer: async ({ url, headers, body }) => {
      const token = (headers.authorization ?? '').replace(/^Bearer /, '')
      if (principalOf(token, AUDIENCE) === undefined) return logAnalyticsError(403, 'InvalidAuthenticationToken')
      if (url !== `/v1/workspaces/${WORKSPACE}/query`) return logAnalyticsError(404, 'PathNotFoundError')
      queries.push({ text: body.query, timespan: body.timespan, prefer: String(headers.prefer) })
      const outcome = await execute(body.query)
      return 'rows' in outcome ? tableOf(outcome.rows, outcome.isPartial ?? false) : outcome
    },
    textType: 'text/html',
    isDateGiven: false,
    tls
  })
  return { ...server, queries }
}

/** An error that is not the end of it stands beside the rows. */
const tableOf = (rows: readonly Row[], isPartial: boolean): ProviderAnswer => ({
  status: 200,
  body: {
    tables: [{ name: 'PrimaryResult', columns: (rows[0] ?? []).map((_, at) => ({ name: `c${at}`, type: 'string' })), rows }],
    ...(isPartial && { error: { code: 'PartialError', message: 'said to people', details: [] } })
  }
})
