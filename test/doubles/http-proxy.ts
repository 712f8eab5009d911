import { once } from 'node:events'
import {
  createServer,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse
} from 'node:http'
import { createServer as createTlsServer, Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'

export interface ProxiedCall {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: IncomingMessage['headers']
}

/**
 * before: the connection is destroyed, the server heard nothing. silent: nor does it, and nothing happens. lost: the server answered, nobody hears it. cutAfter: so many
 * bytes of the body arrive, then the connection is destroyed; stallAfter: then nothing happens any more.
 */
export type ProxyFault =
  | 'before'
  | 'silent'
  | 'lost'
  | { readonly cutAfter: number }
  | { readonly stallAfter: number }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }

export interface HttpProxy {
  readonly url: string
  readonly calls: readonly ProxiedCall[]
  setFault(fault: ((call: ProxiedCall) => ProxyFault | undefined) | undefined): void
  /** Resolves when no answer is under way. */
  idle(): Promise<void>
  close(): Promise<void>
}

export interface Tls {
  readonly cert: string
  readonly key: string
  /** Whom the server behind is certified by. */
  readonly caPem: string
}

export interface ProxyOptions {
  /** On both sides. */
  readonly tls?: Tls
  /** A PUT is passed on when the one before was answered. */
  readonly isOnePutAtATime?: boolean
}

/** A proxy on 127.0.0.1 that passes on what it gets as it comes, unless a test says otherwise. */
export async function startHttpProxy(target: string, { tls, isOnePutAtATime }: ProxyOptions = {}): Promise<HttpProxy> {
  const agent = tls ? new HttpsAgent({ keepAlive: true, ca: tls.caPem }) : new HttpAgent({ keepAlive: true })
  const calls: ProxiedCall[] = []
  const open = new Set<ServerResponse>()
  let fault: ((call: ProxiedCall) => ProxyFault | undefined) | undefined
  let lastPut: Promise<unknown> = Promise.resolve()
  const forward: Forward = (message) => {
    if (!isOnePutAtATime || message.method !== 'PUT') return forwarded(target, agent, message)
    const put = lastPut.then(() => forwarded(target, agent, message))
    lastPut = put.catch(() => undefined)
    return put
  }
  const serve: RequestListener = async (message, response) => {
    open.add(response)
    response.once('close', () => open.delete(response))
    const call = { method: message.method ?? '', path: message.url ?? '', headers: message.headers }
    calls.push(call)
    await passed(message, response, fault?.(call), forward).catch(() => response.destroy())
  }
  const server = tls ? createTlsServer(tls, serve) : createServer(serve)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    setFault: (next) => {
      fault = next
    },
    idle: async () => {
      while (open.size > 0) await Promise.all([...open].map((response) => once(response, 'close')))
    },
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      agent.destroy()
      await closed
    }
  }
}

type Forward = (message: IncomingMessage) => Promise<IncomingMessage>

async function passed(
  message: IncomingMessage,
  response: ServerResponse,
  fault: ProxyFault | undefined,
  forward: Forward
): Promise<void> {
  if (fault === 'silent') return
  if (fault === 'before') return void message.socket.destroy()
  if (typeof fault === 'object' && 'status' in fault) {
    message.resume()
    response.writeHead(fault.status, { 'content-length': Buffer.byteLength(fault.body ?? ''), ...fault.headers })
    return void response.end(message.method === 'HEAD' ? undefined : fault.body)
  }
  const answer = await forward(message)
  if (fault === 'lost') {
    for await (const _ of answer);
    return void message.socket.destroy()
  }
  // A client that leaves is no longer served by the server behind either.
  response.once('close', () => answer.destroy())
  response.writeHead(answer.statusCode ?? 0, answer.headers)
  if (!fault) return pipeline(answer, response)
  await begun(answer, response, 'cutAfter' in fault ? fault.cutAfter : fault.stallAfter)
  if ('cutAfter' in fault) message.socket.destroy()
}

/** Resolves when so many bytes of the answer are on their way. */
async function begun(answer: IncomingMessage, response: ServerResponse, bytes: number): Promise<void> {
  let left = bytes
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    await new Promise<void>((resolve) => response.write(chunk.subarray(0, left), () => resolve()))
    left -= chunk.length
    if (left <= 0) return
  }
}

async function forwarded(target: string, agent: HttpAgent, message: IncomingMessage): Promise<IncomingMessage> {
  const { method, url = '/', headers } = message
  const { protocol, hostname, port } = new URL(target)
  // The path as it came: made into a URL, it would be another one where a part of it is `..`.
  const sent = (protocol === 'https:' ? httpsRequest : httpRequest)({ hostname, port, path: url, method, headers, agent })
  const answered = once(sent, 'response')
  await pipeline(message, sent)
  return ((await answered) as [IncomingMessage])[0]
}
