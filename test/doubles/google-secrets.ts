import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Answer, answerOf, faultAnswer, NO_SUCH_PATH } from './google-secrets-answers.ts'
import { rightsControls, rightsOf, stateControls, worldOf } from './google-secrets-controls.ts'
import { inputOf, requestOf } from './google-secrets-json.ts'
import type { Principal, Rights } from './google-secrets-rights.ts'
import type { GoogleState, GoogleStatus, Json, World } from './google-secrets-state.ts'

export type { GoogleState, GoogleStatus, Principal }

/**
 * before: the connection is destroyed, nothing happened. lost: it happened, and the connection is destroyed without an
 * answer. after: it happened and is answered; who set the hook stops its own run then. late: the connection is destroyed and
 * the call has no effect until `landLate`. error: the vendor's error instead, without effect; `reason` is ErrorInfo's.
 * page: a page of HTML with this status from something in front of the service.
 */
export type Fault =
  | 'before'
  | 'lost'
  | 'after'
  | 'late'
  | { readonly error: GoogleStatus; readonly message?: string; readonly reason?: string }
  | { readonly page: number }

export interface Call {
  /** The rpc of service.proto: `AccessSecretVersion`. */
  readonly op: string
  /** The resource as the caller named it: `projects/p/secrets/s/versions/3`; for list and create the parent. */
  readonly name: string
  /** Undefined for a token that is nobody's, or no longer. */
  readonly principal: string | undefined
  readonly at: number
  /** The HTTP status of the answer, given or lost; undefined while nothing was done. */
  readonly status?: number
}

export interface IncomingCall {
  readonly op: string
  readonly name: string
  readonly principal: string | undefined
  /** Counts every request from 0. */
  readonly index: number
  /** The request message of the rpc in proto3 JSON, path and query in it; empty if it cannot be read. */
  readonly input: Json
}

export interface Project {
  readonly id: string
  readonly number: string
}

export interface GoogleSecretsOptions {
  /** `keyturn-test`, number 123456789012, when not given. */
  readonly projects?: readonly Project[]
  /** When not given, the token `owner-token` is the owner of everything. */
  readonly principals?: readonly Principal[]
  /** Milliseconds since the epoch; every time, and the HTTP Date header, comes from here. */
  readonly now?: () => number
  /** May be asynchronous: a call waits, without effect, until it resolves. */
  readonly fault?: ((call: IncomingCall) => Fault | undefined | Promise<Fault | undefined>) | undefined
  /** How many items a list page has where the caller names no size: the service decides. Default 100. */
  readonly pageSize?: number
}

/** `stale`: every read gives the old state until the lag is over. A seed: each read draws whether it sees the old or the new. */
export type Staleness = 'stale' | { readonly seed: number }

/** What no caller of the API can set. */
export interface Settings {
  readonly managedRotation?: 'ACTIVE' | 'INACTIVE' | undefined
  /** Cloud KMS cannot be used: access and addVersion fail, as FAILED_PRECONDITION. */
  readonly kmsUnavailable?: boolean
}

export interface TrueVersion {
  readonly number: number
  readonly state: GoogleState
  /** As UTF-8; undefined once destroyed. */
  readonly value: string | undefined
}

export interface GoogleSecretsDouble {
  /** `http://127.0.0.1:port`, without a path. */
  readonly url: string
  readonly calls: readonly Call[]
  /** Replaces the fault hook. */
  setFault(fault: GoogleSecretsOptions['fault']): void
  /** Changes made from now on are hidden from weakly consistent reads for `lagMs`. 0: everything is visible at once. */
  setLag(lagMs: number, staleness?: Staleness): void
  /** One more bearer token of a principal, until `expiresAt` (milliseconds since the epoch) or for ever. */
  accept(token: string, principal: string, expiresAt?: number): void
  /** Replaces what a principal may do, with immediate effect; makes the principal when there is none. */
  allow(principal: string, may: Principal['may']): void
  set(name: string, settings: Settings): void
  /** Applies the calls that were taken `late`, oldest first, against the state of now; what each would have answered. */
  landLate(): readonly { readonly op: string; readonly name: string; readonly status: number }[]
  /** Every version as it truly is, oldest first: for assertions. `name`: a secret id, or `projects/…/secrets/…`. */
  versions(name: string): readonly TrueVersion[]
  /** The Secret message as it truly is, in proto3 JSON; undefined: there is none. */
  secret(name: string): Json | undefined
  close(): Promise<void>
}

/**
 * A double of Google Secret Manager v1 (REST, JSON) on 127.0.0.1, written from the vendor's protos and pages; each is named
 * beside its behaviour. Not here: IAM policies, EnableManagedRotation and RotateSecret (501), Pub/Sub messages, quotas.
 */
export async function startGoogleSecrets(options: GoogleSecretsOptions = {}): Promise<GoogleSecretsDouble> {
  const world = worldOf(options)
  const rights = rightsOf(options)
  const site: Site = { world, rights, calls: [], late: [], fault: options.fault }
  const server = createServer((request, response) => void serve(site, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: site.calls,
    setFault: (next) => {
      site.fault = next
    },
    landLate: () =>
      site.late.splice(0).map(({ call, effect }) => ({ op: call.op, name: call.name, status: done(call, effect()).status })),
    ...rightsControls(rights),
    ...stateControls(world),
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    }
  }
}

interface Site {
  readonly world: World
  readonly rights: Rights
  readonly calls: Made[]
  readonly late: { readonly call: Made; readonly effect: () => Answer }[]
  fault: GoogleSecretsOptions['fault']
}
type Made = { -readonly [K in keyof Call]: Call[K] }

async function serve(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { world, rights } = site
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const found = requestOf(request.method ?? '', url)
  const body = await textOf(request)
  // The caller went away before it had said all.
  if (body === undefined) return
  const token = rights.tokens.get(/^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '')
  const principal = token && token.expiresAt > world.now() ? token.principal : undefined
  const call: Made = { op: found?.route.op ?? 'none', name: found?.name ?? url.pathname, principal, at: world.now() }
  const index = site.calls.push(call) - 1
  if (!found) return send(response, world, done(call, NO_SUCH_PATH))
  const read = () => inputOf(found, url.searchParams, body)
  const effect = () => answerOf(world, rights, found, request.headers.authorization, read)
  const fault = await site.fault?.({ op: call.op, name: call.name, principal, index, input: attempt(read) ?? {} })
  if (fault === 'before') return void response.destroy()
  if (fault === 'late') {
    site.late.push({ call, effect })
    return void response.destroy()
  }
  const answer = done(call, typeof fault === 'object' ? faultAnswer(world, found, fault) : effect())
  if (fault === 'lost') return void response.destroy()
  send(response, world, answer)
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

function done(call: Made, answer: Answer): Answer {
  call.status = answer.status
  return answer
}

async function textOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
  } catch {
    return undefined
  }
  return Buffer.concat(chunks).toString('utf8')
}

function send(response: ServerResponse, world: World, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, Date: new Date(world.now()).toUTCString() })
  response.end(body)
}
