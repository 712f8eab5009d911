import { KeyturnError } from '../errors.ts'
import { guardedApi, isAmong } from '../guarded-api.ts'
import type { ApiAnswer, CallSettings, ProviderApi } from '../provider-api.ts'
import { entryOf } from '../table.ts'
import type { HttpDescription, HttpRequest } from './http-description.ts'
import type { Written } from './http-requests.ts'

export interface SendSettings extends CallSettings {
  /**
   * Hosts, as a description names them, whose addresses may be private: an appliance inside, a test's double. `true`: all of
   * them. Default: none.
   */
  readonly allowPrivate?: boolean | readonly string[] | undefined
  /** Another place for a host of a description: a gateway of your own, a test's double. `http://` to a loopback address only. */
  readonly endpoints?: Readonly<Record<string, string>> | undefined
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
  const { allowPrivate = false, endpoints = {}, ca, lookup, requestTimeoutMs, pausesMs, now } = settings
  const endpoint = entryOf(endpoints, host) ?? `https://${host}`
  const calls = { ca, lookup, requestTimeoutMs, pausesMs, now }
  const api = guardedApi({ ...calls, peer: name, endpoint, allowPrivate: isAmong(allowPrivate, host) })
  return { api, base: endpoint.replace(/\/$/, '') }
}

/** A next page on another host would be given the admin's token. */
function below(host: string, path: string): string {
  if (path.startsWith('/')) return path
  const url = new URL(path)
  if (url.protocol === 'https:' && url.host === host && url.username === '') return `${url.pathname}${url.search}`
  throw new KeyturnError('denied/address', 'the next page is on another host')
}
