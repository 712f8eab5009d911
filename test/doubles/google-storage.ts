import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { gunzipSync } from 'node:zlib'

export interface GoogleStorage {
  readonly url: string
  /** As another client does, into the first bucket. */
  write(name: string, bytes: Uint8Array, encoding?: 'gzip'): void
  remove(name: string): void
  close(): Promise<void>
}

interface Stored {
  readonly bytes: Buffer
  readonly encoding: 'gzip' | undefined
  readonly generation: string
  readonly updated: string
}

type Buckets = ReadonlyMap<string, Map<string, Stored>>

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

/**
 * The little of Google Cloud Storage's JSON API that keyturn uses, over HTTP on 127.0.0.1: there is no emulator of it that
 * npm, PyPI or Debian have and somebody keeps. Pages, below cloud.google.com/storage/docs: json_api/v1/objects (its parts
 * list, get, insert), json_api/v1/status-codes, request-preconditions, transcoding, and for generations object-versioning.
 */
export async function startGoogleStorage(...names: readonly string[]): Promise<GoogleStorage> {
  const buckets: Buckets = new Map(names.map((name) => [name, new Map<string, Stored>()]))
  const first = buckets.get(names[0] ?? '') ?? new Map<string, Stored>()
  const server = createServer((message, response) => void serve(buckets, message, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    write: (name, bytes, encoding) => void first.set(name, stored(Buffer.from(bytes), encoding)),
    remove: (name) => void first.delete(name),
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}

let lastGeneration = 0n
function stored(bytes: Buffer, encoding?: 'gzip'): Stored {
  const micros = BigInt(Date.now()) * 1_000n
  lastGeneration = micros > lastGeneration ? micros : lastGeneration + 1n
  return { bytes, encoding, generation: String(lastGeneration), updated: new Date().toISOString() }
}

async function serve(buckets: Buckets, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const sent = await buffer(message).catch(() => undefined)
  if (sent === undefined) return
  const { status, headers, body } = answerTo(buckets, message, sent)
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...headers })
  await pipeline(partsOf(typeof body === 'string' ? Buffer.from(body) : body), response).catch(() => undefined)
}

/** As a service sends it: one write of everything would wait in this process. */
function* partsOf(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; at += 65_536) yield body.subarray(at, at + 65_536)
}

/** status-codes, Error Response Format. */
const error = (status: number, reason: string): Answer => ({
  status,
  body: JSON.stringify({
    error: { errors: [{ domain: 'global', reason, message: 'in words' }], code: status, message: 'in words' }
  })
})

/** A download is refused in words. */
const plain = (status: number, body: string): Answer => ({
  status,
  body,
  headers: { 'content-type': 'text/html; charset=UTF-8' }
})

function answerTo(buckets: Buckets, message: IncomingMessage, sent: Buffer): Answer {
  const { pathname, searchParams } = new URL(message.url ?? '/', 'http://storage')
  const [, before, bucketName = '', rest] = /^(\/download|\/upload)?\/storage\/v1\/b\/([^/]+)\/o(?:\/(.+))?$/.exec(pathname) ?? []
  if (!/^Bearer ./.test(message.headers.authorization ?? '')) return error(401, 'required')
  const objects = buckets.get(decodeURIComponent(bucketName))
  if (!objects) return before === '/download' ? plain(404, 'Not Found') : error(404, 'notFound')
  if (before === '/upload') return inserted(objects, searchParams, sent)
  if (rest === undefined) return listed(objects, searchParams)
  const name = decodeURIComponent(rest)
  if (before === '/download') return downloaded(objects.get(name), message, searchParams)
  // status-codes, 302: mediaDownloadRedirect.
  if (searchParams.get('alt') === 'media') return { status: 302, body: '', headers: { location: `/download${message.url}` } }
  const found = objects.get(name)
  return found ? { status: 200, body: JSON.stringify(resourceOf(name, found)) } : error(404, 'notFound')
}

/** json_api/v1/objects#resource. */
const resourceOf = (name: string, { bytes, encoding, generation, updated }: Stored): object => ({
  kind: 'storage#object',
  ...{ name, generation, updated, size: String(bytes.length) },
  ...(encoding && { contentEncoding: encoding })
})

/** objects/list: by name, as UTF-8; without `items` where there is nothing. */
function listed(objects: ReadonlyMap<string, Stored>, query: URLSearchParams): Answer {
  const after = Buffer.from(query.get('pageToken') ?? '', 'base64').toString('utf8')
  const all = [...objects].filter(([name]) => name.startsWith(query.get('prefix') ?? ''))
  const sorted = all.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const from = after === '' ? 0 : sorted.findIndex(([name]) => name === after) + 1
  const page = sorted.slice(from, from + Number(query.get('maxResults') ?? 1_000))
  const last = page.at(-1)?.[0] ?? ''
  const next = from + page.length < sorted.length ? { nextPageToken: Buffer.from(last).toString('base64') } : {}
  const items = page.length > 0 ? { items: page.map(([name, found]) => resourceOf(name, found)) } : {}
  return { status: 200, body: JSON.stringify({ kind: 'storage#objects', ...next, ...items }) }
}

/** request-preconditions: 0 is "there is no live version"; another one is that of the live version; else 412. */
function inserted(objects: Map<string, Stored>, query: URLSearchParams, sent: Buffer): Answer {
  const [name, expected] = [query.get('name') ?? '', query.get('ifGenerationMatch')]
  if (query.get('uploadType') !== 'media' || name === '') return error(400, 'required')
  if (expected !== null && expected !== (objects.get(name)?.generation ?? '0')) return error(412, 'conditionNotMet')
  const made = stored(sent)
  objects.set(name, made)
  return { status: 200, body: JSON.stringify(resourceOf(name, made)) }
}

function downloaded(found: Stored | undefined, { headers }: IncomingMessage, query: URLSearchParams): Answer {
  if (!found) return plain(404, 'No such object')
  const expected = query.get('ifGenerationMatch')
  if (expected !== null && expected !== found.generation) return plain(412, 'Precondition Failed')
  const about = { 'content-type': 'application/octet-stream', 'x-goog-generation': found.generation }
  // transcoding: decompressed, whole and without Content-Encoding, for who does not take gzip.
  if (found.encoding && !/gzip/.test(headers['accept-encoding'] ?? ''))
    return { status: 200, body: gunzipSync(found.bytes), headers: about }
  const more = { ...about, ...(found.encoding && { 'content-encoding': found.encoding }) }
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? Number.NaN)
  if (Number.isNaN(from))
    return { status: 200, body: found.bytes, headers: { ...more, 'content-length': String(found.bytes.length) } }
  if (from >= found.bytes.length) return plain(416, 'Requested range not satisfiable')
  const body = found.bytes.subarray(from)
  return { status: 206, body, headers: { ...more, 'content-length': String(body.length) } }
}
