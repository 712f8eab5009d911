import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Readable } from 'node:stream'
import { createSecureContext, type SecureContext } from 'node:tls'
import { type Code, KeyturnError } from './errors.ts'
import { type Instant, instant, instantIn, type SecretText } from './types.ts'

export interface ClientCertificate {
  /** PEM, with the intermediate certificates after it. */
  readonly cert: string
  /** PEM, without a passphrase. */
  readonly key: SecretText
}

export interface WireSettings {
  /** CA certificates in PEM, instead of Node's own store. */
  readonly ca?: string | undefined
  readonly clientCertificate?: ClientCertificate | undefined
  readonly requestTimeoutMs: number
  /** The clock where an answer has no Date header. */
  readonly now: () => number
  /** Who is at the other end, for messages. */
  readonly peer: string
  /** What no answer is called. */
  readonly unavailable: Code
  /** Resolves names in place of node:dns: whoever must not be called by any name is refused here, at each connection. */
  readonly lookup?: LookupFunction | undefined
  /** The longest answer that is read. */
  readonly mostBytes: number
}

export interface WireRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | undefined
  /** The body of a success is handed over unread, and only its head has to come within the timeout. */
  readonly isStream?: boolean | undefined
}

export interface WireAnswer {
  readonly status: number
  readonly header: (name: string) => string | undefined
  /** Parsed; undefined where the answer is empty. */
  readonly json: unknown
  /** False for a page of a proxy's: what it says is not what the service says. */
  readonly isJson: boolean
  /** As it came: XML, or a word. */
  readonly text: string
  /** Of a success that was asked for as a stream, as it comes: not decompressed. Whoever has it reads it to its end or destroys it. */
  readonly body?: Readable
  readonly date: Instant
}

/** One request, one answer, whatever its status. Redirects are answers. Fails with `unavailable/…` as the settings name it, `invalid/tls`,
 * or what `lookup` throws. */
export type Wire = (request: WireRequest, signal: AbortSignal) => Promise<WireAnswer>

/**
 * HTTP by node:https, because a fetch takes a CA and a client certificate only from a dispatcher of undici's, which Node
 * does not export. Throws `invalid/config` where the certificate and the key do not go together.
 */
export function wire(settings: WireSettings): Wire {
  const { agentOf, begin } = connections(contextOf(settings), settings.lookup)
  return async (request, signal) => {
    const isTls = request.url.protocol === 'https:'
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), settings.requestTimeoutMs)
    let end: (() => void) | undefined = begin()
    try {
      const limit = AbortSignal.any([signal, late.signal])
      const options = { method: request.method, headers: request.headers, signal: limit, agent: agentOf(isTls) }
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const sent = (isTls ? httpsRequest : httpRequest)(request.url, options, resolve)
        // Every error has a listener, those after the answer began too: one without ends the process.
        sent.on('error', reject).end(request.body)
      })
      if (!request.isStream || !isSuccess(response)) return answerOf(response, await textOf(response, settings), settings.now)
      response.once('close', end)
      end = undefined
      return { ...answerOf(response, '', settings.now), body: response }
    } catch (e) {
      throw e instanceof KeyturnError ? e : connectionError(e, request.url.host, settings.unavailable)
    } finally {
      clearTimeout(timer)
      end?.()
    }
  }
}

const isSuccess = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode < 300

/** Errors of Node's before a byte of the request was on its way: it cannot have had an effect. */
export const neverSent = ({ vendor = '' }: KeyturnError): boolean =>
  ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(vendor)

/** Names of OpenSSL's and Node's for a peer that is not trusted, or speaks no TLS (nodejs.org/api/tls.html, X509 certificate error codes). */
const TLS = /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA$|HOSTNAME_MISMATCH$|EPROTO$)/

function connectionError(e: unknown, host: string, unavailable: Code): KeyturnError {
  const { code, name } = e as { code?: unknown; name?: unknown }
  const vendor = String(code ?? name ?? typeof e)
  if (TLS.test(vendor))
    return new KeyturnError('invalid/tls', `${host}: no TLS connection that can be trusted (${vendor})`, vendor)
  return new KeyturnError(unavailable, `${host}: no answer, or none that tells (${vendor})`, vendor)
}

function contextOf({ ca, clientCertificate, peer }: WireSettings): SecureContext {
  try {
    const identity = clientCertificate && { cert: clientCertificate.cert, key: clientCertificate.key.reveal() }
    return createSecureContext({ ...(ca !== undefined && { ca }), ...identity })
  } catch {
    throw new KeyturnError('invalid/config', `${peer}: the CA, the client certificate or its key is no PEM, or they do not match`)
  }
}

/** A connection that was idle for so long may have been closed by whoever is between: load balancers wait a minute at least. */
const IDLE_MS = 10_000

/**
 * Connections are kept for the next request. `timeout` closes idle ones while the process runs; a function that was
 * frozen finds them dead without having seen it, so they are thrown away after a pause by the wall clock.
 */
function connections(secureContext: SecureContext, lookup: LookupFunction | undefined) {
  const keep = { keepAlive: true, timeout: IDLE_MS, ...(lookup && { lookup }) }
  // Said outright: NODE_TLS_REJECT_UNAUTHORIZED=0 changes only what is not said.
  const tls = { ...keep, secureContext, rejectUnauthorized: true }
  let agents: { readonly https: HttpsAgent; readonly http: HttpAgent } | undefined
  let sending = 0
  let lastAt = 0
  const fresh = () => ({ https: new HttpsAgent(tls), http: new HttpAgent(keep) })
  return {
    agentOf: (isTls: boolean): HttpAgent => {
      if (sending === 1 && Date.now() - lastAt > IDLE_MS) {
        agents?.https.destroy()
        agents?.http.destroy()
        agents = undefined
      }
      agents ??= fresh()
      return isTls ? agents.https : agents.http
    },
    begin: () => {
      sending += 1
      return (): void => {
        sending -= 1
        lastAt = Date.now()
      }
    }
  }
}

async function textOf(response: IncomingMessage, { mostBytes, peer, unavailable }: WireSettings): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > mostBytes) throw new KeyturnError(unavailable, `${peer}: an answer of more than ${mostBytes} bytes`, 'too big')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function answerOf({ statusCode = 0, headers }: IncomingMessage, text: string, now: () => number): WireAnswer {
  const header = (name: string): string | undefined => {
    const value = headers[name]
    return Array.isArray(value) ? value[0] : value
  }
  return { status: statusCode, header, text, ...parsed(text), date: instantIn(header('date')) ?? instant(now()) }
}

function parsed(text: string): Pick<WireAnswer, 'json' | 'isJson'> {
  if (text === '') return { json: undefined, isJson: true }
  try {
    return { json: JSON.parse(text) as unknown, isJson: true }
  } catch {
    return { json: undefined, isJson: false }
  }
}
