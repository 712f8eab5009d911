import { type Code, KeyturnError } from '../errors.ts'
import { reasonIn } from '../objects/gcp-storage-errors.ts'
import type { ApiAnswer } from '../provider-api.ts'
import { entryOf } from '../table.ts'

/** The permission of each call (bigquery/docs/access-control). */
const PERMISSIONS = {
  insert: 'bigquery.jobs.create, or to read the linked dataset',
  results: 'bigquery.jobs.get',
  cancel: 'bigquery.jobs.update'
} as const
export type BigQueryAct = keyof typeof PERMISSIONS

/** The one table from the `reason` of an error to keyturn's codes: bigquery/docs/error-messages. */
const REASONS: Readonly<Record<string, Code>> = {
  accessDenied: 'denied/query',
  billingNotEnabled: 'denied/query',
  blocked: 'denied/query',
  attributeError: 'denied/query',
  proxyAuthenticationRequired: 'denied/query',
  invalidUser: 'denied/query',
  notFound: 'not-found/table',
  invalid: 'invalid/query',
  invalidQuery: 'invalid/query',
  badRequest: 'invalid/query',
  responseTooLarge: 'invalid/query',
  resourcesExceeded: 'invalid/query',
  billingTierLimitExceeded: 'throttled/query',
  bytesBilledLimitExceeded: 'throttled/query',
  jobRateLimitExceeded: 'throttled/query',
  quotaExceeded: 'throttled/query',
  rateLimitExceeded: 'throttled/query',
  resourceInUse: 'throttled/query',
  // Somebody cancelled it.
  stopped: 'throttled/query',
  backendError: 'unavailable/query',
  internalError: 'unavailable/query',
  jobBackendError: 'unavailable/query',
  jobInternalError: 'unavailable/query',
  tableUnavailable: 'unavailable/query',
  timeout: 'unavailable/query'
}

export function refusedQuery(answer: ApiAnswer, act: BigQueryAct): KeyturnError {
  const reason = reasonIn(answer)
  const code = entryOf(REASONS, reason) ?? byStatus(answer.status)
  const vendor = reason ?? String(answer.status)
  const says = code === 'denied/query' ? `Google denied ${PERMISSIONS[act]} (${vendor})` : vendor
  return new KeyturnError(code, `BigQuery: ${says}`, vendor)
}

function byStatus(status: number): Code {
  if (status === 401 || status === 403) return 'denied/query'
  if (status === 404) return 'not-found/table'
  return status === 400 ? 'invalid/query' : 'unavailable/query'
}

/** What shared/provider-api.ts throws, of whatever provider, as said of a query. */
const QUERY: { readonly [C in Code]?: Code } = {
  'denied/provider': 'denied/query',
  'throttled/provider': 'throttled/query',
  'unavailable/provider': 'unavailable/query',
  'invalid/answer': 'unavailable/query'
}

export const silentQuery = (e: unknown): unknown =>
  e instanceof KeyturnError ? new KeyturnError(QUERY[e.code] ?? e.code, e.message, e.vendor) : e
