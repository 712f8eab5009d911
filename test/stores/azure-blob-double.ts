import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { claimsOf } from '../doubles/azure-credential.ts'
import { localIdentity } from '../servers/certificates.ts'

export interface BlobDouble {
  readonly url: string
  /** A principal that is told nothing but AuthorizationPermissionMismatch. */
  deny(principal: string, denied: boolean): void
  advance(byMs: number): void
  close(): Promise<void>
}

interface Blob {
  body: string
  etag: string
  modifiedMs: number
  lease: { readonly id: string; readonly untilMs: number } | undefined
}

interface House {
  readonly blobs: Map<string, Blob>
  readonly containers: ReadonlySet<string>
  readonly denied: Set<string>
  aheadMs: number
}

interface Answer {
  readonly status: number
  readonly code?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/**
 * The little of Azure Storage that a journal needs, over HTTPS, for where Azurite is not installed; what the journal relies
 * on is tested against both (azure-journal.test.ts). Pages under rest/api/storageservices: get-blob, put-blob,
 * specifying-conditional-headers-for-blob-service-operations, lease-blob, blob-service-error-codes.
 */
export async function startBlobDouble(containers: readonly string[]): Promise<BlobDouble> {
  const house: House = { blobs: new Map(), containers: new Set(containers), denied: new Set(), aheadMs: 0 }
  const { cert, key } = await localIdentity()
  const server = createServer({ cert, key }, (message, response) => serve(house, message, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deny: (principal, denied) => void (denied ? house.denied.add(principal) : house.denied.delete(principal)),
    advance: (byMs) => {
      house.aheadMs += byMs
    },
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}

const now = (house: House): number => Date.now() + house.aheadMs
const inSeconds = (ms: number): string => new Date(ms).toUTCString()

async function serve(house: House, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(message).catch(() => undefined)
  if (body === undefined) return
  const answer = admitted(house, message) ?? answerTo(house, message, body)
  response.writeHead(answer.status, {
    Date: inSeconds(now(house)),
    ...(answer.code && { 'x-ms-error-code': answer.code }),
    ...answer.headers
  })
  response.end(answer.body)
}

function admitted(house: House, { headers }: IncomingMessage): Answer | undefined {
  const claims = claimsOf(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '')
  if (claims?.aud !== 'https://storage.azure.com') return { status: 403, code: 'AuthenticationFailed' }
  if (headers['x-ms-version'] === undefined) return { status: 400, code: 'MissingRequiredHeader' }
  return house.denied.has(claims.oid) ? { status: 403, code: 'AuthorizationPermissionMismatch' } : undefined
}

function answerTo(house: House, { method, url, headers }: IncomingMessage, body: string): Answer {
  const { pathname, searchParams } = new URL(url ?? '/', 'https://blobs')
  const [, container = ''] = pathname.split('/')
  if (!house.containers.has(container)) return { status: 404, code: 'ContainerNotFound' }
  const blob = house.blobs.get(pathname)
  const has = (name: string): string | undefined => [headers[name]].flat()[0]
  if (method === 'GET') return blob ? shown(house, blob) : { status: 404, code: 'BlobNotFound' }
  if (method !== 'PUT') return { status: 405, code: 'UnsupportedHttpVerb' }
  if (searchParams.get('comp') === 'lease') return blob ? leased(house, blob, has) : { status: 404, code: 'BlobNotFound' }
  return put(house, pathname, blob, body, has)
}

type Header = (name: string) => string | undefined

const stateOf = ({ etag, modifiedMs }: Blob) => ({ ETag: etag, 'Last-Modified': inSeconds(modifiedMs) })
const shown = (_house: House, blob: Blob): Answer => ({ status: 200, headers: stateOf(blob), body: blob.body })
const holder = (house: House, blob: Blob | undefined): string | undefined =>
  blob?.lease && blob.lease.untilMs > now(house) ? blob.lease.id : undefined

function put(house: House, path: string, blob: Blob | undefined, body: string, has: Header): Answer {
  if (has('x-ms-blob-type') !== 'BlockBlob') return { status: 400, code: 'InvalidHeaderValue' }
  if (has('if-none-match') === '*' && blob) return { status: 409, code: 'BlobAlreadyExists' }
  if (has('if-match') !== undefined && has('if-match') !== blob?.etag) return { status: 412, code: 'ConditionNotMet' }
  const held = holder(house, blob)
  const mine = has('x-ms-lease-id')
  if (held !== undefined && mine === undefined) return { status: 412, code: 'LeaseIdMissing' }
  if (held === undefined && mine !== undefined) return { status: 412, code: 'LeaseNotPresentWithBlobOperation' }
  if (held !== mine) return { status: 412, code: 'LeaseIdMismatchWithBlobOperation' }
  const written: Blob = { body, etag: `"${randomUUID()}"`, modifiedMs: now(house), lease: blob?.lease }
  house.blobs.set(path, written)
  return { status: 201, headers: stateOf(written) }
}

function leased(house: House, blob: Blob, has: Header): Answer {
  const held = holder(house, blob)
  const action = has('x-ms-lease-action')
  if (action === 'release') {
    if (blob.lease?.id !== has('x-ms-lease-id')) return { status: 409, code: 'LeaseIdMismatchWithLeaseOperation' }
    blob.lease = undefined
    return { status: 200, headers: stateOf(blob) }
  }
  if (action === 'break') {
    blob.lease = undefined
    return { status: 202, headers: { 'x-ms-lease-time': '0' } }
  }
  const seconds = Number(has('x-ms-lease-duration'))
  if (action !== 'acquire' || seconds < 15 || seconds > 60) return { status: 400, code: 'InvalidHeaderValue' }
  const id = has('x-ms-proposed-lease-id') ?? randomUUID()
  if (held !== undefined && held !== id) return { status: 409, code: 'LeaseAlreadyPresent' }
  blob.lease = { id, untilMs: now(house) + seconds * 1_000 }
  return { status: 201, headers: { ...stateOf(blob), 'x-ms-lease-id': id } }
}
