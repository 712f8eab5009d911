import type { HttpRequest, HttpResponseInit } from '@azure/functions'
import { type HttpAnswer, type Refusal, requestIn } from '../../shared/http.ts'
import type { ActionRequest } from '../../shared/request.ts'

/** Throws `invalid/request`. */
export const requestOf = async (request: HttpRequest): Promise<ActionRequest | Refusal> =>
  requestIn(new Uint8Array(await request.arrayBuffer()))

/** A throw would be a 500 of the host's, without a body. */
export const responseOf = ({ status, headers, body }: HttpAnswer): HttpResponseInit => ({ status, headers, jsonBody: body })
