import crc32c from 'crc-32/crc32c.js'
import { KeyturnError } from '../errors.ts'
import { type Instant, instantIn, SecretText } from '../types.ts'
import type { GcpClient, Request } from './gcp-client.ts'
import { answered } from './gcp-errors.ts'
import { type Place, siblingNameOf } from './gcp-names.ts'

export type Annotations = Readonly<Record<string, string>>

/** A Secret message (resources.proto), as far as it matters here. */
export interface SecretMessage {
  /** The resource name as the service gives it: with the project's number. */
  readonly resource: string
  /** Tells a secret from one of the same name that was deleted. */
  readonly createTime: string
  readonly etag: string
  readonly annotations: Annotations
  readonly labels: Readonly<Record<string, string>>
  /** As it came, for the sibling. */
  readonly likeness: object
  /** resources.proto, Rotation.ManagedRotationStatus: Google itself rotates it. */
  readonly isManaged: boolean
  readonly seenAt: Instant
}

export interface VersionMessage {
  readonly number: number
  readonly state: string
  readonly createdAt: Instant | undefined
}

/** A version that was asked for by its number. Without a text: it is there and cannot be read, or holds bytes. */
export interface Found {
  readonly number: number
  readonly text: SecretText | undefined
  readonly why?: KeyturnError | undefined
}

const at = (place: Place | string): Pick<Request, 'about' | 'location'> => {
  const resource = typeof place === 'string' ? place : place.resource
  return { about: resource, location: /\/locations\/([^/]+)/.exec(resource)?.[1] }
}

/** As the vendor's client writes it: a project of a domain has a colon in its id, which begins a verb. */
const pathOf = (resource: string): string => resource.split('/').map(encodeURIComponent).join('/')

/** Undefined: the service says that there is none. Eventually consistent, as all but access by number (docs/reference/consistency). */
export async function getSecret(client: GcpClient, resource: string, signal: AbortSignal): Promise<SecretMessage | undefined> {
  try {
    const answer = await client.send({ op: 'GetSecret', method: 'GET', path: pathOf(resource), ...at(resource) }, signal)
    return messageOf(answer.body, answer.date)
  } catch (e) {
    if (answered(e, 'NOT_FOUND')) return undefined
    throw e
  }
}

/**
 * Replaces all annotations, where the etag is still the secret's: else `conflict/metadata-changed`. A map is replaced
 * whole by a mask that names it, and there is no mask for one key (AIP-134, AIP-161).
 */
export async function putAnnotations(
  client: GcpClient,
  { resource, etag }: SecretMessage,
  annotations: Annotations,
  signal: AbortSignal
): Promise<SecretMessage> {
  const answer = await client.send(
    {
      op: 'UpdateSecret',
      method: 'PATCH',
      path: `${pathOf(resource)}?updateMask=annotations`,
      body: { name: resource, etag, annotations },
      ...at(resource)
    },
    signal
  )
  return messageOf(answer.body, answer.date)
}

/** Labels that say whose it is; `keyturn-kind` is no annotation of it, so no list takes it for a managed secret. */
const SIBLING_LABELS = { keyturn: 'pending' }

export const isSibling = ({ labels }: SecretMessage): boolean => labels.keyturn === SIBLING_LABELS.keyturn

/** Kept in the same places and under the same keys; no topics, no rotation, no expiry. */
export async function createSibling(
  client: GcpClient,
  place: Place,
  likeness: object,
  signal: AbortSignal
): Promise<'made' | 'was there'> {
  const path = `${pathOf(place.parent)}/secrets?secretId=${siblingNameOf(place)}`
  const body = { ...likeness, labels: SIBLING_LABELS }
  try {
    await client.send({ op: 'CreateSecret', method: 'POST', path, body, ...at(place) }, signal)
    return 'made'
  } catch (e) {
    if (!answered(e, 'ALREADY_EXISTS')) throw e
    return 'was there'
  }
}

/**
 * Adds a version, which is the newest from now on: "a strongly consistent operation" with access by its number
 * (docs/reference/consistency). There is no etag and no request id (service.proto): a repeat is another version.
 */
export async function addVersion(
  client: GcpClient,
  resource: string,
  text: SecretText,
  signal: AbortSignal,
  repeat?: 'never'
): Promise<VersionMessage & { readonly createdAt: Instant }> {
  const bytes = Buffer.from(text.reveal(), 'utf8')
  const payload = { data: bytes.toString('base64'), dataCrc32c: String(checksum(bytes)) }
  const answer = await client.send(
    {
      op: 'AddSecretVersion',
      method: 'POST',
      path: `${pathOf(resource)}:addVersion`,
      body: { payload },
      repeat,
      ...at(resource)
    },
    signal
  )
  const made = versionOf(answer.body)
  return { ...made, createdAt: made.createdAt ?? answer.date }
}

/** By number, or `latest`, which is eventually consistent. Undefined: there is no such version. */
export async function access(
  client: GcpClient,
  resource: string,
  version: number | 'latest',
  signal: AbortSignal
): Promise<(Found & { readonly resource: string }) | undefined> {
  const about = `${resource}/versions/${version}`
  const request: Request = { op: 'AccessSecretVersion', method: 'GET', path: `${pathOf(about)}:access`, ...at(about) }
  for (let attempt = 1; ; attempt++) {
    try {
      const { body } = await client.send(request, signal)
      const number = numberOf(body.name)
      const bytes = bytesIn(body.payload)
      if (bytes) return { number, resource: String(body.name).split('/versions/')[0] ?? resource, ...textOf(bytes, about) }
    } catch (e) {
      if (answered(e, 'NOT_FOUND')) return undefined
      if (!answered(e, 'FAILED_PRECONDITION') || version === 'latest') throw e
      return { number: version, resource, text: undefined, why: e }
    }
    // docs/data-integrity: then the answer is to be thrown away and asked for again.
    if (attempt === 3) throw new KeyturnError('unavailable/store', `AccessSecretVersion: the checksum is wrong, for ${about}`)
  }
}

/** Eventually consistent also by number. Undefined: there is no such version, or it is not seen yet. */
export async function getVersion(
  client: GcpClient,
  resource: string,
  version: number | 'latest',
  signal: AbortSignal
): Promise<VersionMessage | undefined> {
  const about = `${resource}/versions/${version}`
  try {
    const answer = await client.send({ op: 'GetSecretVersion', method: 'GET', path: pathOf(about), ...at(about) }, signal)
    return versionOf(answer.body)
  } catch (e) {
    if (answered(e, 'NOT_FOUND')) return undefined
    throw e
  }
}

/** With versionDestroyTtl it is disabled at once and destroyed later (resources.proto): as good. */
export async function destroyVersion(client: GcpClient, resource: string, number: number, signal: AbortSignal): Promise<void> {
  const path = `${pathOf(resource)}/versions/${number}:destroy`
  try {
    await client.send({ op: 'DestroySecretVersion', method: 'POST', path, body: {}, ...at(resource) }, signal)
  } catch (e) {
    if (!answered(e, 'NOT_FOUND', 'FAILED_PRECONDITION')) throw e
  }
}

/** Every secret of a project, a page at a time. */
export async function* listSecrets(
  client: GcpClient,
  parent: string,
  signal: AbortSignal
): AsyncGenerator<readonly SecretMessage[]> {
  let from = ''
  do {
    const path = `${pathOf(parent)}/secrets?pageSize=100${from && `&pageToken=${encodeURIComponent(from)}`}`
    const { body, date } = await client.send({ op: 'ListSecrets', method: 'GET', path, ...at(`${parent}/secrets`) }, signal)
    yield ((body.secrets ?? []) as readonly Record<string, unknown>[]).map((s) => messageOf(s, date))
    from = String(body.nextPageToken ?? '')
  } while (from !== '')
}

function messageOf(body: Readonly<Record<string, unknown>>, seenAt: Instant): SecretMessage {
  const { replication, customerManagedEncryption } = body
  const rotation = body.rotation as { managedRotationStatus?: { state?: unknown } } | undefined
  return {
    resource: String(body.name),
    createTime: String(body.createTime),
    etag: String(body.etag),
    annotations: (body.annotations ?? {}) as Annotations,
    labels: (body.labels ?? {}) as SecretMessage['labels'],
    likeness: {
      ...(replication !== undefined && { replication }),
      ...(customerManagedEncryption !== undefined && { customerManagedEncryption })
    },
    isManaged: rotation?.managedRotationStatus?.state === 'ACTIVE',
    seenAt
  }
}

function versionOf(body: Readonly<Record<string, unknown>>): VersionMessage {
  return {
    number: numberOf(body.name),
    state: String(body.state),
    createdAt: instantIn(String(body.createTime))
  }
}

const numberOf = (name: unknown): number => Number(String(name).split('/versions/')[1])

/** crc-32 gives a signed number, the service an unsigned one. */
const checksum = (bytes: Uint8Array): number => crc32c.buf(bytes) >>> 0

/** Undefined: not what was kept. */
function bytesIn(payload: unknown): Buffer | undefined {
  const { data, dataCrc32c } = (payload ?? {}) as { data?: unknown; dataCrc32c?: unknown }
  const bytes = Buffer.from(typeof data === 'string' ? data : '', 'base64')
  return dataCrc32c === undefined || String(dataCrc32c) === String(checksum(bytes)) ? bytes : undefined
}

function textOf(bytes: Buffer, about: string): Pick<Found, 'text' | 'why'> {
  try {
    return { text: new SecretText(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) }
  } catch {
    return { text: undefined, why: new KeyturnError('unsupported/binary', `${about} holds bytes, not text`) }
  }
}
