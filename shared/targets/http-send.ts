import type { LookupFunction } from 'node:net'
import { publicLookup, refusePrivate } from '../address-guard.ts'
import { KeyturnError } from '../errors.ts'
import { type ApiAnswer, type ProviderApi, providerApi } from '../provider-api.ts'
import type { HttpDescription, HttpRequest } from './http-description.ts'
import type { Written } from './http-requests.ts'

export interface SendSettings {
  /**
   * Hosts, as a description names them, whose addresses may be private: an appliance inside, a test's double. `true`: all of
   * them. Default: none.
   */
  readonly allowPrivate?: boolean | readonly string[] | undefined
  /** Another place for a host of a description: a gateway of your own, a test's double. `http://` to a loopback address only. */
  readonly endpoints?: Readonly<Record<string, string>> | undefined
  /** CA certificates in PEM, in place of Node's own. */
  readonly ca?: string | undefined
  /** Default: node:dns. What it finds is asked for private addresses. */
  readonly lookup?: LookupFunction | undefined
  readonly requestTimeoutMs?: number | undefined
  /** Before a repeat. */
  readonly pausesMs?: readonly number[] | undefined
  readonly now?: (() => number) | undefined
}

/** Sends what was written to its own host; `path`, where it is not the written one, is the next page there. */
export type Send = (request: HttpRequest, message: Written, signal: AbortSignal, path?: string) => Promise<ApiAnswer>

/** One connection pool a host, so that every connection has been through the guard of its own host. */
export function sender({ name }: HttpDescription, settings: SendSettings): Send {
  const apis = new Map<string, { readonly api: ProviderApi; readonly base: string }>()
  const of = (host: string) => {
    const known = apis.get(host) ?? opened(name, host, settings)
    apis.set(host, known)
    return known
  }
  return async ({ method, repeatable }, { host, path: first, headers, body }, signal, path = first) => {
    const { api, base } = of(host)
    return api({ method, path: `${base}${below(host, path)}`, headers, body, repeatable }, signal)
  }
}

function opened(name: string, host: string, settings: SendSettings) {
  const { allowPrivate = false, endpoints = {}, lookup, ...rest } = settings
  const elsewhere = Object.hasOwn(endpoints, host) ? endpoints[host] : undefined
  const endpoint = elsewhere ?? `https://${host}`
  const isAllowed = allowPrivate === true || (allowPrivate !== false && allowPrivate.includes(host))
  const options = { allowPrivate: isAllowed, resolve: lookup }
  if (URL.canParse(endpoint)) refusePrivate(new URL(endpoint), options)
  const { ca, requestTimeoutMs, pausesMs, now } = rest
  const api = providerApi({ peer: name, endpoint, ca, lookup: publicLookup(options), requestTimeoutMs, pausesMs, now })
  return { api, base: endpoint.replace(/\/$/, '') }
}

/** A next page on another host would be given the admin's token. */
function below(host: string, path: string): string {
  if (path.startsWith('/')) return path
  const url = new URL(path)
  if (url.protocol === 'https:' && url.host === host && url.username === '') return `${url.pathname}${url.search}`
  throw new KeyturnError('denied/address', 'the next page is on another host')
}
