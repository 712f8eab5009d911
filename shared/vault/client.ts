import { hasCode, KeyturnError } from '../errors.ts'
import type { Instant, SecretText } from '../types.ts'
import { type ClientCertificate, type Wire, type WireAnswer, wire } from '../wire.ts'
import { VAULT_WIRE, vaultAddress } from './address.ts'
import { type Consistency, consistency } from './consistency.ts'
import { isHeader, type VaultLogin, type VaultPost, type VaultToken } from './login.ts'
import { PAUSES_MS, repeated } from './repeat.ts'
import { type Held, type Session, session } from './session.ts'

export interface VaultSettings {
  /** `https://…`, with a path where a proxy needs one; `http://` only to a loopback address. */
  readonly address: string
  /** X-Vault-Namespace: Vault Enterprise, HCP, and OpenBao since 2.3. The login is made in it too. */
  readonly namespace?: string | undefined
  readonly login: VaultLogin
  /** CA certificates in PEM, instead of Node's own store. TLS is always verified. */
  readonly ca?: string | undefined
  /** For the login `cert`, or a proxy in front that asks for one. */
  readonly clientCertificate?: ClientCertificate | undefined
  /** How long one request may take. Default 10 s: a write that takes longer is lost. */
  readonly requestTimeoutMs?: number | undefined
  /** How long to wait before each repeat, about. Default 100, 300 and 900 ms. */
  readonly pausesMs?: readonly number[] | undefined
  /** The clock where an answer has no Date header. Default: the machine's. */
  readonly now?: (() => number) | undefined
}

export interface VaultRequest {
  /** LIST is sent as GET with `list=true`, which is the same to Vault and known to every proxy (api-docs, "API operations"). */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'LIST' | 'DELETE'
  /** Below /v1, each segment percent-encoded, such as `secret/data/app%20one`. A query is part of it. */
  readonly path: string
  readonly body?: unknown
  /** Default application/json. PATCH of KV v2: application/merge-patch+json. */
  readonly contentType?: string
  /** Whether it may be sent again after a lost answer. Default: GET and LIST may, others may not. */
  readonly repeatable?: boolean
}

export interface VaultAnswer {
  /** 2xx, or 404. */
  readonly status: number
  /** Parsed JSON; undefined where there is none (204). A 404 of KV v2 has `data.metadata` where the version was deleted. */
  readonly body: unknown
  /** The server's clock: the Date header, in whole seconds. */
  readonly date: Instant
}

export interface VaultClient {
  /**
   * One call. Answers 2xx, and the 404 by which Vault says that there is nothing. All else is thrown:
   * `conflict/current-moved` for a check-and-set that failed (`conflict/metadata-changed` for OpenBao's metadata_cas),
   * `denied/store` for 403, `invalid/request` for any other 400 (vendor `invalid accessor` for that one),
   * `invalid/config` where nothing is mounted or no such namespace is, `unavailable/sealed`, `throttled/store`,
   * `unavailable/store`. What cannot have had an effect is sent again within the signal; a lost answer of a write is
   * `unavailable/store` at once: whoever gets it looks.
   */
  call(request: VaultRequest, signal: AbortSignal): Promise<VaultAnswer>
  /** Revokes the tokens that this client logged in for; batch tokens end by themselves. Never throws. A later call logs in again. */
  end(signal: AbortSignal): Promise<void>
}

/** A client of Vault's or OpenBao's HTTP API. Throws `invalid/config`. Nothing is sent before the first call. */
export function vaultClient(settings: VaultSettings): VaultClient {
  if (settings.login.name === 'cert' && !settings.clientCertificate)
    throw new KeyturnError('invalid/config', 'the Vault login cert needs a client certificate')
  const line = lineTo(settings)
  const post: VaultPost = async ({ path, body, token }, signal) =>
    (await line({ method: 'POST', path, body }, token, signal)).body
  const tokens = session(settings.login, post, 3 * (settings.requestTimeoutMs ?? REQUEST_TIMEOUT_MS))
  return {
    call: (request, signal) => callWith(line, tokens, request, signal),
    end: async (signal) => {
      const ended = (await tokens.end(signal)).filter(({ borrowed, accessor }) => !borrowed && accessor !== undefined)
      const revoke = ({ token }: VaultToken) => line({ ...REVOKE_SELF, repeatable: true }, token, signal)
      await Promise.allSettled(ended.map(revoke))
    }
  }
}

const REQUEST_TIMEOUT_MS = 10_000

/** developer.hashicorp.com/vault/api-docs/auth/token, "Revoke a token (self)" and "Lookup a token (self)". */
const REVOKE_SELF = { method: 'POST', path: 'auth/token/revoke-self' } as const
const LOOKUP_SELF = { method: 'GET', path: 'auth/token/lookup-self' } as const

type Line = (request: VaultRequest, token: SecretText | undefined, signal: AbortSignal) => Promise<VaultAnswer>

/**
 * 403 means that the token may not, or that there is no such token any more, and only Vault's newer versions say which.
 * So the token is looked up before a login is spent on it. What was denied did not happen, and may be sent again.
 */
async function callWith(line: Line, tokens: Session, request: VaultRequest, signal: AbortSignal): Promise<VaultAnswer> {
  const asked = performance.now()
  const held = await tokens.held(signal)
  try {
    return await line(request, held.token.token, signal)
  } catch (e) {
    if (!hasCode(e, 'denied/store') || held.sinceMs >= asked || (await isAlive(line, held, signal))) throw e
    tokens.drop(held)
    return line(request, (await tokens.held(signal)).token.token, signal)
  }
}

/** The policy `default` lets every token look itself up; one without it counts as dead, and costs a login more. */
async function isAlive(line: Line, { token }: Held, signal: AbortSignal): Promise<boolean> {
  if (token.borrowed) return true
  try {
    await line(LOOKUP_SELF, token.token, signal)
    return true
  } catch (e) {
    if (hasCode(e, 'denied/store')) return false
    throw e
  }
}

function lineTo(settings: VaultSettings): Line {
  const { namespace, requestTimeoutMs = REQUEST_TIMEOUT_MS, pausesMs = PAUSES_MS, now = Date.now } = settings
  const base = vaultAddress(settings.address)
  if (namespace !== undefined && !isHeader(namespace))
    throw new KeyturnError('invalid/config', 'the Vault namespace has characters that no header can carry')
  const send = wire({ ...VAULT_WIRE, ca: settings.ca, clientCertificate: settings.clientCertificate, requestTimeoutMs, now })
  const state = consistency()
  return async (request, token, signal) => {
    const { method, path, repeatable = isRead(method) } = request
    const what = `Vault ${method} ${path}`
    const url = urlOf(base, request, what)
    const once = () => sendOnce(send, state, { ...request, url, token, namespace }, signal)
    const answer = await repeated({ what, repeatable, pausesMs }, once, signal)
    return { status: answer.status, body: answer.json, date: answer.date }
  }
}

type Addressed = VaultRequest & {
  readonly url: URL
  readonly token: SecretText | undefined
  readonly namespace: string | undefined
}

async function sendOnce(send: Wire, state: Consistency, request: Addressed, signal: AbortSignal): Promise<WireAnswer> {
  const { method, url, token, namespace, body, contentType = 'application/json' } = request
  const required = state.required()
  const headers = {
    // api-docs, "The X-Vault-Request header": an agent or proxy may insist on it.
    'X-Vault-Request': 'true',
    Accept: 'application/json',
    ...(token && { 'X-Vault-Token': token.reveal() }),
    ...(namespace !== undefined && { 'X-Vault-Namespace': namespace }),
    ...(required !== undefined && { 'X-Vault-Index': required }),
    ...(body !== undefined && { 'Content-Type': contentType })
  }
  const text = body === undefined ? undefined : JSON.stringify(body)
  const answer = await send({ method: method === 'LIST' ? 'GET' : method, url, headers, body: text }, signal)
  // OpenBao answers reads with one too; only what we wrote has to be seen.
  if (!isRead(method)) state.wrote(answer.header('x-vault-index'))
  return answer
}

const isRead = (method: VaultRequest['method']): boolean => method === 'GET' || method === 'LIST'

function urlOf(base: URL, { method, path }: VaultRequest, what: string): URL {
  if (!isHeader(path) || NO_PATH.test(path))
    throw new KeyturnError('invalid/request', `${what}: the path is not one below /v1, percent-encoded`)
  const list = method === 'LIST' ? `${path.includes('?') ? '&' : '?'}list=true` : ''
  return new URL(`${base.href}v1/${path}${list}`)
}

/** What a URL would read as another path: an empty or dotted first segment, a way up, a fragment, a backslash. */
const NO_PATH = /^\/|(^|\/)(\.|%2e){1,2}(\/|\?|$)|#|\\/i
