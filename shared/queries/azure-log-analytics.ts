import type { TokenCredential } from '@azure/core-auth'
import type { PipelinePolicy, PipelineResponse } from '@azure/core-rest-pipeline'
import type { LogsQueryClient, LogsQueryClientOptions, LogsQueryResult } from '@azure/monitor-query-logs'
import { KeyturnError } from '../errors.ts'
import { jsonIn } from '../json-in.ts'
import type { Asked, AuditQuery } from '../ports/audit-query.ts'
import { checkedName } from './asked.ts'
import { type RunText, textQuery } from './asked-query.ts'
import { refusedKql, silentKql } from './azure-log-analytics-errors.ts'
import { kqlTexts } from './azure-log-analytics-kql.ts'

export interface LogAnalyticsSettings {
  /** The workspace's own id, a GUID. */
  readonly workspaceId: string
  readonly credential: TokenCredential
  /** Default `https://api.loganalytics.io/v1`; other clouds have their own (https://api.loganalytics.us/v1). */
  readonly endpoint?: string | undefined
  /** The audience of the token. Default: the endpoint's origin. */
  readonly audience?: string | undefined
  /** How long the service works on a query before it gives up. Default 180 s, at most 600. */
  readonly serverTimeoutSeconds?: number | undefined
  readonly clientOptions?: Pick<LogsQueryClientOptions, 'tlsOptions' | 'retryOptions' | 'proxyOptions'> | undefined
}

const ENDPOINT = 'https://api.loganalytics.io/v1'

/**
 * Key Vault’s audit log in a Log Analytics workspace, in the table AZKVAuditLogs. Needs the role Log Analytics Reader. An answer
 * comes whole: 500,000 rows and 100 MB are the most that the service gives (azure-monitor/fundamentals/service-limits), and
 * what is more is `throttled/query`. A query cannot be cancelled; it is not waited for when the time is over, and ends by
 * `serverTimeoutSeconds`. Throws `invalid/query` for an id that is none, and `invalid/config` for the endpoint.
 */
export function logAnalytics(settings: LogAnalyticsSettings): AuditQuery {
  const { workspaceId, endpoint = ENDPOINT } = settings
  checkedName(workspaceId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'the id of the workspace')
  if (!URL.canParse(endpoint) || new URL(endpoint).protocol !== 'https:')
    throw new KeyturnError('invalid/config', 'the endpoint of Log Analytics must be an https URL')
  return textQuery(`log-analytics://${workspaceId}`, kqlTexts, runner({ ...settings, endpoint }))
}

const runner =
  (settings: LogAnalyticsSettings & { readonly endpoint: string }): RunText =>
  async (text, asked, each, signal) => {
    const found = await answerOf(settings, text, asked, signal)
    if (found === undefined) return undefined
    if (found.status !== 'Success') throw refusedKql(200, { error: found.partialError })
    for (const row of found.tables[0]?.rows ?? []) each(row)
    return undefined
  }

/** Undefined: the workspace has no log at all. */
async function answerOf(
  settings: LogAnalyticsSettings & { readonly endpoint: string },
  text: string,
  { since, until, historyMs }: Asked,
  signal: AbortSignal
): Promise<LogsQueryResult | undefined> {
  const { workspaceId, serverTimeoutSeconds = 180 } = settings
  let isEmpty = false
  const client = await clientOf(settings, signal, () => {
    isEmpty = true
  })
  const period = { startTime: new Date(since - historyMs), endTime: new Date(until) }
  try {
    return await client.queryWorkspace(workspaceId, text, period, { serverTimeoutInSeconds: serverTimeoutSeconds })
  } catch (e) {
    if (isEmpty) return undefined
    if (signal.aborted) throw new KeyturnError('unavailable/deadline', 'the time for the query is over; it is not waited for')
    throw silentKql(e)
  }
}

/** One client a query, which costs nothing: a policy of its own has what this query alone needs. */
async function clientOf(
  {
    credential,
    endpoint = ENDPOINT,
    audience = new URL(endpoint).origin,
    clientOptions,
    serverTimeoutSeconds = 180
  }: LogAnalyticsSettings,
  signal: AbortSignal,
  empty: () => void
): Promise<LogsQueryClient> {
  const { LogsQueryClient } = await import('@azure/monitor-query-logs')
  const policy: PipelinePolicy = {
    name: 'keyturn',
    sendRequest: async (request, next) => {
      // queryWorkspace of 1.0.0 drops an abortSignal that it is given (logsQueryClient.ts, convertToInternalOptions).
      request.abortSignal = signal
      request.timeout = serverTimeoutSeconds * 1000 + 10_000
      return told(await next(request), empty)
    }
  }
  return new LogsQueryClient(credential, {
    ...clientOptions,
    endpoint,
    credentials: { scopes: [`${audience}/.default`] },
    additionalPolicies: [{ policy, position: 'perCall' }]
  })
}

/**
 * What is no answer with a table is told here: the SDK looks for an error's code in bodies that have none, and throws a
 * TypeError for a proxy's page. 204: “If a workspace has no data in it” (azure-monitor/logs/api/errors).
 */
function told(response: PipelineResponse, empty: () => void): PipelineResponse {
  if (response.status === 204) empty()
  const json = jsonIn(response.bodyAsText ?? '')
  if (response.status !== 200 || json === undefined) throw refusedKql(response.status, json)
  return response
}
