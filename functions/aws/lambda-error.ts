import type { KeyturnError } from '../../shared/errors.ts'

/** Lambda reports an error's name as `errorType`: the code. */
export function lambdaError(e: KeyturnError): Error {
  const error = new Error(`${e.message}. ${e.todo}`)
  error.name = e.code
  return error
}
