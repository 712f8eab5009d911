import type { IncomingMessage } from 'node:http'
import { type ProviderAnswer, type ProviderDouble, startFaulty } from './faulty-server.ts'
import type { SignedRequest } from './vault-login-aws.ts'

/** A request of AWS's query protocol: every operation is POST /, and named in the body. */
export interface QueryRequest {
  readonly action: string
  readonly params: URLSearchParams
  /** As it came, for whoever checks the signature. */
  readonly signed: SignedRequest
  readonly now: number
}

export interface QueryServer extends ProviderDouble {
  readonly requests: readonly QueryRequest[]
}

/** A server of the query protocol on 127.0.0.1, with the faults of provider-double.ts; `op` of a call is its action. */
export async function startQueryServer(
  answer: (request: QueryRequest) => ProviderAnswer | Promise<ProviderAnswer>
): Promise<QueryServer> {
  const requests: QueryRequest[] = []
  const read = (message: IncomingMessage, body: string, now: number): QueryRequest => {
    const request = requestOf(message, body, now)
    requests.push(request)
    return request
  }
  const server = await startFaulty({
    read,
    opOf: ({ action }) => action,
    answer,
    textType: 'text/xml',
    // A test may answer without one.
    isDateGiven: true
  })
  return { ...server, requests }
}

function requestOf(message: IncomingMessage, body: string, now: number): QueryRequest {
  const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, String(value)]))
  const signed = { method: message.method ?? '', url: new URL(message.url ?? '/', `http://${headers.host}`), body, headers }
  const params = new URLSearchParams(body)
  return { action: params.get('Action') ?? '', params, signed, now }
}
