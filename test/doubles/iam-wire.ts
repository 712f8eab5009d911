import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FaultHook, ProviderAnswer, ProviderCall } from './provider-double.ts'
import type { SignedRequest } from './vault-login-aws.ts'

/** A request of AWS's query protocol: every operation is POST /, and named in the body. */
export interface QueryRequest {
  readonly action: string
  readonly params: URLSearchParams
  /** As it came, for whoever checks the signature. */
  readonly signed: SignedRequest
  readonly wantsJson: boolean
  readonly now: number
}

export interface QueryServer {
  readonly url: string
  readonly calls: readonly ProviderCall[]
  readonly requests: readonly QueryRequest[]
  setFault(fault: FaultHook | undefined): void
  /** Moves its clock, which is in every Date header. */
  advance(ms: number): void
  now(): number
  close(): Promise<void>
}

type Made = { -readonly [K in keyof ProviderCall]: ProviderCall[K] }

/** A server of the query protocol on 127.0.0.1, with the faults of provider-double.ts; `op` of a call is its action. */
export async function startQueryServer(
  answer: (request: QueryRequest) => ProviderAnswer | Promise<ProviderAnswer>
): Promise<QueryServer> {
  const calls: Made[] = []
  const requests: QueryRequest[] = []
  let ahead = 0
  let fault: FaultHook | undefined
  const now = (): number => Date.now() + ahead
  const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await requestOf(message, now())
    const call: Made = { op: request.action, method: request.signed.method, path: request.signed.url.pathname, at: now() }
    const index = calls.push(call) - 1
    requests.push(request)
    const decided = fault?.(call, index)
    if (decided === 'before') return void message.socket.destroy()
    const given = typeof decided === 'object' ? decided : await answer(request)
    call.status = given.status
    if (decided === 'lost') return void message.socket.destroy()
    send(response, given, now())
  }
  const server = createServer((message, response) => void serve(message, response).catch(() => response.destroy()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    requests,
    setFault: (next) => {
      fault = next
    },
    advance: (ms) => {
      ahead += ms
    },
    now,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}

async function requestOf(message: IncomingMessage, now: number): Promise<QueryRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks).toString('utf8')
  const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, String(value)]))
  const signed = { method: message.method ?? '', url: new URL(message.url ?? '/', `http://${headers.host}`), body, headers }
  const params = new URLSearchParams(body)
  return { action: params.get('Action') ?? '', params, signed, wantsJson: headers.accept === 'application/json', now }
}

function send(response: ServerResponse, { status, body, headers = {} }: ProviderAnswer, now: number): void {
  const isText = typeof body === 'string'
  response.writeHead(status, {
    'Content-Type': isText ? 'text/xml' : 'application/json',
    Date: new Date(now).toUTCString(),
    ...headers
  })
  response.end(isText ? body : JSON.stringify(body))
}
