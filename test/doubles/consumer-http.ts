import { type HttpHookSettings, httpHook } from '../../shared/consumers/http.ts'
import { localIdentity, sharedAuthority } from '../servers/certificates.ts'
import { type ConsumerHarness, type SeenDouble, startSeen } from './consumer-suite.ts'

export interface HookHarness extends ConsumerHarness {
  readonly double: SeenDouble
  /** `127.0.0.1:8443`. */
  readonly host: string
  readonly settings: HttpHookSettings
  hookWith(settings: Partial<HttpHookSettings>): ConsumerHarness['restart']
}

/** A receiver of the news over TLS, by the tests’ own authority. */
export async function startHook(): Promise<HookHarness> {
  const double = await startSeen({
    routes: [{ op: 'news', method: 'POST', path: /^\/(?:hooks\/orders|)$/, answer: () => ({ status: 202 }) }],
    unknown: { status: 404, body: { error: 'no such hook' } },
    tls: await localIdentity()
  })
  const { host } = new URL(double.url)
  const settings = { hosts: [host], allowPrivate: true, ca: (await sharedAuthority()).caPem, pausesMs: [0] }
  const hookWith = (more: Partial<HttpHookSettings>) => httpHook({ ...settings, ...more })
  return {
    double,
    host,
    settings,
    hookWith,
    restart: hookWith({}),
    consumer: { kind: 'http', name: `https://${host}/hooks/orders` },
    missing: { consumer: { kind: 'http', name: `https://${host}/hooks/gone` }, code: 'denied/provider' },
    malformed: [
      `http://${host}/hooks/orders`,
      `https://user:word@${host}/`,
      `https://${host}/?code=x`,
      `https://${host}/#x`,
      '//x'
    ],
    denied: { answer: { status: 403, body: { error: 'forbidden' } }, names: /403/ },
    throttled: { status: 429, headers: { 'Retry-After': '1' } },
    restarts: () => double.seen.length,
    stop: double.close
  }
}
