import type { TokenCredential } from '@azure/core-auth'
import { createHttpHeaders, createPipelineRequest } from '@azure/core-rest-pipeline'
import { type BlobSettings, blobContainer } from '../../shared/objects/azure-blob.ts'
import { clockOf, storageClient } from '../../shared/stores/azure-client.ts'
import { type Network, type ObjectsHarness, PAGE, type VendorRefusals } from '../conformance/objects-harness.ts'
import { startHttpProxy } from '../doubles/http-proxy.ts'
import { startAzurite } from '../servers/azurite.ts'
import { localIdentity } from '../servers/certificates.ts'

/** rest/api/storageservices/status-and-error-codes2. */
export const blobRefusalOf = (status: number, code: string) => ({
  status,
  headers: { 'content-type': 'application/xml', 'x-ms-error-code': code },
  body: `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>in words</Message></Error>`
})

const REFUSALS: VendorRefusals = {
  denied: blobRefusalOf(403, 'AuthorizationPermissionMismatch'),
  throttled: blobRefusalOf(503, 'ServerBusy')
}

export const containerAt = (
  url: string,
  { caPem, credential }: { readonly caPem: string; readonly credential: TokenCredential },
  more: Partial<BlobSettings> = {}
) =>
  blobContainer({
    containerUrl: url,
    credential,
    clientOptions: { tlsOptions: { ca: caPem }, retryOptions: { maxRetries: 2, retryDelayInMs: 1, maxRetryDelayInMs: 1 } },
    ...{ pageSize: PAGE, stallMs: 300, ...more }
  })

export interface AzuriteObjects extends ObjectsHarness {
  readonly network: Network
  /** What another owner of the account asks, of a blob. */
  ask(
    method: 'PUT' | 'DELETE',
    name: string,
    headers: Readonly<Record<string, string>>,
    more?: { readonly body?: Uint8Array; readonly query?: string }
  ): Promise<void>
}

export async function startAzuriteObjects(): Promise<AzuriteObjects> {
  const azurite = await startAzurite()
  const { caPem, blobUrl, account } = azurite
  const tlsOptions = { ca: caPem }
  const proxy = await startHttpProxy(new URL(blobUrl).origin, { tls: { ...(await localIdentity()), caPem } })
  const owner = storageClient(azurite.credential, { tlsOptions }, 30_000, clockOf(Date.now))
  const containerUrl = `${proxy.url}/${account}/logs`
  const ask: AzuriteObjects['ask'] = async (method, name, headers, { body = null, query = '' } = {}) => {
    const url = `${blobUrl}/logs/${name.split('/').map(encodeURIComponent).join('/')}${query}`
    const { status } = await owner(createPipelineRequest({ url, method, body, headers: createHttpHeaders({ ...headers }) }))
    if (status >= 300) throw new Error(`${method} ${url} was answered ${status}`)
  }
  await owner(createPipelineRequest({ url: `${blobUrl}/logs?restype=container`, method: 'PUT' }))
  return {
    ask,
    open: () => containerAt(containerUrl, azurite),
    nowhere: containerAt(`${proxy.url}/${account}/nowhere`, azurite),
    write: (name, body, encoding) => {
      const more = { ...(encoding && { 'x-ms-blob-content-encoding': encoding }) }
      return ask('PUT', name, { 'x-ms-blob-type': 'BlockBlob', ...more }, { body })
    },
    remove: (name) => ask('DELETE', name, {}),
    network: {
      ...{ proxy, refusals: REFUSALS },
      // A write that was answered with 503 is not sent again: azure-client.ts takes any 5xx for a lost answer.
      throttledOnce: 'throttled/archive',
      hasty: (requestTimeoutMs) =>
        containerAt(containerUrl, azurite, {
          requestTimeoutMs,
          stallMs: 60_000,
          clientOptions: { tlsOptions, retryOptions: { maxRetries: 0 } }
        })
    },
    close: async () => {
      await proxy.close()
      await azurite.close()
    }
  }
}
