import { type Code, KeyturnError } from '../errors.ts'
import { entryOf } from '../table.ts'

export type AthenaOp = 'GetWorkGroup' | 'StartQueryExecution' | 'GetQueryExecution' | 'GetQueryResults' | 'StopQueryExecution'

/** The one table from the names of Athena's errors (APIReference, Errors and CommonErrors) and of the SDK's to keyturn's. */
const NAMES: Readonly<Record<string, Code>> = {
  InvalidRequestException: 'invalid/query',
  ValidationException: 'invalid/query',
  ValidationError: 'invalid/query',
  MetadataException: 'not-found/table',
  ResourceNotFoundException: 'not-found/table',
  AccessDeniedException: 'denied/query',
  AccessDenied: 'denied/query',
  NotAuthorized: 'denied/query',
  UnrecognizedClientException: 'denied/query',
  InvalidClientTokenId: 'denied/query',
  InvalidSignatureException: 'denied/query',
  IncompleteSignature: 'denied/query',
  MissingAuthenticationToken: 'denied/query',
  ExpiredTokenException: 'denied/query',
  OptInRequired: 'denied/query',
  CredentialsProviderError: 'denied/query',
  TooManyRequestsException: 'throttled/query',
  ThrottlingException: 'throttled/query',
  RequestLimitExceeded: 'throttled/query',
  InternalServerException: 'unavailable/query',
  InternalFailure: 'unavailable/query',
  ServiceUnavailable: 'unavailable/query',
  AbortError: 'unavailable/query',
  TimeoutError: 'unavailable/query'
}

/** How a query failed, by its ErrorType (athena/latest/ug/error-reference.html); the rest by its ErrorCategory. */
const TYPES: Readonly<Record<string, Code>> = {
  1010: 'unavailable/query',
  1012: 'unavailable/query',
  1013: 'unavailable/query',
  1011: 'throttled/query',
  1014: 'throttled/query',
  1109: 'not-found/table',
  1110: 'not-found/table',
  1300: 'not-found/table',
  1301: 'not-found/table',
  1302: 'unavailable/query',
  1304: 'unavailable/query',
  1305: 'unavailable/query',
  1306: 'not-found/table',
  1308: 'unavailable/query',
  1400: 'throttled/query',
  1401: 'throttled/query',
  1403: 'throttled/query',
  1404: 'throttled/query',
  1405: 'throttled/query',
  1406: 'throttled/query',
  1500: 'denied/query',
  1501: 'denied/query',
  1602: 'throttled/query',
  ...Object.fromEntries(Array.from({ length: 9 }, (_, type) => [type, 'throttled/query' as const]))
}

const SAYS: { readonly [C in Code]?: (op: AthenaOp) => string } = {
  'denied/query': (op) => `AWS denied athena:${op}, or Glue or S3 what Athena asked them for the caller`,
  'not-found/table': (op) => `athena:${op}: there is no such workgroup, database, table or bucket`,
  'throttled/query': (op) => `athena:${op}: AWS asked to slow down`,
  'unavailable/query': (op) => `athena:${op}: no answer, or none that tells`
}

export function athenaError(e: unknown, op: AthenaOp): KeyturnError {
  if (e instanceof KeyturnError) return e
  const { name, $metadata } = e as { name?: unknown; $metadata?: { httpStatusCode?: number } }
  const vendor = typeof name === 'string' ? name : 'unknown'
  const code = entryOf(NAMES, vendor) ?? byStatus($metadata?.httpStatusCode)
  return new KeyturnError(code, SAYS[code]?.(op) ?? `athena:${op}: ${vendor}`, vendor)
}

/** For names that AWS adds later. No status at all is a connection that broke. */
function byStatus(status: number | undefined): Code {
  if (status === undefined || status >= 500) return 'unavailable/query'
  if (status === 429) return 'throttled/query'
  return status === 401 || status === 403 ? 'denied/query' : 'bug/internal'
}

/** API_AthenaError. */
export interface Failure {
  readonly ErrorCategory?: number | undefined
  readonly ErrorType?: number | undefined
}

/**
 * Of a query that ended without a result. One that was cancelled by somebody else was stopped by a person or by the
 * workgroup's limit of bytes (API_WorkGroupConfiguration, BytesScannedCutoffPerQuery): Athena has no code to tell them by.
 */
export function failedQuery(
  state: 'FAILED' | 'CANCELLED',
  { ErrorCategory, ErrorType }: Failure,
  workgroup: string
): KeyturnError {
  const vendor = ErrorType === undefined ? state : String(ErrorType)
  if (state === 'CANCELLED')
    return new KeyturnError(
      'throttled/query',
      `the query was cancelled: by a person, or by the limit of bytes of the workgroup ${workgroup}`,
      vendor
    )
  const code = entryOf(TYPES, vendor) ?? (ErrorCategory === 2 ? 'invalid/query' : 'unavailable/query')
  return new KeyturnError(code, `the query failed: Athena’s error type ${vendor}`, vendor)
}
