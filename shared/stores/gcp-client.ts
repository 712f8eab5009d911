import { setTimeout as pause } from 'node:timers/promises'
import { hasCode, KeyturnError } from '../errors.ts'
import { isLoopback } from '../loopback.ts'
import { type Instant, instant, instantIn } from '../types.ts'
import { type Op, type Refusal, refused, unanswered, unauthorized } from './gcp-errors.ts'

export interface GcpClientSettings {
  /** Default: `https://secretmanager.googleapis.com`, and for a regional secret its location's own. */
  readonly endpoint?: string | undefined
  /** The headers that authorize a request: google-auth-library's `getRequestHeaders()`, which keeps the token. */
  readonly authorize: (signal: AbortSignal) => Promise<Headers>
  /** How long one request may take; a write that takes longer is lost. Default 5 s. */
  readonly requestTimeoutMs?: number | undefined
  /** How often one call is sent at most. Default 4. */
  readonly maxAttempts?: number | undefined
  /** The clock where an answer has no Date header. Default: the machine's. */
  readonly now?: (() => number) | undefined
}

export interface Request {
  readonly op: Op
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** Below `/v1/`, with the query. */
  readonly path: string
  readonly body?: object | undefined
  readonly location: string | undefined
  /** The resource, for messages. */
  readonly about: string
  /** `never`: not even after an answer that says that nothing was done. */
  readonly repeat?: 'never' | undefined
}

export interface Answer {
  readonly body: Readonly<Record<string, unknown>>
  /** The service's own clock: the Date header (RFC 9110, 6.6.1; whole seconds). */
  readonly date: Instant
}

export interface GcpClient {
  readonly requestTimeoutMs: number
  /** Throws KeyturnError; see gcp-errors.ts. */
  send(request: Request, signal: AbortSignal): Promise<Answer>
}

const DEFAULT_TIMEOUT_MS = 5_000
const FIRST_PAUSE_MS = 100

/**
 * docs/quotas: two writes a second and global secret. Three such pauses are 2.8 s at least, so that a call outlasts the
 * second that is used up and the next; a part of it by chance, so that many functions do not come back at once.
 */
export const throttledPauseMs = (attempt: number): number => 400 * 2 ** (attempt - 1) * (1 + Math.random() / 2)
const silentPauseMs = (attempt: number): number => FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random())

/**
 * Requests of Secret Manager's REST API (v1), by node's fetch. Reads are repeated when they were throttled or not
 * answered; writes only after RESOURCE_EXHAUSTED, which says that nothing was done: an answer that never came may follow
 * a write that was. Throws `invalid/config` for an endpoint to which a token must not go.
 */
export function gcpClient(settings: GcpClientSettings): GcpClient {
  const { requestTimeoutMs = DEFAULT_TIMEOUT_MS, maxAttempts = 4 } = settings
  const endpoint = settings.endpoint === undefined ? undefined : safe(settings.endpoint)
  return {
    requestTimeoutMs,
    async send(request, signal) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await once({ ...settings, endpoint, requestTimeoutMs }, request, signal)
        } catch (e) {
          if (attempt >= maxAttempts || !isRepeatable(e, request) || signal.aborted) throw e
          const ms = hasCode(e, 'throttled/store') ? throttledPauseMs(attempt) : silentPauseMs(attempt)
          await pause(ms, undefined, { signal }).catch(() => {
            throw e
          })
        }
      }
    }
  }
}

function isRepeatable(e: unknown, { method, repeat }: Request): boolean {
  if (repeat === 'never') return false
  return hasCode(e, 'throttled/store') || (method === 'GET' && hasCode(e, 'unavailable/store'))
}

/** docs/regional-secrets: a location's secrets are served by its own endpoint alone. */
const hostOf = (location: string | undefined): string =>
  location === undefined ? 'https://secretmanager.googleapis.com' : `https://secretmanager.${location}.rep.googleapis.com`

/** Without TLS to this machine only, where a proxy or a test is. */
function safe(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  const isHere = url?.protocol === 'http:' && isLoopback(url)
  if (url === undefined || !(url.protocol === 'https:' || isHere) || url.pathname !== '/' || url.search !== '')
    throw new KeyturnError('invalid/config', 'the endpoint must read like https://secretmanager.googleapis.com')
  return url.origin
}

async function once(settings: GcpClientSettings & { requestTimeoutMs: number }, request: Request, outer: AbortSignal) {
  const { op, about } = request
  const signal = AbortSignal.any([outer, AbortSignal.timeout(settings.requestTimeoutMs)])
  if (signal.aborted) throw unanswered(op, about)
  const headers = await authorization(settings, about, signal)
  const body = request.body && JSON.stringify(request.body)
  if (body !== undefined) headers.set('content-type', 'application/json')
  const url = `${settings.endpoint ?? hostOf(request.location)}/v1/${request.path}`
  let answer: Response
  let text: string
  try {
    // A redirect would carry the token to another address.
    answer = await fetch(url, { method: request.method, headers, signal, redirect: 'error', ...(body && { body }) })
    text = await answer.text()
  } catch {
    throw unanswered(op, about)
  }
  const found = objectIn(text)
  if (!answer.ok) throw refused(op, about, answer.status, refusalIn(found))
  if (found === undefined) throw unanswered(op, about)
  return { body: found, date: instantIn(answer.headers.get('date')) ?? instant((settings.now ?? Date.now)()) }
}

/** The library takes no signal; it is not waited for when the time is over. */
async function authorization({ authorize }: GcpClientSettings, about: string, signal: AbortSignal): Promise<Headers> {
  const over = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
  try {
    return new Headers(await Promise.race([authorize(signal), over]))
  } catch (e) {
    throw unauthorized(e, about)
  }
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const found: unknown = JSON.parse(text)
    return typeof found === 'object' && found !== null ? (found as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

function refusalIn(body: Readonly<Record<string, unknown>> | undefined): Refusal {
  const { status, details } = (body?.error ?? {}) as { status?: unknown; details?: unknown }
  const reasons = Array.isArray(details) ? details.map((d: { reason?: unknown } | null) => d?.reason) : []
  const reason = reasons.find((r) => typeof r === 'string')
  return { status: typeof status === 'string' ? status : undefined, reason }
}
