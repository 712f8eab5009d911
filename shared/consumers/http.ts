import { KeyturnError } from '../errors.ts'
import { guardedApi, isAmong } from '../guarded-api.ts'
import type { Consumers } from '../ports/consumers.ts'
import type { CallSettings, ProviderApi } from '../provider-api.ts'
import { partsOf } from '../restart.ts'

export interface HttpHookSettings extends CallSettings {
  /**
   * KEYTURN_RESTART_HOSTS: `hooks.example.com`, or `hooks.example.com:8443`. Whoever may write a secret’s metadata names the
   * URL, and this function calls it from inside a network: so the deployment says which hosts. Empty: none.
   */
  readonly hosts: readonly string[]
  /** Hosts whose addresses may be private, with or without their port. `true`: all of them. Default: none. */
  readonly allowPrivate?: boolean | readonly string[] | undefined
}

/**
 * Posts the news, and takes 2xx for “accepted”. The receiver gets names, and nothing that opens anything: it reads the store
 * itself. Nothing proves who called; a receiver that restarts somebody for a stranger’s call should ask the store first.
 */
export function httpHook(settings: HttpHookSettings): Consumers['restart'] {
  const allowed = new Set(settings.hosts.map(hostIn))
  const apis = new Map<string, ProviderApi>()
  const apiOf = (url: URL): ProviderApi => {
    const known = apis.get(url.host) ?? opened(url, settings)
    apis.set(url.host, known)
    return known
  }
  return async (consumer, { secret, version }, signal) => {
    const url = new URL(partsOf(consumer).join())
    if (!allowed.has(url.host)) throw notAllowed(url.host)
    const body = { event: 'promoted', secret, version }
    // Sent again after a lost answer: who was restarted already is restarted again, which harms nobody.
    const { status } = await apiOf(url)({ method: 'POST', path: url.pathname, body, repeatable: true }, signal)
    if (status >= 400) throw new KeyturnError('denied/provider', `${url.host} refused the news with ${status}`, String(status))
  }
}

/** One pool of connections a host: each of them has been through the guard of its own host. */
function opened(url: URL, settings: HttpHookSettings): ProviderApi {
  const { hosts: _, allowPrivate = false, ...rest } = settings
  const isAllowed = isAmong(allowPrivate, url.host, url.hostname)
  return guardedApi({ ...rest, peer: url.host, endpoint: url.origin, allowPrivate: isAllowed })
}

const notAllowed = (host: string): KeyturnError =>
  new KeyturnError('denied/address', `${host} is not among the hosts that may be called: KEYTURN_RESTART_HOSTS`)

/** As URL writes it: in lower case, without the port 443. Throws `invalid/config`. */
function hostIn(entry: string): string {
  const url = URL.canParse(`https://${entry}`) ? new URL(`https://${entry}`) : undefined
  if (url && /^[\w.:[\]-]+$/.test(entry)) return url.host
  throw new KeyturnError('invalid/config', 'KEYTURN_RESTART_HOSTS must hold host names, each with a port where it is not 443')
}
