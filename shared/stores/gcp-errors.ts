import { type Code, KeyturnError } from '../errors.ts'

/** The rpcs of service.proto that are used, with the permission of each (docs/access-control, IAM permissions). */
const PERMISSIONS = {
  GetSecret: 'secretmanager.secrets.get',
  ListSecrets: 'secretmanager.secrets.list',
  CreateSecret: 'secretmanager.secrets.create',
  UpdateSecret: 'secretmanager.secrets.update',
  AddSecretVersion: 'secretmanager.versions.add',
  GetSecretVersion: 'secretmanager.versions.get',
  AccessSecretVersion: 'secretmanager.versions.access',
  DestroySecretVersion: 'secretmanager.versions.destroy'
} as const
export type Op = keyof typeof PERMISSIONS

/** The one table from `error.status` (google/rpc/code.proto) to keyturn's codes. */
const STATUS: Readonly<Record<string, Code>> = {
  INVALID_ARGUMENT: 'invalid/request',
  OUT_OF_RANGE: 'invalid/request',
  FAILED_PRECONDITION: 'unsupported/store',
  UNIMPLEMENTED: 'unsupported/store',
  UNAUTHENTICATED: 'denied/store',
  PERMISSION_DENIED: 'denied/store',
  NOT_FOUND: 'not-found/secret',
  ALREADY_EXISTS: 'conflict/metadata-changed',
  RESOURCE_EXHAUSTED: 'throttled/store',
  ABORTED: 'unavailable/store',
  CANCELLED: 'unavailable/store',
  UNKNOWN: 'unavailable/store',
  INTERNAL: 'unavailable/store',
  UNAVAILABLE: 'unavailable/store',
  DEADLINE_EXCEEDED: 'unavailable/store',
  DATA_LOSS: 'unavailable/store'
}

/**
 * FAILED_PRECONDITION says four things, and only its text says which: so the call that it answered does. Of a PATCH it is
 * the etag (docs/etags; AIP-154 would have it ABORTED), of a version that is written the key (docs/cmek), and of one that
 * is read its state, or the key: a look at the state tells (whyUnreadable in gcp-sight.ts).
 */
const BY_CALL: { readonly [O in Op]?: Readonly<Record<string, Code>> } = {
  UpdateSecret: { FAILED_PRECONDITION: 'conflict/metadata-changed', ABORTED: 'conflict/metadata-changed' },
  AccessSecretVersion: { FAILED_PRECONDITION: 'disabled/secret' },
  AddSecretVersion: { FAILED_PRECONDITION: 'denied/key' }
}

const SAYS: { readonly [C in Code]?: (op: Op) => string } = {
  'denied/store': (op) => `Google denied ${PERMISSIONS[op]}, or there is no such secret`,
  'denied/key': (op) => `${op}: the Cloud KMS key of the secret cannot be used`,
  'disabled/secret': (op) => `${op}: the version is disabled or destroyed, or its Cloud KMS key cannot be used`,
  'conflict/metadata-changed': (op) => `${op}: the secret changed since it was looked at`,
  'throttled/store': (op) => `${op}: the quota of Secret Manager is used up for the moment`,
  'unavailable/store': (op) => `${op}: no answer, or none that tells`
}

/** `error.status` and ErrorInfo's `reason` (google/rpc/error_details.proto): fixed words of the vendor's, never a text. */
export interface Refusal {
  readonly status: string | undefined
  readonly reason: string | undefined
}

/** `vendor` is `error.status`; undefined where the answer was not the service's. */
export function refused(op: Op, about: string, httpStatus: number, { status, reason }: Refusal): KeyturnError {
  const code = (status && (BY_CALL[op]?.[status] ?? STATUS[status])) || byHttp(httpStatus)
  return new KeyturnError(code, `${saysOf(code, op, status, reason)}, for ${about}`, status)
}

function saysOf(code: Code, op: Op, status: string | undefined, reason: string | undefined): string {
  // google/api/error_reason.proto.
  if (reason === 'SERVICE_DISABLED') return `${op}: the Secret Manager API is not enabled in the project`
  if (status === 'UNAUTHENTICATED') return `${op}: Google does not accept the access token`
  return SAYS[code]?.(op) ?? `${op}: ${status ?? 'an answer that tells nothing'}`
}

/** No answer at all. */
export const unanswered = (op: Op, about: string): KeyturnError =>
  new KeyturnError('unavailable/store', `${op}: no answer, or none that tells, for ${about}`)

/**
 * What is in front of the service answers with pages: a proxy's 404 must not be read as "there is no such secret".
 */
function byHttp(status: number): Code {
  if (status === 429) return 'throttled/store'
  return status === 401 || status === 403 ? 'denied/store' : 'unavailable/store'
}

/**
 * No access token. google-auth-library throws gaxios's error, which holds the request: its status alone is looked at. What
 * is neither an answer nor a broken connection is the library's own "could not load the default credentials".
 */
export function unauthorized(e: unknown, about: string): KeyturnError {
  if (e instanceof KeyturnError) return e
  const { status, code, response, cause } = (e ?? {}) as Record<string, unknown>
  const http = [status, (response as { status?: unknown } | undefined)?.status, code].map(Number).find((n) => n >= 100)
  const isSilent = isAbort(e) || (http === undefined && (typeof code === 'string' || cause !== undefined))
  const isLater = isSilent || http === 429 || (http ?? 0) >= 500
  return new KeyturnError(isLater ? 'unavailable/store' : 'denied/store', `no access token for Google, for ${about}`)
}

// A DOMException has a `code` of its own.
const isAbort = (e: unknown): boolean => e instanceof Error && (e.name === 'AbortError' || e.name === 'TimeoutError')

/** Whether the service itself answered so. */
export const answered = (e: unknown, ...statuses: readonly string[]): e is KeyturnError =>
  e instanceof KeyturnError && e.vendor !== undefined && statuses.includes(e.vendor)
