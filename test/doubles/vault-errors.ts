import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { textOf } from './faulty-server.ts'

/**
 * What happens to a request. lost: it takes effect, and the connection is destroyed without an answer. cut: the connection
 * is destroyed in the middle of the answer. before: nothing happens, and the connection is destroyed. silence: nothing is
 * ever answered. An answer: the status with a body and headers, without effect.
 */
export type Fault = 'lost' | 'cut' | 'before' | 'silence' | FaultAnswer

export interface FaultAnswer {
  readonly status: number
  /** JSON, or a text as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Seen {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface VaultErrors {
  readonly url: string
  /** Every request, logins too. */
  readonly seen: readonly Seen[]
  /** Those that took effect: writes below secret/. */
  readonly effects: readonly string[]
  /** Tokens that live. A test may take one out, as an administrator does. */
  readonly tokens: Set<string>
  /** What happens to the next requests below secret/, and with `auth` to those below auth/, one by one. */
  next(...faults: readonly Fault[]): void
  nextAuth(...faults: readonly Fault[]): void
  /** What the next logins are answered with instead of a token for an hour. */
  nextLogin(...auths: readonly Readonly<Record<string, unknown>>[]): void
  /** Connections that were made until now. */
  connections(): number
  /** Ends every connection that is idle, as a load balancer does. */
  endIdle(): void
  close(): Promise<void>
}

export interface VaultErrorsOptions {
  readonly tls?: { readonly cert: string; readonly key: string }
  /** The Date header's clock, milliseconds since the epoch. */
  readonly now?: () => number
}

/**
 * Vault's transport and its failures, which no single server can be brought to: statuses of
 * developer.hashicorp.com/vault/api-docs ("HTTP status codes"), and what networks do. Below secret/ it keeps values;
 * auth/approle/login gives tokens to anybody, lookup-self and revoke-self know them.
 */
export async function startVaultErrors({ tls, now = Date.now }: VaultErrorsOptions = {}): Promise<VaultErrors> {
  const world = newWorld()
  const listener: RequestListener = async (request, response) => {
    const seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: await textOf(request) }
    world.seen.push(seen)
    const faults = seen.path.startsWith('/v1/auth/') ? world.authFaults : world.faults
    serve(world, seen, faults.shift(), response, now())
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  let connections = 0
  server.on(tls ? 'secureConnection' : 'connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...world,
    next: (...faults) => void world.faults.push(...faults),
    nextAuth: (...faults) => void world.authFaults.push(...faults),
    nextLogin: (...auths) => void world.auths.push(...auths),
    connections: () => connections,
    endIdle: () => server.closeIdleConnections(),
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    }
  }
}

function newWorld() {
  return {
    seen: [] as Seen[],
    effects: [] as string[],
    tokens: new Set<string>(),
    faults: [] as Fault[],
    authFaults: [] as Fault[],
    auths: [] as Readonly<Record<string, unknown>>[],
    values: new Map<string, unknown>(),
    made: 0
  }
}

type World = ReturnType<typeof newWorld>

function serve(world: World, seen: Seen, fault: Fault | undefined, response: ServerResponse, now: number): void {
  if (fault === 'silence') return
  if (fault === 'before') return void response.destroy()
  const { status, body, headers } = typeof fault === 'object' ? fault : handled(world, seen)
  if (fault === 'lost') return void response.destroy()
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body)
  const sent = { 'Content-Type': 'application/json', Date: new Date(now).toUTCString(), ...headers }
  if (fault !== 'cut') return void response.writeHead(status, sent).end(text)
  response.writeHead(status, { ...sent, 'Content-Length': String(text.length + 100) })
  response.write(text, () => response.destroy())
}

function handled(world: World, { method, path, headers, body }: Seen): FaultAnswer {
  if (path === '/v1/auth/approle/login') return loggedIn(world)
  const token = String(headers['x-vault-token'] ?? '')
  if (!world.tokens.has(token)) return { status: 403, body: { errors: ['permission denied'] } }
  if (path === '/v1/auth/token/lookup-self') return { status: 200, body: { data: { ttl: 3600 } } }
  if (path === '/v1/auth/token/revoke-self') {
    world.tokens.delete(token)
    return { status: 204 }
  }
  if (method === 'GET') {
    const value = world.values.get(path)
    return value === undefined ? { status: 404, body: { errors: [] } } : { status: 200, body: { data: value } }
  }
  world.effects.push(`${method} ${path}`)
  world.values.set(path, body === '' ? {} : (JSON.parse(body) as unknown))
  return { status: 200, body: { data: { version: world.effects.length } } }
}

function loggedIn(world: World): FaultAnswer {
  world.made += 1
  const given = { client_token: `s.${world.made}`, accessor: `accessor-${world.made}`, lease_duration: 3600, renewable: true }
  const auth: Readonly<Record<string, unknown>> = { ...given, ...world.auths.shift() }
  world.tokens.add(String(auth.client_token))
  return { status: 200, body: { auth } }
}
