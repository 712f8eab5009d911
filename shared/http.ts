import { type CodeClass, classOf, type KeyturnError } from './errors.ts'

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

/** What a host answers over HTTP, 4xx where the request, or what it names, has to change first (RFC 9110). */
export const httpStatusOf = (error: KeyturnError): number => STATUS[classOf(error.code)]

/** What a caller may see of a failure: fixed text of the code's table, and nothing that a vendor or a secret said. */
export const httpBodyOf = (error: KeyturnError): { ok: false; code: string; retryable: boolean; todo: string } => ({
  ok: false,
  code: error.code,
  retryable: error.retryable,
  todo: error.todo
})

/** No request of ours is longer. */
export const MAX_BODY_BYTES = 16_384
