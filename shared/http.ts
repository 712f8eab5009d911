import { type Report, throwOnFailure } from './act.ts'
import { asKeyturnError, type CodeClass, classOf, KeyturnError } from './errors.ts'
import type { SecretReport } from './report.ts'

const STATUS: Readonly<Record<CodeClass, number>> = {
  invalid: 400,
  'not-found': 404,
  conflict: 409,
  busy: 409,
  disabled: 409,
  unsupported: 422,
  // keyturn is denied, not the caller.
  denied: 502,
  throttled: 503,
  unavailable: 503,
  bug: 500
}

/**
 * What a host answers over HTTP, 4xx where the request, or what it names, has to change first (RFC 9110). Of bad settings,
 * and of the state of an audit, the caller knows nothing.
 */
export const httpStatusOf = ({ code }: KeyturnError): number =>
  code === 'invalid/config' || code === 'invalid/state' ? 500 : STATUS[classOf(code)]

/** No request of ours is longer. */
export const MAX_BODY_BYTES = 16_384

/** A request that is not done: what is wrong, and HTTP's word for it. */
export interface Refusal {
  readonly status: number
  readonly error: KeyturnError
}

/** What a host sends. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: object
}

export const refusalOf = (error: KeyturnError): Refusal => ({ status: httpStatusOf(error), error })

export const isRefusal = (asked: object): asked is Refusal => 'error' in asked

/**
 * The common request, in a body of JSON under any content type. Throws `invalid/request`; a body that is too long is a 413.
 */
export function requestIn<T extends object>(body: Uint8Array, parse: (json: unknown) => T): T | Refusal {
  if (body.byteLength > MAX_BODY_BYTES)
    return { status: 413, error: new KeyturnError('invalid/request', `the body is longer than ${MAX_BODY_BYTES} bytes`) }
  return parse(jsonOf(Buffer.from(body).toString('utf8')))
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message quotes its input.
    throw new KeyturnError('invalid/request', 'the body is not JSON')
  }
}

/** Long enough for a lock or a server to be free again; whoever asks sooner hears the same. */
const RETRY_AFTER_S = 60

/**
 * A failure as the caller sees it: the fixed text of the code's table, and never a message, which may name what only the
 * function's owner should know.
 */
export function refused({ status, error }: Refusal, report?: Report): HttpAnswer {
  const { code, retryable, todo } = error
  return {
    status,
    headers: {
      ...(retryable && { 'Retry-After': String(RETRY_AFTER_S) }),
      // RFC 9110, 15.5.2 and 15.5.6: what a 401 and a 405 must say.
      ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
      ...(status === 405 && { Allow: 'POST' })
    },
    body: { ok: false, code, retryable, todo, ...(report && { report: quiet(report) }) }
  }
}

/**
 * 200 only where every secret succeeded, so that a caller that looks at nothing else sees a failure; otherwise the status of
 * the one error that throwOnFailure picks, with the whole report beside it.
 */
export function answered(report: Report): HttpAnswer {
  try {
    return { status: 200, headers: {}, body: throwOnFailure(report) }
  } catch (e) {
    return refused(refusalOf(asKeyturnError(e)), report)
  }
}

const quiet = ({ action, results }: Report): object => ({ action, results: results.map(withoutMessage) })

function withoutMessage(result: SecretReport): object {
  if (result.ok) return result
  const { message: _, ...rest } = result
  return rest
}
