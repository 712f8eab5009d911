import { createHash } from 'node:crypto'
import { KeyturnError } from '../errors.ts'
import { decodeMetadata, encodePatch, type MetadataPatch } from '../metadata.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import { type Instant, instant, iso, type Token, type VersionId } from '../types.ts'

/** One secret's file. `current` and `versions` are enough for one that a person writes. Times are ISO 8601. */
export interface SecretFile {
  readonly current: VersionId
  readonly previous?: VersionId | undefined
  readonly pending?: Pending | undefined
  readonly rotatedAt?: string | undefined
  readonly changedAt?: string | undefined
  readonly versions: { readonly [id: VersionId]: { readonly createdAt?: string | undefined; readonly text: string } }
  /** Tokens of attempts that ended, newest last. */
  readonly spent: readonly Token[]
  readonly metadata: Readonly<Record<string, string>>
}

/** The version's id is the token. A claim has no version yet. */
interface Pending {
  readonly token: Token
  readonly base: VersionId
  readonly driver: 'store' | 'keyturn'
  readonly claimedAt?: string | undefined
  readonly seen?: readonly string[] | undefined
}

/** How many versions are kept besides current, previous and pending, and how many spent tokens are remembered. */
const KEPT_VERSIONS = 10
const KEPT_TOKENS = 200

export function parseSecret(text: string, name: string): SecretFile {
  let found: Partial<SecretFile> | undefined
  try {
    found = JSON.parse(text) as Partial<SecretFile>
  } catch {
    // The parser's message quotes the text.
  }
  if (typeof found?.current !== 'string' || typeof found.versions?.[found.current]?.text !== 'string')
    throw new KeyturnError('unsupported/store', `the file of ${name} is no secret file: it needs "current" and "versions"`)
  return { spent: [], metadata: {}, ...found, current: found.current, versions: found.versions }
}

/** As written: old versions beyond the bound are gone, and so is the value of an attempt that was dropped. */
export function printSecret(file: SecretFile, at: Instant): string {
  const named = new Set([file.current, file.previous, file.pending?.token])
  const age = (id: VersionId): string => file.versions[id]?.createdAt ?? ''
  const others = Object.keys(file.versions).filter((id) => !named.has(id))
  const kept = others.sort((a, b) => age(b).localeCompare(age(a))).slice(0, KEPT_VERSIONS)
  const versions = Object.fromEntries(Object.entries(file.versions).filter(([id]) => named.has(id) || kept.includes(id)))
  return `${JSON.stringify({ ...file, versions, spent: file.spent.slice(-KEPT_TOKENS), changedAt: iso(at) }, null, 2)}\n`
}

/** Names what the metadata is, so that a person's edit counts as a change. */
export const revisionOf = (file: SecretFile): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(file.metadata).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')
    .slice(0, 16)

export function patchMetadata(file: SecretFile, patch: MetadataPatch): SecretFile {
  const { set, remove } = encodePatch(patch)
  const metadata = { ...file.metadata, ...set }
  for (const key of remove) delete metadata[key]
  return { ...file, metadata }
}

const time = (text: string | undefined): Instant | undefined => (text === undefined ? undefined : instant(Date.parse(text)))

export function createdAt(file: SecretFile, version: VersionId): Instant | undefined {
  return time(file.versions[version]?.createdAt)
}

export function factsOf(name: string, file: SecretFile, seenAt: Instant): SecretFacts {
  // A promoted attempt is shown as pending until drop, as by every store; when current moved on, nothing of it is left.
  const pending =
    file.pending && (file.pending.token === file.current || !file.spent.includes(file.pending.token)) ? file.pending : undefined
  return {
    id: name,
    name,
    seenAt,
    current: file.current,
    currentToken: file.spent.includes(file.current) ? file.current : undefined,
    pendings: pending
      ? [
          {
            version: pending.token,
            token: pending.token,
            driver: pending.driver,
            base: pending.claimedAt === undefined ? pending.base : undefined,
            claimedAt: time(pending.claimedAt),
            seen: pending.seen
          }
        ]
      : [],
    previous: file.previous,
    spent: file.spent,
    rotatedAt: time(file.rotatedAt),
    changedAt: time(file.changedAt),
    replicasInSync: true,
    metadata: decodeMetadata(file.metadata),
    revision: revisionOf(file)
  }
}

/**
 * A secret's name as a file's name. Letters of one case only, because "App" and "app" are one file on some disks; no
 * dots, so that no name climbs out of the folder or takes the place of a lock.
 */
export function fileNameOf(name: string): string {
  const encoded = [...Buffer.from(name, 'utf8')]
    .map((byte) => {
      const char = String.fromCharCode(byte)
      return /[a-z0-9_-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
  // 255 bytes is what most disks take; the rest is for `.json.lock.` and an owner.
  if (encoded === '' || encoded.length > 180) throw new KeyturnError('invalid/request', 'the secret’s name is empty or too long')
  return `${encoded}.json`
}

export const nameOf = (fileName: string): string | undefined =>
  /^(?:[a-z0-9_-]|%[0-9A-F]{2})+\.json$/.test(fileName) ? decodeURIComponent(fileName.slice(0, -'.json'.length)) : undefined
