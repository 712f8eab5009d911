import { decodeMetadata, type Metadata, withPromotion } from '../metadata.ts'
import type { PendingFacts, SecretFacts } from '../ports/secret-store.ts'
import type { Instant, SecretId, SecretText, Token, VersionId } from '../types.ts'
import { type Kv, type KvMetadata, type KvVersion, readMetadata, readValue } from './vault-calls.ts'
import { pendingPath } from './vault-place.ts'
import { type Carried, type PendingRecord, type Promotion, parseRecord } from './vault-record.ts'
import { type MountSettings, refuseDeleted, refuseExpiring, refuseSettings } from './vault-settings.ts'

/** The store, as its parts hand it around. */
export interface Vault extends Kv {
  readonly settings: MountSettings
}

/** The newest version of the pending value's path. 0: there is none. */
export interface Sibling {
  readonly version: number
  readonly createdAt?: Instant | undefined
  readonly record?: PendingRecord | undefined
}

export interface Main {
  readonly current: number
  readonly createdAt: Instant
  readonly custom: Readonly<Record<string, string>>
  readonly seenAt: Instant
  /** Current's value, where the answer brought it along. */
  readonly text?: SecretText | undefined
  /** Every version there is, where the answer shows them; the path's settings were looked at then, and are good. */
  readonly versions?: ReadonlyMap<number, KvVersion> | undefined
}

export interface Sight {
  readonly sibling: Sibling
  readonly main: Main
  /** The last promotion of keyturn's, also when a person wrote a version since. */
  readonly made: Promotion | undefined
}

/** Which of its two answers main is looked at by: `value` brings current's value along, `settings` the path's settings. */
export type By = 'value' | 'settings'

/**
 * The pending path first, and main last: an attempt that is promoted and dropped in between is then current, and in the
 * other order in neither. Two calls; three where a pending value was promoted and the answer does not show it. Undefined:
 * there is no such secret.
 */
export async function lookAt(vault: Vault, id: SecretId, by: By, signal: AbortSignal): Promise<Sight | undefined> {
  const sibling = await lookAtPending(vault, id, signal)
  const main = await (by === 'value' ? mainByValue : mainBySettings)(vault, id, signal)
  return main && { sibling, main, made: await lastPromotion(vault, id, sibling, main, signal) }
}

export async function lookAtPending(vault: Vault, id: SecretId, signal: AbortSignal): Promise<Sibling> {
  const found = await readValue(vault, pendingPath(vault, id), undefined, signal)
  if (!found) return { version: 0 }
  return { version: found.version, createdAt: found.createdAt, record: found.data && parseRecord(found.data, id) }
}

async function mainByValue(vault: Vault, id: SecretId, signal: AbortSignal): Promise<Main | undefined> {
  await vault.settings.read(signal)
  const found = await readValue(vault, id, undefined, signal)
  if (!found) return undefined
  refuseDeleted(vault, id, found, found.seenAt)
  refuseExpiring(vault, id, found)
  const { version: current, createdAt, custom, seenAt, text } = found
  return { current, createdAt, custom, seenAt, text }
}

/** @param told what a look told a moment ago, where that is enough. */
export async function mainBySettings(
  vault: Vault,
  id: SecretId,
  signal: AbortSignal,
  told?: KvMetadata
): Promise<Main | undefined> {
  const mount = await vault.settings.read(signal)
  const found = told ?? (await readMetadata(vault, id, signal))
  const newest = found?.versions.get(found.current)
  if (!found || !newest) return undefined
  refuseDeleted(vault, id, newest, found.seenAt)
  refuseExpiring(vault, id, newest)
  refuseSettings(vault, id, found.settings, mount)
  const { current, custom, seenAt, versions } = found
  return { current, createdAt: newest.createdAt, custom, seenAt, versions }
}

/**
 * The commit is its own record. Until its attempt is dropped a promotion shows in that the version after the base has the
 * pending value; afterwards the pending path's own record names it.
 */
export async function lastPromotion(
  vault: Vault,
  id: SecretId,
  { record }: Sibling,
  main: Main,
  signal: AbortSignal
): Promise<Promotion | undefined> {
  if (record?.state === 'pending' && main.current > record.base) {
    const version = record.base + 1
    const isKnown = version === main.current && main.text !== undefined
    const found = isKnown ? main : await readValue(vault, id, version, signal)
    if (found?.text?.equals(record.document)) return { token: record.token, version, previous: record.base, at: found.createdAt }
  }
  return record?.last && isOfThisLife(record.last, main) ? record.last : undefined
}

/** A secret that was deleted with its metadata and made anew counts its versions from 1 again. */
function isOfThisLife({ version, at }: Promotion, { current, createdAt, versions }: Main): boolean {
  if (version >= current) return version === current && at === createdAt
  return (versions?.get(version)?.createdAt ?? at) === at
}

/** The attempt under way: a claim or a pending value, also one that is current already. */
export function attemptIn({ sibling: { record }, main, made }: Sight) {
  if (!record || record.state === 'ended') return undefined
  // Somebody wrote a version since: of an attempt that was promoted nothing is left to do.
  return made?.token === record.token && made.version !== main.current ? undefined : record
}

/** What the next record of the pending path carries on. */
export const carriedOn = ({ sibling: { record }, made }: Sight, ...ended: readonly Token[]): Carried => {
  const spent = new Set([...(record?.spent ?? []), ...(made ? [made.token] : []), ...ended])
  return { last: made, spent: [...spent] }
}

export const versionId = (version: number): VersionId => String(version)
export const isVersionId = (id: VersionId): boolean => /^[1-9]\d{0,14}$/.test(id)

/** A token names one value for ever, and the pending path's numbers may begin anew. */
export const pendingId = (token: Token): VersionId => `pending:${token}`

export function factsOf(id: SecretId, sight: Sight): SecretFacts {
  const { main, made } = sight
  const isOurs = made?.version === main.current
  const before = main.current > 1 ? main.current - 1 : undefined
  const previous = isOurs ? made.previous : before
  return {
    id,
    name: id,
    seenAt: main.seenAt,
    current: versionId(main.current),
    currentToken: isOurs ? made.token : undefined,
    pendings: pendingsOf(sight),
    previous: previous === undefined ? undefined : versionId(previous),
    spent: carriedOn(sight).spent,
    // Not the path's updated_time: the answer that brings the value along has none, and a look must not depend on which.
    changedAt: main.createdAt,
    replicasInSync: true,
    metadata: recorded(decodeMetadata(main.custom, PREFIX), made)
  }
}

function pendingsOf(sight: Sight): readonly PendingFacts[] {
  const attempt = attemptIn(sight)
  if (!attempt) return []
  const pending = { version: pendingId(attempt.token), token: attempt.token, driver: 'keyturn' as const }
  if (attempt.state === 'claimed') return [{ ...pending, claimedAt: sight.sibling.createdAt, seen: attempt.seen }]
  return [{ ...pending, base: isFormer(attempt, sight.main) ? `former:${attempt.base}` : versionId(attempt.base) }]
}

/** Made from a version of the same number in a former life of the secret: it is never promoted. */
export const isFormer = (attempt: Extract<PendingRecord, { state: 'pending' }>, { current, createdAt }: Main): boolean =>
  attempt.base === current && attempt.baseAt !== undefined && attempt.baseAt !== createdAt

/** Of the record that a promotion is by itself and one that was written as metadata, the later one; a retirement that is older is no news. */
function recorded(metadata: Metadata, made: Promotion | undefined): Metadata {
  if (!made || Number(metadata.promoted?.version) > made.version) return metadata
  return withPromotion(metadata, { version: versionId(made.version), previous: versionId(made.previous), at: made.at })
}

/** What keyturn's keys begin with in custom metadata, where the owner may have keys of his own. */
export const PREFIX = 'keyturn:'
