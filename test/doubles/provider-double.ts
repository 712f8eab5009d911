import type { IncomingHttpHeaders } from 'node:http'
import { type FaultyOptions, type ProviderAnswer, type ProviderDouble, startFaulty } from './faulty-server.ts'

export type { FaultHook, ProviderAnswer, ProviderCall, ProviderDouble, ProviderFault } from './faulty-server.ts'

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

export interface ProviderDoubleOptions {
  readonly routes: readonly Route[]
  /** What the vendor answers to a path that it does not know. */
  readonly unknown: ProviderAnswer
  /** It speaks TLS. */
  readonly tls?: FaultyOptions<unknown>['tls']
}

/** A provider over HTTP on 127.0.0.1: what one vendor answers is in its routes, with the page that each is taken from. */
export const startProvider = ({ routes, unknown, tls }: ProviderDoubleOptions): Promise<ProviderDouble> =>
  startFaulty({
    read: ({ method = '', headers, url = '/' }, text) => {
      const asked = new URL(url, 'http://127.0.0.1')
      const route = routes.find((one) => one.method === method && one.path.test(asked.pathname))
      return { route, asked, headers, text }
    },
    opOf: ({ route }) => route?.op ?? 'unknown',
    answer: ({ route, asked: url, headers, text }, now) => {
      if (!route) return unknown
      const params = (route.path.exec(url.pathname) ?? []).slice(1).map((part) => decodeURIComponent(part ?? ''))
      return route.answer({ url, params, headers, text, json: objectIn(text), now })
    },
    textType: 'text/plain',
    isDateGiven: false,
    tls
  })

/** The user and the password of Basic authentication. */
export const basicOf = ({ headers }: ProviderRequest): readonly string[] =>
  Buffer.from((headers.authorization ?? '').replace(/^Basic /, ''), 'base64')
    .toString('utf8')
    .split(':')

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(text)
    return typeof found === 'object' && found !== null ? (found as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}
