import type { Request, Response } from '@google-cloud/functions-framework'
import { KeyturnError } from '../../shared/errors.ts'
import { type HttpAnswer, type Refusal, requestIn } from '../../shared/http.ts'

/** 405 where the method is not POST. */
export function refusedMethod({ method }: Pick<Request, 'method'>): Refusal | undefined {
  return method === 'POST' ? undefined : { status: 405, error: new KeyturnError('invalid/request', 'the method is not POST') }
}

/**
 * Cloud Scheduler's own content type is application/octet-stream. Of a body that says it is JSON and is not,
 * functions-framework has answered 400 before. Throws `invalid/request`.
 */
export const requestOf = <T extends object>({ rawBody }: Pick<Request, 'rawBody'>, parse: (json: unknown) => T): T | Refusal =>
  requestIn(rawBody ?? Buffer.alloc(0), parse)

export const send = (response: Response, { status, headers, body }: HttpAnswer): void =>
  void response.status(status).set(headers).json(body)
