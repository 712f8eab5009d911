import type { Readable } from 'node:stream'
import type { TokenCredential } from '@azure/core-auth'
import { createHttpHeaders, createPipelineRequest, type PipelineResponse } from '@azure/core-rest-pipeline'
import { KeyturnError } from '../errors.ts'
import type { ObjectFacts, Objects } from '../ports/objects.ts'
import { clockOf, type JournalClientOptions, type Send, storageClient } from '../stores/azure-client.ts'
import { containerAddress } from '../stores/azure-names.ts'
import { instantIn } from '../types.ts'
import { type BlobAct, blobRefusal, blobSilence } from './azure-blob-errors.ts'
import { listedBlobs } from './azure-blob-list.ts'
import { type ListedPage, nothing, type OpenedObject, type RemoteSettings, remoteObjects } from './remote.ts'

export interface BlobSettings extends RemoteSettings {
  /** `https://<account>.blob.core.windows.net/<container>` */
  readonly containerUrl: string
  readonly credential: TokenCredential
  readonly clientOptions?: JournalClientOptions | undefined
  /** How long the head of an answer may take, and a write as a whole. Default 30 s. */
  readonly requestTimeoutMs?: number | undefined
  /** Blobs in one page of a list. Default 1000, at most 5000. */
  readonly pageSize?: number | undefined
}

/**
 * A container of Azure Blob Storage. A write is a compare-and-set by If-Match and If-None-Match (rest/api/storageservices/
 * specifying-conditional-headers-for-blob-service-operations), and the tag is the ETag. Names with a `.` or `..` between
 * slashes are refused with `invalid/object`: an address cannot hold them. Throws `invalid/config`.
 */
export function blobContainer(settings: BlobSettings): Objects {
  const { credential, clientOptions = {}, requestTimeoutMs = 30_000, pageSize = 1_000 } = settings
  const containerUrl = containerAddress(settings.containerUrl, 'the container')
  const send = storageClient(credential, clientOptions, requestTimeoutMs, clockOf(Date.now))
  const container = { containerUrl, send, pageSize }
  return remoteObjects(
    {
      name: containerUrl,
      page: (prefix, next, signal) => pageOf(container, prefix, next, signal),
      describe: (name, signal) => describeBlob(container, name, signal),
      open: (name, from, tag, signal) => opened(container, name, from, tag, signal),
      put: (name, bytes, expected, signal) => written(container, name, bytes, expected, signal)
    },
    settings
  )
}

interface Container {
  readonly containerUrl: string
  readonly send: Send
  readonly pageSize: number
}

interface Ask {
  readonly method: 'GET' | 'HEAD' | 'PUT'
  readonly url: string
  readonly headers?: Record<string, string>
  readonly body?: Uint8Array
  readonly isStream?: boolean
}

async function ask({ send }: Container, request: Ask, signal: AbortSignal): Promise<PipelineResponse> {
  const { method, url, headers = {}, body = null, isStream = false } = request
  try {
    return await send(
      createPipelineRequest({
        ...{ method, url, body, headers: createHttpHeaders(headers), abortSignal: signal },
        streamResponseStatusCodes: new Set(isStream ? [200, 206] : [])
      })
    )
  } catch (e) {
    throw blobSilence(e, url)
  }
}

const codeOf = ({ headers }: PipelineResponse): string | undefined => headers.get('x-ms-error-code')
const isMissing = (answer: PipelineResponse): boolean => answer.status === 404 && codeOf(answer) === 'BlobNotFound'
const refusal = (answer: PipelineResponse, act: BlobAct, url: string): KeyturnError =>
  blobRefusal(answer.status, codeOf(answer), act, url)

function urlOf({ containerUrl }: Container, name: string): string {
  const parts = name.split('/')
  // RFC 3986, 5.2.4: every client takes such parts out of a path, and asks for something else.
  if (name === '' || parts.some((part) => part === '.' || part === '..'))
    throw new KeyturnError('invalid/object', `${containerUrl}: a name that no address can hold`)
  return `${containerUrl}/${parts.map(encodeURIComponent).join('/')}`
}

/** rest/api/storageservices/list-blobs, Remarks: "in alphabetical order in the response body, with upper-case letters listed first". */
async function pageOf(container: Container, prefix: string, next: string | undefined, signal: AbortSignal): Promise<ListedPage> {
  const query = new URLSearchParams({ restype: 'container', comp: 'list', maxresults: String(container.pageSize), prefix })
  if (next !== undefined) query.set('marker', next)
  const answer = await ask(container, { method: 'GET', url: `${container.containerUrl}?${query}` }, signal)
  const page = answer.status === 200 ? listedBlobs(answer.bodyAsText ?? '') : undefined
  if (!page) throw refusal(answer, 'read', container.containerUrl)
  return page
}

async function describeBlob(container: Container, name: string, signal: AbortSignal): Promise<ObjectFacts | undefined> {
  const url = urlOf(container, name)
  const answer = await ask(container, { method: 'HEAD', url }, signal)
  if (isMissing(answer)) return undefined
  if (answer.status !== 200) throw refusal(answer, 'read', url)
  const { headers } = answer
  const changedAt = instantIn(headers.get('last-modified'))
  return { name, bytes: Number(headers.get('content-length')), changedAt, tag: headers.get('etag') ?? '' }
}

async function opened(
  container: Container,
  name: string,
  from: number,
  tag: string | undefined,
  signal: AbortSignal
): Promise<OpenedObject | undefined> {
  const url = urlOf(container, name)
  // Not of a whole blob: an empty one has no byte 0, and would be a 416.
  const headers = { ...(from > 0 && { range: `bytes=${from}-` }), ...(tag !== undefined && { 'if-match': tag }) }
  const answer = await ask(container, { method: 'GET', url, headers, isStream: true }, signal)
  if (isMissing(answer)) return undefined
  if (answer.status === 416) return nothing()
  if (answer.status === 412) throw new KeyturnError('unavailable/archive', `${url} changed while it was read`, codeOf(answer))
  if (!answer.readableStreamBody) throw refusal(answer, 'read', url)
  return { body: answer.readableStreamBody as Readable, tag: answer.headers.get('etag') ?? '' }
}

async function written(
  container: Container,
  name: string,
  bytes: Uint8Array,
  expected: string | undefined,
  signal: AbortSignal
): Promise<string> {
  const url = urlOf(container, name)
  const condition: Record<string, string> = expected === undefined ? { 'if-none-match': '*' } : { 'if-match': expected }
  const headers = { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'application/octet-stream', ...condition }
  const answer = await ask(container, { method: 'PUT', url, headers, body: bytes }, signal)
  if (answer.status === 201) return answer.headers.get('etag') ?? ''
  if (isMissing(answer)) throw new KeyturnError('conflict/object-changed', `${url} was deleted`, codeOf(answer))
  throw refusal(answer, 'write', url)
}
