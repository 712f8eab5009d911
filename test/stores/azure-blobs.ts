import type { TokenCredential } from '@azure/core-auth'
import {
  createDefaultHttpClient,
  type HttpClient,
  type PipelineRequest,
  type PipelineResponse,
  RestError
} from '@azure/core-rest-pipeline'
import { azureCredential } from '../doubles/azure-credential.ts'
import { findAzurite, startAzurite } from '../servers/azurite.ts'
import { sharedAuthority } from '../servers/certificates.ts'
import { askHttps } from '../servers/cloud-https.ts'
import { startBlobDouble } from './azure-blob-double.ts'

/** A blob container for journals. */
export interface Blobs {
  readonly containerUrl: string
  readonly caPem: string
  readonly credential: TokenCredential
  /** Moves Azure Storage's clock forward: leases end, and what was written gets older. */
  advance(byMs: number): Promise<void>
  /** What another owner of the account can do with the journal of a vault's secret. */
  of(vaultHost: string, name: string): JournalBlob
  close(): Promise<void>
}

export interface JournalBlob {
  read(): Promise<string>
  write(text: string): Promise<void>
  /** lease-blob, action break. */
  breakLease(): Promise<void>
}

const CONTAINER = 'journal'

export async function startBlobs(): Promise<Blobs & { deny(principal: string, denied: boolean): void }> {
  const double = await startBlobDouble([CONTAINER])
  const { caPem } = await sharedAuthority()
  const place = { containerUrl: `${double.url}/${CONTAINER}`, caPem, credential: azureCredential('keyturn') }
  return {
    ...place,
    deny: double.deny,
    advance: async (byMs) => double.advance(byMs),
    of: (vaultHost, name) => journalBlob(place, vaultHost, name),
    close: double.close
  }
}

export async function startAzuriteBlobs(): Promise<Blobs> {
  const { blobUrl, caPem, credential, advance, close } = await startAzurite()
  const place = { containerUrl: `${blobUrl}/${CONTAINER}`, caPem, credential }
  await asked(place, 'PUT', `${place.containerUrl}?restype=container`, {})
  return { ...place, advance, of: (vaultHost, name) => journalBlob(place, vaultHost, name), close }
}

/** Every container that there is here; what is missing is said among what the run left out. */
export const EVERY_BLOBS: readonly (readonly [name: string, start: () => Promise<Blobs>])[] = [
  ['the double', startBlobs],
  ...(findAzurite() === undefined ? [] : [['Azurite', startAzuriteBlobs] as const])
]

type Place = Pick<Blobs, 'containerUrl' | 'caPem' | 'credential'>

async function asked(
  { caPem, credential }: Place,
  method: string,
  url: string,
  headers: Record<string, string>,
  body?: string
): Promise<string> {
  const token = await credential.getToken('https://storage.azure.com/.default')
  const sent = { authorization: `Bearer ${token?.token}`, 'x-ms-version': '2021-12-02', ...headers }
  const answer = await askHttps({ method, url, headers: sent, caPem, ...(body !== undefined && { body }) })
  if (answer.status >= 300) throw new Error(`${url} answered ${answer.status}`)
  return answer.text
}

function journalBlob(place: Place, vaultHost: string, name: string): JournalBlob {
  const url = `${place.containerUrl}/${encodeURIComponent(vaultHost)}/${name}.json`
  const breaking = { 'x-ms-lease-action': 'break', 'x-ms-lease-break-period': '0' }
  return {
    read: () => asked(place, 'GET', url, {}),
    write: async (text) => void (await asked(place, 'PUT', url, { 'x-ms-blob-type': 'BlockBlob' }, text)),
    breakLease: async () => void (await asked(place, 'PUT', `${url}?comp=lease`, breaking))
  }
}

/** One call to Azure Storage, and whose journal it is. */
export interface BlobCall {
  readonly op: 'read' | 'write' | 'acquire' | 'release'
  readonly name: string
}

/** `before`: nothing was sent. `lost`: it was done, and nobody hears of it. */
export type BlobFault = (
  call: BlobCall
) => Promise<'before' | 'lost' | 'after' | undefined> | 'before' | 'lost' | 'after' | undefined

/** The client that comes with the pipeline, with a bad network in between. */
export function faultyHttp(fault: BlobFault): HttpClient {
  const real = createDefaultHttpClient()
  return {
    sendRequest: async (request): Promise<PipelineResponse> => {
      const fate = await fault(callOf(request))
      const broken = (): RestError => new RestError('the connection broke', { code: 'ECONNRESET', request })
      if (fate === 'before') throw broken()
      const answer = await real.sendRequest(request)
      if (fate === 'lost') throw broken()
      return answer
    }
  }
}

function callOf({ method, url, headers }: PipelineRequest): BlobCall {
  const [, name = ''] = /\/([^/]+)\.json/.exec(new URL(url).pathname) ?? []
  const action = headers.get('x-ms-lease-action')
  if (action === 'acquire' || action === 'release') return { op: action, name }
  return { op: method === 'GET' ? 'read' : 'write', name }
}
