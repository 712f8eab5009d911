import { type Code, KeyturnError } from '../errors.ts'
import { entryOf } from '../table.ts'

/**
 * The one table from the codes of IAM and STS to keyturn's. Sources: the errors of API_CreateAccessKey, API_UpdateAccessKey,
 * API_DeleteAccessKey, API_ListAccessKeys, API_GetAccessKeyLastUsed, and both services' CommonErrors, the newer page and the
 * older one (InvalidClientTokenId and MissingParameter are on the older one only).
 */
const CODES: Readonly<Record<string, Code>> = {
  LimitExceeded: 'conflict/full',
  NoSuchEntity: 'not-found/principal',
  // "the user name was deleted and then recreated": no request with it is taken for some minutes.
  EntityTemporarilyUnmodifiable: 'unavailable/provider',
  ConcurrentModification: 'unavailable/provider',
  ServiceFailure: 'unavailable/provider',
  InternalFailure: 'unavailable/provider',
  InternalError: 'unavailable/provider',
  ServiceUnavailable: 'unavailable/provider',
  RequestAborted: 'unavailable/provider',
  RequestTimeout: 'unavailable/provider',
  RequestExpired: 'unavailable/provider',
  RequestTimeTooSkewed: 'unavailable/provider',
  // Of the SDK's own (@smithy/node-http-handler): no answer, which says nothing of what was done.
  AbortError: 'unavailable/provider',
  TimeoutError: 'unavailable/provider',
  Throttling: 'throttled/provider',
  RequestThrottled: 'throttled/provider',
  TooManyRequests: 'throttled/provider',
  RequestLimitExceeded: 'throttled/provider',
  AccessDenied: 'denied/provider',
  NotAuthorized: 'denied/provider',
  OptInRequired: 'denied/provider',
  InvalidClientTokenId: 'denied/provider',
  SignatureDoesNotMatch: 'denied/provider',
  IncompleteSignature: 'denied/provider',
  MissingAuthenticationToken: 'denied/provider',
  ExpiredToken: 'denied/provider',
  UnrecognizedClient: 'denied/provider',
  CredentialsProviderError: 'denied/provider',
  InvalidInput: 'invalid/request',
  InvalidAction: 'invalid/request',
  InvalidParameterValue: 'invalid/request',
  InvalidParameterCombination: 'invalid/request',
  InvalidQueryParameter: 'invalid/request',
  MalformedHttpRequest: 'invalid/request',
  MalformedQueryString: 'invalid/request',
  MissingAction: 'invalid/request',
  MissingParameter: 'invalid/request',
  RequestEntityTooLarge: 'invalid/request',
  UnknownOperation: 'invalid/request',
  ValidationError: 'invalid/request'
}

/** What AWS says of a clock that is wrong: SignatureDoesNotMatch with "Signature expired" or "not yet current" at IAM and STS. */
export const CLOCK_CODES: readonly string[] = ['SignatureDoesNotMatch', 'RequestExpired', 'RequestTimeTooSkewed']

export function codeOf(vendor: string | undefined, status: number | undefined): Code {
  const known = entryOf(CODES, vendor)
  if (known !== undefined) return known
  // A code that AWS adds later, or no answer at all: ECONNRESET, ENOTFOUND …
  if (status === undefined || status >= 500) return 'unavailable/provider'
  if (status === 429) return 'throttled/provider'
  return status === 401 || status === 403 ? 'denied/provider' : 'bug/internal'
}

/**
 * AWS's own word of an SDK error: the SDK's names of errors in the model end in Exception, the documented codes do not. Node's
 * errors have a code, also where several addresses were tried (AggregateError).
 */
export function vendorOf(e: unknown): string {
  const { name, code } = e as { name?: unknown; code?: unknown }
  const word = typeof code === 'string' && (name === 'Error' || name === 'AggregateError') ? code : name
  return typeof word === 'string' ? word.replace(/Exception$/, '') : 'unknown'
}

/** `op` is the name of the permission too: iam:CreateAccessKey. */
export function iamError(e: unknown, op: string, user: string): KeyturnError {
  if (e instanceof KeyturnError) return e
  const vendor = vendorOf(e)
  const code = codeOf(vendor, (e as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode)
  const says = SAYS[code]?.(op, user) ?? `iam:${op}: AWS answered ${vendor}`
  return new KeyturnError(code, says, vendor)
}

const SAYS: { readonly [C in Code]?: (op: string, user: string) => string } = {
  // docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: two, inactive ones too.
  'conflict/full': (_, user) => `the IAM user ${user} has as many access keys as IAM allows, inactive ones among them`,
  'not-found/principal': (op, user) => `iam:${op}: IAM knows no such user or key: ${user}`,
  'denied/provider': (op, user) => `AWS denied iam:${op} on the IAM user ${user}`,
  'throttled/provider': (op) => `iam:${op}: AWS asked to slow down`,
  'unavailable/provider': (op) => `iam:${op}: no answer, or none that tells`
}
