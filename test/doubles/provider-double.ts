import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** before: the connection is destroyed, nothing happened. lost: it happened, no answer. after: it happened and is answered. */
export type ProviderFault = 'before' | 'lost' | 'after' | ProviderAnswer

export interface ProviderAnswer {
  readonly status: number
  /** Sent as JSON; a text as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface ProviderRequest {
  readonly url: URL
  /** The groups of the route's path, percent-decoded. */
  readonly params: readonly string[]
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as JSON; an empty object where it is none. */
  readonly json: Readonly<Record<string, unknown>>
  readonly now: number
}

export interface Route {
  /** The vendor's own name of the operation. */
  readonly op: string
  readonly method: string
  /** Of the whole path, without the query. */
  readonly path: RegExp
  readonly answer: (request: ProviderRequest) => ProviderAnswer
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

export interface ProviderDoubleOptions {
  readonly routes: readonly Route[]
  /** What the vendor answers to a path that it does not know. */
  readonly unknown: ProviderAnswer
  readonly now?: () => number
}

type Made = { -readonly [K in keyof ProviderCall]: ProviderCall[K] }

/** A provider over HTTP on 127.0.0.1: what one vendor answers is in its routes, with the page that each is taken from. */
export async function startProvider({ routes, unknown, now = Date.now }: ProviderDoubleOptions): Promise<ProviderDouble> {
  const calls: Made[] = []
  let ahead = 0
  let fault: FaultHook | undefined
  const clock = (): number => now() + ahead
  const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(message.url ?? '/', 'http://127.0.0.1')
    const text = await textOf(message)
    const route = routes.find(({ method, path }) => method === message.method && path.test(url.pathname))
    const call: Made = { op: route?.op ?? 'unknown', method: message.method ?? '', path: url.pathname, at: clock() }
    const index = calls.push(call) - 1
    const decided = fault?.(call, index)
    if (decided === 'before') return void message.socket.destroy()
    const answer = typeof decided === 'object' ? decided : answered(route, unknown, message, url, text, clock())
    call.status = answer.status
    if (decided === 'lost') return void message.socket.destroy()
    send(response, answer, clock())
  }
  const server = createServer((message, response) => void serve(message, response).catch(() => response.destroy()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    setFault: (next) => {
      fault = next
    },
    advance: (ms) => {
      ahead += ms
    },
    now: clock,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}

function answered(
  route: Route | undefined,
  unknown: ProviderAnswer,
  { headers }: IncomingMessage,
  url: URL,
  text: string,
  now: number
): ProviderAnswer {
  if (!route) return unknown
  const params = (route.path.exec(url.pathname) ?? []).slice(1).map((part) => decodeURIComponent(part ?? ''))
  return route.answer({ url, params, headers, text, json: objectIn(text), now })
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(text)
    return typeof found === 'object' && found !== null ? (found as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function send(response: ServerResponse, { status, body, headers = {} }: ProviderAnswer, now: number): void {
  const isText = typeof body === 'string'
  const type = isText ? 'text/plain' : 'application/json'
  response.writeHead(status, { 'Content-Type': type, ...headers, Date: new Date(now).toUTCString() })
  response.end(body === undefined ? undefined : isText ? body : JSON.stringify(body))
}
