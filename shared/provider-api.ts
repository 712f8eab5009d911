import type { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { asKeyturnError, hasCode, KeyturnError } from './errors.ts'
import { isLoopback } from './loopback.ts'
import type { Instant, SecretText } from './types.ts'
import { neverSent, type WireSettings, wire } from './wire.ts'

export interface ProviderApiSettings {
  /** Who is called, for messages: `Microsoft Graph`. */
  readonly peer: string
  /** `https://graph.microsoft.com`; `http://` to a loopback address only. A path is kept before each request's own. */
  readonly endpoint: string
  /** Headers that authorize a request. What it throws other than KeyturnError is `denied/provider`. */
  readonly authorize?: ((signal: AbortSignal) => Promise<Readonly<Record<string, string>>>) | undefined
  readonly ca?: string | undefined
  readonly lookup?: WireSettings['lookup']
  /** How long one request may take; a write that takes longer is lost. Default 10 s. */
  readonly requestTimeoutMs?: number | undefined
  /** Before each repeat. Default 200 and 800 ms, a part of it by chance. */
  readonly pausesMs?: readonly number[] | undefined
  /** The clock where an answer has no Date header. */
  readonly now?: (() => number) | undefined
}

/** What every adapter passes on. */
export type CallSettings = Pick<ProviderApiSettings, 'ca' | 'lookup' | 'requestTimeoutMs' | 'pausesMs' | 'now'>

/** `authorize` by a token that somebody else keeps. */
export const bearer =
  (token: (signal: AbortSignal) => Promise<SecretText>): ProviderApiSettings['authorize'] =>
  async (signal) => ({ authorization: `Bearer ${(await token(signal)).reveal()}` })

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the endpoint, each segment percent-encoded; a query is part of it. Or a whole URL below the same endpoint. */
  readonly path: string
  /** Sent as JSON; a text, or bytes, as it is, under the `content-type` of `headers`. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Whether it may be sent again after a lost answer. Default: GET and DELETE may, others may not. */
  readonly repeatable?: boolean | undefined
  /** The body of a success is handed over unread. */
  readonly isStream?: boolean | undefined
}

export interface ApiAnswer {
  readonly status: number
  readonly json: unknown
  readonly isJson: boolean
  /** As it came: XML, or a word. */
  readonly text: string
  /** Of a success that was asked for as a stream: shared/wire.ts. */
  readonly body?: Readable
  readonly header: (name: string) => string | undefined
  /** The provider's clock: the Date header. */
  readonly date: Instant
}

/**
 * One call, one answer, whatever the provider decided: 2xx and 4xx are answers, and each adapter has one table from the
 * provider's codes to keyturn's. `throttled/provider` for 429 and `unavailable/provider` for 5xx or no answer, after repeats
 * where a repeat cannot do the same thing twice. Redirects are `invalid/answer`: a token must not go elsewhere.
 */
export type ProviderApi = (request: ApiRequest, signal: AbortSignal) => Promise<ApiAnswer>

const PAUSES_MS = [200, 800]
/** Lists of keys are read page by page; no page of use is bigger. */
const MOST_BYTES = 4 * 2 ** 20

/** Throws `invalid/config` for an endpoint to which a token must not go. */
export function providerApi(settings: ProviderApiSettings): ProviderApi {
  const { peer, ca, lookup, requestTimeoutMs = 10_000, pausesMs = PAUSES_MS, now = Date.now } = settings
  const base = safe(settings.endpoint, peer)
  const send = wire({ peer, unavailable: 'unavailable/provider', mostBytes: MOST_BYTES, ca, lookup, requestTimeoutMs, now })
  const once = async (request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer> => {
    const authorization = (await settings.authorize?.(signal).catch(unauthorized(peer))) ?? {}
    const { url, body, headers } = written(base, request)
    const sent = { method: request.method, url, body, headers: { ...headers, ...authorization }, isStream: request.isStream }
    const answer = await send(sent, signal)
    if (answer.status >= 300 && answer.status < 400)
      throw new KeyturnError('invalid/answer', `${peer}: a redirect is not followed`)
    return answer
  }
  const tried = async (request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer | Failure> => {
    try {
      const answer = await once(request, signal)
      const error = refusalOf(peer, answer)
      return error ? { error, askedMs: retryAfterMs(answer) } : answer
    } catch (e) {
      return { error: asKeyturnError(e), askedMs: 0 }
    }
  }
  return async (request, signal) => {
    for (let attempt = 0; ; attempt++) {
      const answer = await tried(request, signal)
      if (!('error' in answer)) return answer
      const { error, askedMs } = answer
      const pauseMs = pausesMs[attempt]
      if (pauseMs === undefined || !isRepeatable(error, request) || signal.aborted || askedMs > MOST_WAIT_MS) throw error
      const ms = Math.max(askedMs, pauseMs * (0.75 + Math.random() / 2))
      await setTimeout(ms, undefined, { signal }).catch(() => {
        throw error
      })
    }
  }
}

interface Failure {
  readonly error: KeyturnError
  /** How long the provider wants to be left alone. */
  readonly askedMs: number
}

function refusalOf(peer: string, { status }: ApiAnswer): KeyturnError | undefined {
  if (status === 429) return new KeyturnError('throttled/provider', `${peer} asked to slow down`, '429')
  if (status >= 500) return new KeyturnError('unavailable/provider', `${peer} answered ${status}`, String(status))
  return undefined
}

/** Who wants longer than this is asked again by the next run. */
const MOST_WAIT_MS = 5_000

/** RFC 9110, 10.2.3, in seconds; a date is what nobody sends here. */
function retryAfterMs({ header }: ApiAnswer): number {
  const text = header('retry-after') ?? ''
  return /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : 0
}

/** 429 says that nothing was done; so does a connection that never came about. */
function isRepeatable(e: KeyturnError, { method, repeatable = method === 'GET' || method === 'DELETE' }: ApiRequest): boolean {
  if (hasCode(e, 'throttled/provider')) return true
  return hasCode(e, 'unavailable/provider') && (repeatable || neverSent(e))
}

function written(base: URL, { path, body, headers = {} }: ApiRequest) {
  const isWhole = /^https?:\/\//.test(path)
  const url = isWhole ? new URL(path) : new URL(`${base.origin}${base.pathname.replace(/\/$/, '')}${path}`)
  if (url.origin !== base.origin)
    throw new KeyturnError('invalid/answer', `${base.host}: an address on another host is not called`)
  if (body === undefined) return { url, headers }
  const isWritten = typeof body === 'string' || body instanceof Uint8Array
  const bytes = isWritten ? body : JSON.stringify(body)
  const type = isWritten ? {} : { 'content-type': 'application/json' }
  return { url, body: bytes, headers: { ...type, ...headers, 'content-length': String(Buffer.byteLength(bytes)) } }
}

const unauthorized = (peer: string) => (e: unknown) => {
  if (e instanceof KeyturnError) throw e
  throw new KeyturnError('denied/provider', `no token for ${peer}`, e instanceof Error ? e.name : typeof e)
}

/** Without TLS to this machine only, where a proxy or a test is. */
function safe(endpoint: string, peer: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (
    url &&
    url.search === '' &&
    url.username === '' &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url)))
  )
    return url
  throw new KeyturnError('invalid/config', `the endpoint of ${peer} must be an https URL without a query`)
}
