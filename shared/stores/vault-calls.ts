import { hasCode, KeyturnError } from '../errors.ts'
import { type Instant, instantIn, type SecretId, type SecretText } from '../types.ts'
import type { VaultAnswer, VaultClient, VaultRequest } from '../vault/client.ts'
import { type KvData, textOf } from './vault-document.ts'

/** One KV version 2 mount. */
export interface Kv {
  readonly client: VaultClient
  readonly mount: string
  /** The folder of the pending values, below the mount. */
  readonly pendingFolder: string
}

/** One version, by whatever answer told of it. */
export interface KvVersion {
  readonly version: number
  readonly createdAt: Instant
  /** When it was, or will be, deleted. */
  readonly deletedAt: Instant | undefined
  readonly isDestroyed: boolean
}

/** The answer of a read or a write of one version. */
export interface KvValue extends KvVersion {
  /** Undefined: deleted or destroyed, or written without data. */
  readonly text: SecretText | undefined
  readonly data: KvData | undefined
  readonly custom: Readonly<Record<string, string>>
  readonly seenAt: Instant
}

export interface KvMetadata {
  /** 0: no version was written yet. */
  readonly current: number
  readonly versions: ReadonlyMap<number, KvVersion>
  readonly custom: Readonly<Record<string, string>>
  readonly settings: KvSettings
  readonly seenAt: Instant
}

/** Settings of a mount, or of a path: 0 is "not set" for both. */
export interface KvSettings {
  readonly maxVersions: number
  /** As Vault prints a duration: `0s`, `1h0m0s`; `-1s` on a mount: nothing is deleted, whatever a path says. */
  readonly deleteVersionAfter: string
}

type Kind = 'data' | 'metadata' | 'destroy'

/** Reads the newest version, or one by its number. Undefined: Vault says that there is none. */
export async function readValue(kv: Kv, path: string, version: number | undefined, signal: AbortSignal) {
  const query = version === undefined ? '' : `?version=${version}`
  const answer = await ask(kv, { method: 'GET', path: apiPath(kv, 'data', path) + query }, 'read', signal)
  const { data, metadata } = dataIn(answer)
  // A deleted version's 404 has its metadata, and null for data.
  return metadata === undefined ? undefined : kvValue(answer, objectOr(metadata), data)
}

/**
 * Writes a version, where `cas` is the newest's number (0: there is none). Fails with `conflict/current-moved`, and is
 * never repeated by itself: after a lost answer only a look tells.
 */
export async function writeValue(kv: Kv, path: string, cas: number, data: KvData, signal: AbortSignal): Promise<KvValue> {
  const request = { method: 'POST', path: apiPath(kv, 'data', path), body: { options: { cas }, data } } as const
  // Never `create`: a path of the first write has its metadata already (vault-change.ts), which is what counts.
  const answer = await ask(kv, request, 'update', signal)
  return kvValue(answer, dataIn(answer), data)
}

export async function readMetadata(kv: Kv, path: string, signal: AbortSignal): Promise<KvMetadata | undefined> {
  const answer = await ask(kv, { method: 'GET', path: apiPath(kv, 'metadata', path) }, 'read', signal)
  if (answer.status === 404) return undefined
  const found = dataIn(answer)
  const versions = Object.entries(objectOr(found.versions)).map(([n, of]) => versionOf(Number(n), objectOr(of)))
  return {
    current: numberIn(found, 'current_version'),
    versions: new Map(versions.map((v) => [v.version, v])),
    custom: stringsOf(found.custom_metadata),
    settings: settingsOf(found),
    seenAt: answer.date
  }
}

/** Keeps this many versions from now on. Repeatable. */
export async function limitVersions(kv: Kv, path: string, maxVersions: number, signal: AbortSignal): Promise<void> {
  const request = { method: 'POST', path: apiPath(kv, 'metadata', path), body: { max_versions: maxVersions }, repeatable: true }
  await ask(kv, request as VaultRequest, 'create and update', signal)
}

/** Sets custom metadata, and removes where null; what is not named stays (api-docs, "Patch metadata"). Repeatable. */
export async function patchCustom(kv: Kv, path: string, custom: Readonly<Record<string, string | null>>, signal: AbortSignal) {
  const body = { custom_metadata: custom }
  const request = { method: 'PATCH', path: apiPath(kv, 'metadata', path), contentType: 'application/merge-patch+json', body }
  await ask(kv, { ...request, repeatable: true } as VaultRequest, 'patch', signal)
}

/** Removes values for good; their numbers stay. Repeatable, also for versions that never were. */
export async function destroyVersions(kv: Kv, path: string, versions: readonly number[], signal: AbortSignal): Promise<void> {
  const request = { method: 'POST', path: apiPath(kv, 'destroy', path), body: { versions }, repeatable: true } as const
  await ask(kv, request, 'update', signal)
}

/** Names in a folder (`''`, or `app/`); those that end in a slash are folders. */
export async function listFolder(kv: Kv, folder: string, signal: AbortSignal): Promise<readonly string[]> {
  const answer = await ask(kv, { method: 'LIST', path: apiPath(kv, 'metadata', folder) }, 'list', signal)
  const { keys } = dataIn(answer)
  return Array.isArray(keys) ? keys.map(String) : []
}

/** Fails with `unsupported/store` where the mount is of another kind: only KV version 2 always answers for its config. */
export async function readConfig(kv: Kv, signal: AbortSignal): Promise<KvSettings> {
  const answer = await ask(kv, { method: 'GET', path: `${encoded(kv.mount)}/config` }, 'read', signal)
  if (answer.status === 404) throw new KeyturnError('unsupported/store', `${kv.mount}/ is no KV version 2 mount of Vault’s`)
  return settingsOf(dataIn(answer))
}

const encoded = (path: string): string => path.split('/').map(encodeURIComponent).join('/')
const apiPath = (kv: Kv, kind: Kind, path: SecretId): string => `${encoded(kv.mount)}/${kind}/${encoded(path)}`

/** Of a refusal, Vault says nothing more than that; which line a policy lacks is known here. */
async function ask(kv: Kv, request: VaultRequest, capability: string, signal: AbortSignal): Promise<VaultAnswer> {
  try {
    return await kv.client.call(request, signal)
  } catch (e) {
    if (!hasCode(e, 'denied/store')) throw e
    const path = decodeURIComponent(request.path.replace(/\?.*$/, ''))
    throw new KeyturnError('denied/store', `keyturn’s token needs ${capability} on ${path}; ${e.message}`, e.vendor)
  }
}

const objectOr = (value: unknown): KvData => (typeof value === 'object' && value !== null ? (value as KvData) : {})
const dataIn = (answer: VaultAnswer): KvData => objectOr(objectOr(answer.body).data)

function kvValue(answer: VaultAnswer, metadata: KvData, data: unknown): KvValue {
  const found = typeof data === 'object' && data !== null && !Array.isArray(data) ? (data as KvData) : undefined
  return {
    ...versionOf(numberIn(metadata, 'version'), metadata),
    text: found && textOf(found),
    data: found,
    custom: stringsOf(metadata.custom_metadata),
    seenAt: answer.date
  }
}

function versionOf(version: number, found: KvData): KvVersion {
  const createdAt = timeIn(found, 'created_time')
  if (createdAt === undefined) throw odd('created_time')
  return { version, createdAt, deletedAt: timeIn(found, 'deletion_time'), isDestroyed: found.destroyed === true }
}

const settingsOf = (found: KvData): KvSettings => ({
  maxVersions: numberIn(found, 'max_versions'),
  deleteVersionAfter: typeof found.delete_version_after === 'string' ? found.delete_version_after : '0s'
})

function numberIn(found: KvData, name: string): number {
  const value = found[name]
  if (typeof value !== 'number') throw odd(name)
  return value
}

/** Vault's times have nanoseconds; ours are whole milliseconds before them. `''` is none. */
function timeIn(found: KvData, name: string): Instant | undefined {
  const text = found[name]
  if (text === '' || text === undefined) return undefined
  const at = instantIn(String(text))
  if (at === undefined) throw odd(name)
  return at
}

const stringsOf = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(objectOr(value)).map(([key, text]) => [key, String(text)]))

const odd = (name: string): KeyturnError =>
  new KeyturnError('unsupported/store', `an answer without a ${name} that can be read: this is no KV version 2 mount`)
