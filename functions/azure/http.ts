import type { HttpRequest, HttpResponseInit } from '@azure/functions'
import { type HttpAnswer, type Refusal, requestIn } from '../../shared/http.ts'

/** Throws `invalid/request`. */
export const requestOf = async <T extends object>(request: HttpRequest, parse: (json: unknown) => T): Promise<T | Refusal> =>
  requestIn(new Uint8Array(await request.arrayBuffer()), parse)

/** A throw would be a 500 of the host's, without a body. */
export const responseOf = ({ status, headers, body }: HttpAnswer): HttpResponseInit => ({ status, headers, jsonBody: body })
