import { type GcsSettings, storageBucket } from '../../shared/objects/gcp-storage.ts'
import { type ObjectsHarness, PAGE, type VendorRefusals } from '../conformance/objects-harness.ts'
import { startGoogleStorage } from '../doubles/google-storage.ts'
import { startHttpProxy } from '../doubles/http-proxy.ts'

/** storage/docs/json_api/v1/status-codes, Error Response Format. */
export const gcsRefusalOf = (status: number, reason: string) => ({
  status,
  headers: { 'content-type': 'application/json; charset=UTF-8' },
  body: JSON.stringify({
    error: { errors: [{ domain: 'global', reason, message: 'in words' }], code: status, message: 'in words' }
  })
})

const REFUSALS: VendorRefusals = {
  denied: gcsRefusalOf(403, 'forbidden'),
  throttled: gcsRefusalOf(429, 'rateLimitExceeded')
}

export const storageAt = (endpoint: string, more: Partial<GcsSettings> = {}) =>
  storageBucket({
    bucket: 'logs',
    endpoint,
    authorize: async () => new Headers({ authorization: 'Bearer token' }),
    ...{ pageSize: PAGE, stallMs: 300, pausesMs: [1, 1], ...more }
  })

export async function startGoogleObjects(): Promise<ObjectsHarness> {
  const google = await startGoogleStorage('logs')
  const proxy = await startHttpProxy(google.url)
  return {
    open: () => storageAt(proxy.url),
    nowhere: storageAt(proxy.url, { bucket: 'nowhere' }),
    write: async (...a) => google.write(...a),
    remove: async (name) => google.remove(name),
    network: {
      proxy,
      refusals: REFUSALS,
      throttledOnce: undefined,
      hasty: (requestTimeoutMs) => storageAt(proxy.url, { requestTimeoutMs, stallMs: 60_000, pausesMs: [] })
    },
    close: async () => {
      await proxy.close()
      await google.close()
    }
  }
}
