import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, TLSSocket } from 'node:tls'
import type { Identity } from './certificates.ts'
import { messageFilters, newRecorder, type Recorder } from './postgres-faults.ts'
import { readRequest, requests, startupParameters, tlsRequest } from './postgres-wire.ts'
import { type Channel, connectTo, everything, type Link, startTcpProxy, type Target, type TcpProxy } from './proxy.ts'

/** One thing that a client asked the server through the proxy. Numbers run from 1, over all connections, in order of arrival. */
export type Exchange = {
  readonly number: number
  /** A Query and a Parse are one each, with their text; the Bind of an already parsed statement is none. */
  readonly kind: 'login' | 'query' | 'parse'
  readonly text: string
  readonly connection: number
  readonly user: string
  readonly database: string
}

/**
 * `before`: the connection ends and the server has seen nothing of it. `lost`: the server did it, up to its
 * ReadyForQuery, and the connection ends without the client learning of it. `after`: the client has the whole answer.
 * A login's answer reaches from AuthenticationOk to the first ReadyForQuery.
 */
export type Fault = 'before' | 'lost' | 'after'

export type Login = {
  readonly user: string
  readonly database: string
  /** `open` until the server said ReadyForQuery or an error, or the connection ended. */
  readonly outcome: 'open' | 'succeeded' | 'failed' | 'cut'
  /** The SQLSTATE of a failure: 28P01 is a wrong password. */
  readonly code?: string
}

export type Hook = {
  /** Asked before anything is forwarded, and waited for: a promise holds the exchange. */
  decide(exchange: Exchange): Fault | 'pass' | Promise<Fault | 'pass'>
  /** Told once a fault has come about: after the cut, or (`after`) when the answer is on its way to the client. */
  done?(exchange: Exchange, fault: Fault): void
}

export type PostgresProxy = TcpProxy & {
  readonly caPem: string
  /** Replaces the hook; without one everything passes. The exchange counter starts anew. */
  setHook(hook?: Hook): void
  /** Everything since the start or the last `setHook`. */
  exchanges(): readonly Exchange[]
  /** Every login since the start, in order. */
  logins(): readonly Login[]
}

export type PostgresTarget = Target & { readonly tls: Identity | undefined; readonly caPem: string }

/**
 * A proxy that reads along. Where the server speaks TLS, so does the proxy, to both sides and with the server's own
 * certificate (which keeps channel binding intact); `tls: 'off'` shows plaintext to the clients all the same.
 */
export async function startPostgresProxy(
  server: PostgresTarget,
  options: { tls?: 'off' | Identity } = {}
): Promise<PostgresProxy> {
  const identity = options.tls === 'off' ? undefined : (options.tls ?? server.tls)
  const recorder = newRecorder()
  const proxy = await startTcpProxy(server, async (link) => {
    const opening = await openingOf(link, identity)
    if (opening === undefined) return undefined
    return opening.isCancel ? await cancel(opening, server) : await login(link, opening, server, recorder)
  })
  return {
    ...proxy,
    caPem: server.caPem,
    setHook: recorder.setHook,
    exchanges: () => recorder.exchanges,
    logins: () => recorder.logins
  }
}

type Opening = { client: Duplex; startup: Buffer; isCancel: boolean }

async function openingOf(link: Link, identity: Identity | undefined, client: Duplex = link.client): Promise<Opening | undefined> {
  const startup = await firstMessage(client)
  if (startup === undefined) return undefined
  await link.gate()
  const code = readRequest(startup)?.code
  if (code === requests.gssEncryption || (code === requests.tls && identity === undefined)) {
    client.write('N')
    return openingOf(link, identity, client)
  }
  if (code !== requests.tls) return { client, startup, isCancel: code === requests.cancel }
  link.client.write('S')
  const secured = new TLSSocket(link.client, { isServer: true, ...identity })
  secured.on('error', () => link.cut())
  await once(secured, 'secure')
  return openingOf(link, identity, secured)
}

async function firstMessage(client: Duplex): Promise<Buffer | undefined> {
  let bytes = Buffer.alloc(0)
  for (;;) {
    const request = readRequest(bytes)
    if (request !== undefined) {
      if (bytes.length > request.length) client.unshift(bytes.subarray(request.length))
      return bytes.subarray(0, request.length)
    }
    const chunk: Buffer | null = client.read()
    if (chunk !== null) bytes = Buffer.concat([bytes, chunk])
    else if (client.readableEnded || client.destroyed) return undefined
    else await Promise.race([once(client, 'readable'), once(client, 'end'), once(client, 'close')])
  }
}

async function login(
  link: Link,
  { client, startup }: Opening,
  target: PostgresTarget,
  recorder: Recorder
): Promise<Channel | undefined> {
  const parameters = startupParameters(startup)
  const user = parameters.get('user') ?? ''
  const session = recorder.session(link, user, parameters.get('database') ?? user)
  const verdict = await recorder.ask(session, 'login', '')
  if (verdict.fault === 'before') {
    link.cut()
    return void verdict.done()
  }
  const server = await connectToPostgres(target)
  server.write(startup)
  return { client, server, ...messageFilters(recorder, session, verdict) }
}

async function cancel({ client, startup }: Opening, target: PostgresTarget): Promise<Channel> {
  const server = await connectToPostgres(target)
  server.write(startup)
  return { client, server, toServer: everything, toClient: everything }
}

async function connectToPostgres(target: PostgresTarget): Promise<Duplex> {
  const socket = await connectTo(target)
  socket.setNoDelay(true)
  return target.tls === undefined ? socket : await secure(socket)
}

async function secure(socket: Socket): Promise<Duplex> {
  socket.write(tlsRequest)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  if (answer.toString() !== 'S') throw new Error('the server does not speak TLS')
  // Tests put expired and foreign certificates on servers; it is the client's part, not the proxy's, to refuse them.
  const secured = connectTls({ socket, rejectUnauthorized: false })
  await once(secured, 'secureConnect')
  return secured
}
