import { type Code, KeyturnError } from '../errors.ts'
import { arrayIn, recordIn } from '../google-api.ts'
import type { ApiAnswer } from '../provider-api.ts'
import { entryOf } from '../table.ts'

/** What is asked for, and by which permission: for messages. */
export interface Wanted {
  /** `to create a key of … in IAM`. */
  readonly what: string
  /** The permission without which it is denied. */
  readonly needs: string
}

/** An error of Google's (google.aip.dev/193), as far as programs may act on it: never its message. */
export interface GoogleError {
  /** A canonical code: google/rpc/code.proto. */
  readonly status: string
  /** ErrorInfo: google/api/error_reason.proto for the domain googleapis.com. */
  readonly reason: string | undefined
  /** PreconditionFailure: the types of its violations, such as `constraints/iam.disableServiceAccountKeyCreation`. */
  readonly violations: readonly string[]
}

/** Undefined: what answered is not one of Google's APIs. */
export function googleErrorIn(answer: Pick<ApiAnswer, 'json'>): GoogleError | undefined {
  const { error } = recordIn(answer.json)
  const status = wordIn(recordIn(error).status)
  return status === undefined ? undefined : { status, ...detailsIn(recordIn(error).details) }
}

export function detailsIn(details: unknown): Pick<GoogleError, 'reason' | 'violations'> {
  const all = arrayIn(details).map(recordIn)
  const ofType = (type: string) => all.find((detail) => detail['@type'] === `type.googleapis.com/google.rpc.${type}`)
  const violations = arrayIn(ofType('PreconditionFailure')?.violations)
  return {
    reason: wordIn(ofType('ErrorInfo')?.reason),
    violations: violations.flatMap((violation) => wordIn(recordIn(violation).type) ?? [])
  }
}

/** google/rpc/code.proto. What is not here is told by the next look: `unavailable/provider`. */
const CODES: Readonly<Record<string, Code>> = {
  UNAUTHENTICATED: 'denied/provider',
  PERMISSION_DENIED: 'denied/provider',
  NOT_FOUND: 'not-found/principal',
  INVALID_ARGUMENT: 'invalid/document',
  FAILED_PRECONDITION: 'denied/provider-policy',
  // Of a creation under an id that the attempt has of its own.
  ALREADY_EXISTS: 'conflict/token-spent',
  // 429 itself is said by shared/provider-api.ts; an operation that ended so has this word alone.
  RESOURCE_EXHAUSTED: 'throttled/provider'
}

export function refusalOf(error: GoogleError, wanted: Wanted): KeyturnError {
  const { status, reason, violations } = error
  const code = entryOf(CODES, status) ?? 'unavailable/provider'
  return new KeyturnError(code, messageOf(code, error, wanted), violations[0] ?? reason ?? status)
}

function messageOf(code: Code, { status, reason, violations }: GoogleError, { what, needs }: Wanted): string {
  if (reason === 'SERVICE_DISABLED') return `${what}: the API is not enabled in the project; enable it`
  if (status === 'UNAUTHENTICATED') return `${what}: Google does not take the token of this deployment's own identity`
  if (code === 'denied/provider') return `${what}: denied; it needs ${needs}`
  if (code === 'not-found/principal') return `${what}: Google knows no such account, project or key`
  if (code === 'invalid/document') return `${what}: Google calls the project, the account or the key's id malformed`
  if (code === 'conflict/token-spent') return `${what}: the key of this attempt is there already, or was and is deleted`
  if (violations.length > 0) return `${what}: the organization policy ${violations.join(', ')} forbids it`
  if (code === 'denied/provider-policy') return `${what}: a precondition is not met, and Google does not name it`
  return `${what}: refused with ${status}`
}

/** The body of a success; a refusal is thrown. A page of a proxy's is neither. */
export function accepted(answer: ApiAnswer, wanted: Wanted): Readonly<Record<string, unknown>> {
  const { status, json, isJson } = answer
  if (status < 300 && isJson) return recordIn(json)
  const error = googleErrorIn(answer)
  if (error && status >= 400) throw refusalOf(error, wanted)
  throw new KeyturnError('unavailable/provider', `${wanted.what}: answered with ${status}, and not by Google`, String(status))
}

/** Where a field of an answer that Google's reference promises is not there. */
export const missing = ({ what }: Wanted, field: string): KeyturnError =>
  new KeyturnError('invalid/answer', `${what}: the answer has no ${field}`)

/** A word of Google's that may be shown. */
const wordIn = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w./-]{1,120}$/.test(value) ? value : undefined
