import { once } from 'node:events'
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** before: the connection is destroyed, nothing happened. lost: it happened, no answer. after: it happened and is answered. */
export type ProviderFault = 'before' | 'lost' | 'after' | ProviderAnswer

export interface ProviderAnswer {
  readonly status: number
  /** Sent as JSON; a text as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface ProviderCall {
  readonly op: string
  readonly method: string
  readonly path: string
  readonly at: number
  /** Undefined while nothing was answered or lost. */
  readonly status?: number
}

export type FaultHook = (call: ProviderCall, index: number) => ProviderFault | undefined

export interface ProviderDouble {
  readonly url: string
  readonly calls: readonly ProviderCall[]
  setFault(fault: FaultHook | undefined): void
  /** Moves its clock, which is in every Date header. */
  advance(ms: number): void
  now(): number
  close(): Promise<void>
}

export interface FaultyOptions<R> {
  readonly read: (message: IncomingMessage, text: string, now: number) => R
  /** The name of a call in its list. */
  readonly opOf: (request: R) => string
  readonly answer: (request: R, now: number) => ProviderAnswer | Promise<ProviderAnswer>
  /** What an answer's text is where no header says it. */
  readonly textType: string
  /** Whether a header of an answer may override the Date. */
  readonly isDateGiven: boolean
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
}

type Made = { -readonly [K in keyof ProviderCall]: ProviderCall[K] }

/** A server on 127.0.0.1 that keeps its calls, has a clock of its own, and fails as a test says. */
export async function startFaulty<R>({ read, opOf, answer, tls, ...form }: FaultyOptions<R>): Promise<ProviderDouble> {
  const calls: Made[] = []
  let ahead = 0
  let fault: FaultHook | undefined
  let closed: Promise<unknown> | undefined
  const now = (): number => Date.now() + ahead
  const serve = async (...[message, response]: Parameters<RequestListener>): Promise<void> => {
    const { pathname } = new URL(message.url ?? '/', 'http://127.0.0.1')
    const request = read(message, await textOf(message), now())
    const call: Made = { op: opOf(request), method: message.method ?? '', path: pathname, at: now() }
    const index = calls.push(call) - 1
    const decided = fault?.(call, index)
    if (decided === 'before') return void message.socket.destroy()
    const given = typeof decided === 'object' ? decided : await answer(request, now())
    call.status = given.status
    if (decided === 'lost') return void message.socket.destroy()
    response.writeHead(given.status, headersOf(given, form, now()))
    response.end(typeof given.body === 'string' ? given.body : JSON.stringify(given.body))
  }
  const listener: RequestListener = (message, response) => void serve(message, response).catch(() => response.destroy())
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    setFault: (next) => {
      fault = next
    },
    advance: (ms) => {
      ahead += ms
    },
    now,
    close: async () => {
      closed ??= once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}

export async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function headersOf(
  { body, headers = {} }: ProviderAnswer,
  { textType, isDateGiven }: Pick<FaultyOptions<unknown>, 'textType' | 'isDateGiven'>,
  now: number
): OutgoingHttpHeaders {
  const type = typeof body === 'string' ? textType : 'application/json'
  const date = { Date: new Date(now).toUTCString() }
  return { 'Content-Type': type, ...(isDateGiven && date), ...headers, ...(!isDateGiven && date) }
}
