import { type Metadata, withPromotion } from '../metadata.ts'
import type { PendingFacts, SecretFacts } from '../ports/secret-store.ts'
import type { Instant, Token, VersionId } from '../types.ts'
import type { Version } from './azure-calls.ts'
import { idOf, pendingVersion } from './azure-names.ts'
import { metadataOf, type Origin, originOf, policyOf, recordsOf, type SiblingMark } from './azure-tags.ts'

/** The sibling: its newest version that is keyturn's. `foreign`: a secret of that name that somebody else made. */
export type Sibling =
  | { readonly state: 'none' }
  | { readonly state: 'foreign' }
  | (SiblingMark & { readonly version: string; readonly createdAt: Instant; readonly seen?: readonly string[] | undefined })

type Words = Readonly<Record<string, string>>
type Promotion = NonNullable<Metadata['promoted']>

/** What the older versions tell where the newest does not: tags are per version, and a person's new one has none. */
export interface Past {
  /** The version before the newest, or before the one that it restores. */
  readonly previous: VersionId | undefined
  readonly promoted: Promotion | undefined
  readonly policy: Words
  readonly records: Words
}

/** A version's descent: who made it, from what, under which policy. */
export interface Lineage {
  /** Undefined: not keyturn's. */
  readonly token: Token | undefined
  readonly previous: VersionId | undefined
  readonly promoted: Promotion | undefined
  readonly policy: Words
  readonly records: Words
}

/** How the newest came about; where its tags were taken off, the tombstone still knows. */
export function originOfNewest(main: Version, sibling: Sibling): Origin {
  const said = originOf(main.tags)
  if (said.token !== undefined || said.restores !== undefined || sibling.state !== 'ended' || sibling.became !== main.id)
    return said
  return { token: sibling.token, base: sibling.base }
}

/**
 * False: the newest carries an attempt that was dropped, or another one than the sibling's: one of the two came late, or a
 * person copied old tags, or a whole rotation was between the two looks; azure-late.ts tells. A second version of the last attempt that was
 * promoted has the same value, and nobody has to do anything about it.
 */
export function isExplained(main: Version, sibling: Sibling): boolean {
  if (sibling.state === 'none' || sibling.state === 'foreign') return true
  const { token, known } = originOfNewest(main, sibling)
  const good = sibling.became ?? sibling.base
  // What keyturn did not make is a person's.
  if (token === undefined || known === good || main.id === good) return true
  const wasDropped = sibling.state === 'ended' && sibling.became === undefined
  return token === sibling.token && !wasDropped
}

/** Oldest first. Lists have no order and times have seconds; within one, a base comes before what was made from it. */
export function inOrder(versions: readonly Version[], newestId: string): readonly Version[] {
  const bases = new Map(versions.map((v) => [v.id, originOf(v.tags).base ?? originOf(v.tags).restores]))
  const depthOf = (id: string): number => {
    let depth = 0
    for (let at = bases.get(id); at !== undefined && depth < bases.size; at = bases.get(at)) depth += 1
    return depth
  }
  const ranked = versions.map((v) => ({ v, depth: depthOf(v.id), isNewest: v.id === newestId ? 1 : 0 }))
  return ranked.sort((a, b) => a.isNewest - b.isNewest || a.v.createdAt - b.v.createdAt || a.depth - b.depth).map(({ v }) => v)
}

export function pastOf(main: Version, versions: readonly Version[]): Past {
  const ordered = inOrder(versions, main.id)
  const self = originOf(main.tags).restores ?? main.id
  const at = ordered.findIndex((v) => v.id === self)
  const older = ordered.slice(0, Math.max(0, at))
  const made = older.findLast((v) => originOf(v.tags).token !== undefined)
  const noted = older.findLast((v) => recordsOf(v.tags) !== undefined)
  const policed = older.findLast((v) => policyOf(v.tags) !== undefined)
  return {
    previous: older.at(-1)?.id,
    promoted: made && promotionOf(made, originOf(made.tags)),
    policy: (policed && policyOf(policed.tags)) ?? {},
    records: (noted && recordsOf(noted.tags)) ?? {}
  }
}

function promotionOf({ id, createdAt }: Version, { base }: Origin): Promotion | undefined {
  return base === undefined ? undefined : { version: id, previous: base, at: createdAt }
}

/** `past`: needed where the newest has no token of keyturn's. */
export function lineageOf(main: Version, origin: Origin, past: Past | undefined): Lineage {
  const isOurs = origin.token !== undefined
  return {
    token: origin.token,
    previous: isOurs ? origin.base : past?.previous,
    promoted: isOurs ? promotionOf(main, origin) : past?.promoted,
    policy: policyOf(main.tags) ?? past?.policy ?? {},
    records: recordsOf(main.tags) ?? (isOurs ? {} : (past?.records ?? {}))
  }
}

/** The commit is its own record; a record that somebody wrote about the newest itself goes before it. */
export function metadataIn(main: Version, { token, promoted, policy, records }: Lineage): Metadata {
  const said = metadataOf(policy, records)
  const last = token === undefined || said.promoted?.version === main.id ? (said.promoted ?? promoted) : promoted
  return withPromotion(said, last)
}

export function factsOf(vault: URL, main: Version, sibling: Sibling, lineage: Lineage, seenAt: Instant): SecretFacts {
  const ended = sibling.state === 'ended' ? sibling.token : undefined
  return {
    id: idOf(vault, main.name),
    name: main.name,
    seenAt,
    current: main.id,
    currentToken: lineage.token,
    pendings: pendingsOf(sibling),
    previous: lineage.previous,
    spent: [...new Set([ended, lineage.token])].filter((t) => t !== undefined),
    changedAt: Math.max(main.createdAt, main.updatedAt) as Instant,
    replicasInSync: true,
    managedBy: main.isManaged ? 'a certificate of Key Vault' : undefined,
    metadata: metadataIn(main, lineage)
  }
}

function pendingsOf(sibling: Sibling): readonly PendingFacts[] {
  if (sibling.state !== 'pending' && sibling.state !== 'claim') return []
  const { version, token, base, createdAt, seen } = sibling
  const shown = { version: pendingVersion(version), token, driver: 'keyturn' } as const
  return [sibling.state === 'pending' ? { ...shown, base } : { ...shown, claimedAt: createdAt, seen }]
}
