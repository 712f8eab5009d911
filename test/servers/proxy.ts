import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { freePort } from './ports.ts'

export type Target = { readonly host: string; readonly port: number }

/** Counts the connections that it passes on, and does to them what networks do. Every control takes effect at once, on open connections too. */
export type TcpProxy = {
  readonly host: 'localhost'
  readonly port: number
  connections(): { open: number; total: number }
  /** Ends every open connection on both sides; new ones are welcome. */
  cutAll(): void
  /** New connections meet ECONNREFUSED until `accept()`; open ones stay. */
  refuse(): Promise<void>
  accept(): Promise<void>
  /** Nothing moves any more, in either direction, until `release()`. New connections are accepted and hear nothing. */
  hold(): void
  release(): void
  /** Everything takes this much longer, in each direction. */
  delay(ms: number): void
  /** Every connection is cut once so many further bytes of the server have reached the client; undefined: never. */
  cutAnswersAfter(bytes: number | undefined): void
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** One connection, as a protocol sees it. */
export type Link = {
  readonly client: Socket
  /** Resolves when traffic may move. */
  gate(): Promise<void>
  /** Ends the connection on both sides; what is passed afterwards goes nowhere. */
  cut(): void
}

/** Takes what arrives, passes on what shall go on. `pass` resolves when the bytes are on their way. */
export type Filter = (chunk: Buffer, pass: (bytes: Buffer) => Promise<void>) => Promise<void>

export type Channel = { client: Duplex; server: Duplex; toServer: Filter; toClient: Filter }

/** Says how a connection continues to the target; undefined when there is nothing to continue. */
export type Protocol = (link: Link) => Promise<Channel | undefined>

/** A proxy on 127.0.0.1 in front of a server; without a protocol it passes on the bytes as they are. */
export async function startTcpProxy(target: Target, protocol: Protocol = bytesTo(target)): Promise<TcpProxy> {
  const traffic = newTraffic()
  const open = new Set<Link>()
  let total = 0
  const listener = createServer({ allowHalfOpen: true }, (client) => {
    total += 1
    const link = newLink(client, traffic, () => open.delete(link))
    open.add(link)
    void carry(link, protocol, traffic)
  })
  const port = await listen(listener)
  const cutAll = () => {
    for (const link of open) link.cut()
  }
  const stop = async () => {
    traffic.release()
    cutAll()
    await close(listener)
  }
  return {
    ...{ host: 'localhost', port, cutAll, stop, [Symbol.asyncDispose]: stop },
    ...{ hold: traffic.hold, release: traffic.release, delay: traffic.delay, cutAnswersAfter: traffic.limit },
    connections: () => ({ open: open.size, total }),
    refuse: () => close(listener),
    accept: async () => void (await listen(listener, port))
  }
}

export async function connectTo({ host, port }: Target): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}

/** Passes on everything. */
export const everything: Filter = (chunk, pass) => pass(chunk)

function bytesTo(target: Target): Protocol {
  return async ({ client }) => ({ client, server: await connectTo(target), toServer: everything, toClient: everything })
}

type Traffic = ReturnType<typeof newTraffic>

function newTraffic() {
  let held: { released: Promise<void>; release(): void } | undefined
  let delayMs = 0
  let answers: { limit: number; passed: Map<Link, number> } | undefined
  return {
    hold: () => {
      if (held !== undefined) return
      let release = (): void => {}
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      held = { released, release }
    },
    release: () => {
      held?.release()
      held = undefined
    },
    delay: (ms: number) => {
      delayMs = ms
    },
    limit: (bytes: number | undefined) => {
      answers = bytes === undefined ? undefined : { limit: bytes, passed: new Map() }
    },
    gate: async () => {
      if (delayMs > 0) await setTimeout(delayMs)
      while (held !== undefined) await held.released
    },
    /** How many of these bytes may still go to the client. */
    allow: (link: Link, length: number): number => {
      if (answers === undefined) return Number.POSITIVE_INFINITY
      const passed = answers.passed.get(link) ?? 0
      answers.passed.set(link, passed + length)
      return answers.limit - passed
    }
  }
}

function newLink(client: Socket, traffic: Traffic, ended: () => void): Link {
  client.setNoDelay(true)
  client.on('error', () => {})
  client.on('close', ended)
  const cut = () => {
    ended()
    client.destroy()
  }
  return { client, gate: traffic.gate, cut }
}

async function carry(link: Link, protocol: Protocol, traffic: Traffic): Promise<void> {
  try {
    await link.gate()
    const channel = await protocol(link)
    if (channel === undefined) return
    const { client, server } = channel
    server.on('error', () => link.cut())
    link.client.on('close', () => server.destroy())
    if (link.client.destroyed) return void server.destroy()
    const toServer: Write = (bytes) => write(server, bytes)
    const toClient: Write = async (bytes) => {
      const allowed = traffic.allow(link, bytes.length)
      await write(client, bytes.subarray(0, Math.max(0, allowed)))
      if (allowed <= bytes.length) link.cut()
    }
    await Promise.all([
      pump(client, server, link, (chunk) => channel.toServer(chunk, toServer)),
      pump(server, client, link, (chunk) => channel.toClient(chunk, toClient))
    ])
  } catch {
    // Whatever ends one side ends the other; the client reads it off its own socket.
  } finally {
    link.cut()
  }
}

type Write = (bytes: Buffer) => Promise<void>

async function pump(from: Duplex, to: Duplex, link: Link, take: (chunk: Buffer) => Promise<void>): Promise<void> {
  for await (const chunk of from) {
    await link.gate()
    await take(chunk)
  }
  to.end()
}

function write(to: Duplex, bytes: Buffer): Promise<void> {
  if (to.destroyed || bytes.length === 0) return Promise.resolve()
  return new Promise((resolve) => to.write(bytes, () => resolve()))
}

async function listen(listener: Server, again?: number): Promise<number> {
  const port = again ?? (await freePort())
  if (listener.listening) return port
  try {
    listener.listen({ host: '127.0.0.1', port, exclusive: true })
    await once(listener, 'listening')
    return port
  } catch (error) {
    if (again !== undefined) throw error
    return listen(listener)
  }
}

/** Stops listening at once; does not wait for the open connections to end. */
function close(listener: Server): Promise<void> {
  listener.close()
  return Promise.resolve()
}
