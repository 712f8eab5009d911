import { KeyturnError } from '../errors.ts'
import { arrayIn, type GoogleSettings, googleApi, recordIn, textIn } from '../google-api.ts'
import type { ObjectFacts, Objects } from '../ports/objects.ts'
import type { ApiAnswer, ApiRequest, ProviderApi } from '../provider-api.ts'
import { instantIn } from '../types.ts'
import { gcsRefusal, gcsSilence, reasonIn } from './gcp-storage-errors.ts'
import { type ListedPage, nothing, type OpenedObject, type RemoteSettings, remoteObjects } from './remote.ts'

/** Default of `requestTimeoutMs`, which the head of an answer may take, and a write as a whole: 30 s. */
export interface GcsSettings extends RemoteSettings, GoogleSettings {
  readonly bucket: string
  /** Default: https://storage.googleapis.com. */
  readonly endpoint?: string | undefined
  /** Objects in one page of a list. Default, and at most, 1000. */
  readonly pageSize?: number | undefined
}

/**
 * A bucket of Google Cloud Storage, by its JSON API. A write is a compare-and-set by ifGenerationMatch (storage/docs/
 * request-preconditions; 0: only where there is none), and the tag is the generation. Without storage.objects.list, Google
 * answers 403 for an object that is not there. Throws `invalid/config`.
 */
export function storageBucket(settings: GcsSettings): Objects {
  const { bucket, endpoint = 'https://storage.googleapis.com', pageSize = 1_000, stallMs, ...rest } = settings
  const api = googleApi({ requestTimeoutMs: 30_000, ...rest }, 'Google Cloud Storage', endpoint)
  const gcs = { api, path: `/storage/v1/b/${encodeURIComponent(bucket)}/o`, place: `gs://${bucket}`, pageSize }
  return remoteObjects(
    {
      name: gcs.place,
      page: (prefix, next, signal) => pageOf(gcs, prefix, next, signal),
      describe: (name, signal) => describeObject(gcs, name, signal),
      open: (name, from, tag, signal) => opened(gcs, name, from, tag, signal),
      put: (name, bytes, expected, signal) => written(gcs, name, bytes, expected, signal)
    },
    { stallMs }
  )
}

interface Bucket {
  readonly api: ProviderApi
  /** Of the bucket's objects. */
  readonly path: string
  readonly place: string
  readonly pageSize: number
}

async function ask({ api }: Bucket, where: string, request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer> {
  try {
    return await api(request, signal)
  } catch (e) {
    throw gcsSilence(e, where)
  }
}

/** Of an object; `.` and `..` are no names for one (storage/docs/objects, Object names). */
function pathOf({ path, place }: Bucket, name: string): string {
  if (['', '.', '..'].includes(name)) throw new KeyturnError('invalid/object', `${place}: an object cannot have such a name`)
  return `${path}/${encodeURIComponent(name)}`
}

/** storage/docs/json_api/v1/objects/list: "lexicographically by name", as UTF-8. */
async function pageOf(gcs: Bucket, prefix: string, next: string | undefined, signal: AbortSignal): Promise<ListedPage> {
  const fields = 'nextPageToken,items(name,size,updated,generation)'
  const query = new URLSearchParams({ prefix, maxResults: String(gcs.pageSize), fields })
  if (next !== undefined) query.set('pageToken', next)
  const answer = await ask(gcs, gcs.place, { method: 'GET', path: `${gcs.path}?${query}` }, signal)
  if (answer.status === 404 && reasonIn(answer) === 'notFound')
    throw new KeyturnError('not-found/archive', `${gcs.place} is not there`, 'notFound')
  if (answer.status !== 200 || !answer.isJson) throw gcsRefusal(answer, 'list', gcs.place)
  const { items, nextPageToken } = recordIn(answer.json)
  return { objects: arrayIn(items).map(factsOf), next: textIn(nextPageToken) }
}

/** storage/docs/json_api/v1/objects#resource: the size and the generation are texts. */
function factsOf(item: unknown): ObjectFacts {
  const { name, size, updated, generation } = recordIn(item)
  return {
    name: textIn(name) ?? '',
    bytes: Number(size),
    changedAt: instantIn(textIn(updated)),
    tag: textIn(generation) ?? ''
  }
}

async function describeObject(gcs: Bucket, name: string, signal: AbortSignal): Promise<ObjectFacts | undefined> {
  const where = `${gcs.place}/${name}`
  const answer = await ask(gcs, where, { method: 'GET', path: pathOf(gcs, name) }, signal)
  if (answer.status === 404 && reasonIn(answer) === 'notFound') {
    // The same is answered where there is no bucket; only the message tells.
    await pageOf({ ...gcs, pageSize: 1 }, name, undefined, signal)
    return undefined
  }
  if (answer.status !== 200 || !answer.isJson) throw gcsRefusal(answer, 'read', where)
  return factsOf(answer.json)
}

/** Under /download, where the service itself would send a request for a medium (status-codes, 302). */
async function opened(
  gcs: Bucket,
  name: string,
  from: number,
  tag: string | undefined,
  signal: AbortSignal
): Promise<OpenedObject | undefined> {
  const where = `${gcs.place}/${name}`
  const condition = tag === undefined ? '' : `&ifGenerationMatch=${encodeURIComponent(tag)}`
  const path = `/download${pathOf(gcs, name)}?alt=media${condition}`
  // storage/docs/transcoding: who does not take gzip is sent a decompressed object, whole, whatever the range.
  const headers = { 'accept-encoding': 'gzip', ...(from > 0 && { range: `bytes=${from}-` }) }
  const answer = await ask(gcs, where, { method: 'GET', path, headers, isStream: true }, signal)
  if (answer.body) return { body: answer.body, tag: answer.header('x-goog-generation') ?? '' }
  if (answer.status === 416) return nothing()
  if (answer.status === 412) throw new KeyturnError('unavailable/archive', `${where} changed while it was read`, '412')
  if (answer.status !== 404) throw gcsRefusal(answer, 'read', where)
  // A download is refused in plain text, and so is what a proxy does not know: only the API itself can say that it is not there.
  if ((await describeObject(gcs, name, signal)) === undefined) return undefined
  throw new KeyturnError('unavailable/archive', `${where} was only just written`, '404')
}

/** storage/docs/json_api/v1/objects/insert, uploadType=media. A 404 is the bucket's; an object that is gone is a 412. */
async function written(
  gcs: Bucket,
  name: string,
  bytes: Uint8Array,
  expected: string | undefined,
  signal: AbortSignal
): Promise<string> {
  const where = `${gcs.place}/${name}`
  pathOf(gcs, name)
  const query = new URLSearchParams({ uploadType: 'media', name, ifGenerationMatch: expected ?? '0', fields: 'generation' })
  const headers = { 'content-type': 'application/octet-stream' }
  const answer = await ask(gcs, where, { method: 'POST', path: `/upload${gcs.path}?${query}`, body: bytes, headers }, signal)
  if (answer.status === 404 && reasonIn(answer) === 'notFound')
    throw new KeyturnError('not-found/archive', `${gcs.place} is not there`, 'notFound')
  const generation = textIn(recordIn(answer.json).generation)
  if (answer.status !== 200 || generation === undefined) throw gcsRefusal(answer, 'write', where)
  return generation
}
