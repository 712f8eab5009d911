import type { Metadata, MetadataPatch } from '../metadata.ts'
import type { Instant, SecretId, SecretText, Token, VersionId } from '../types.ts'

/**
 * What a store promises, declared once by its adapter, printed in the support table and asserted by the store suite.
 * A difference between stores is a fact here, never an `if` in the core.
 */
export interface StoreFacts {
  readonly name: string
  /** `promote` fails when current is not the expected version. */
  readonly compareAndSet: boolean
  /** Writing current's value again under a new version makes a late promote fail (design rule 6). */
  readonly fence: boolean
  /** How long an ordinary reader may still be shown the version before, in ms; 0 = at once. */
  readonly convergenceMs: number
  /** `annotate` fails when the metadata changed since the look. */
  readonly metadataCompareAndSet: boolean
  /** What the store cannot promise and what happens instead, for the support table. */
  readonly cannot: string
  /** The longest value, in bytes of UTF-8; `stage` refuses a longer one with `invalid/document`. */
  readonly maxValueBytes: number
}

/** A pending value, or somebody's claim to write one. */
export interface PendingFacts {
  readonly version: VersionId
  readonly token: Token
  /** The version that was current when the attempt began. Undefined: not made by keyturn, or not valued yet. */
  readonly base?: VersionId | undefined
  /** Who drives: the store's own rotation (AWSPENDING), or keyturn. */
  readonly driver: 'store' | 'keyturn'
  /** A claim: somebody means to write a value; since when, by the store's clock. */
  readonly claimedAt?: Instant | undefined
  /** What the claim recorded, for minted keys: the ids seen at the provider before create. */
  readonly seen?: readonly string[] | undefined
}

/** One look at a secret: everything but values. Facts of one look are consistent with each other where the store can. */
export interface SecretFacts {
  /** The store's full, unambiguous id, good for every other call. */
  readonly id: SecretId
  readonly name: string
  /** The store's clock at this look (HTTP Date). */
  readonly seenAt: Instant
  readonly current?: VersionId | undefined
  /** The attempt that made current, where it was keyturn's: a request with this token is done. */
  readonly currentToken?: Token | undefined
  /** Every pending that the store shows. More than one only while two drivers met (design rule 5). */
  readonly pendings: readonly PendingFacts[]
  /** The base that the last attempt recorded; where the store keeps it by itself, what the store says. */
  readonly previous?: VersionId | undefined
  /** Tokens of attempts that ended and must not be used again, as far as the store can still show them. */
  readonly spent: readonly Token[]
  /** When the store itself says that a rotation last succeeded (AWS LastRotatedDate). */
  readonly rotatedAt?: Instant | undefined
  /** When anything about the secret last changed (AWS LastChangedDate). Later than a promotion, never earlier. */
  readonly changedAt?: Instant | undefined
  /** When the store itself says that a value was last read; AWS (LastAccessedDate) tells the day, and never of a secret not read yet. */
  readonly lastReadAt?: Instant | undefined
  /** False when a copy in another region has not caught up. */
  readonly replicasInSync: boolean
  /** Undefined: the store has no rotation of its own. */
  readonly rotationEnabled?: boolean | undefined
  /** The service that owns or rotates this secret, when it is not its owner and not keyturn: always refused. */
  readonly managedBy?: string | undefined
  readonly metadata: Metadata
  /** For `annotate`. Opaque; undefined where the store has no compare-and-set on metadata. */
  readonly revision?: string | undefined
}

export interface StoredValue {
  readonly text: SecretText
  /** When this version was created, by the store's clock. Undefined where the store does not say. */
  readonly createdAt?: Instant | undefined
  /**
   * What this very answer says of the version's stages (AWS: VersionStages), so that a step need not look again.
   * Undefined where the store's read does not say.
   */
  readonly stages?: { readonly current: boolean; readonly pending: boolean; readonly base?: VersionId | undefined } | undefined
}

export interface Attempt {
  readonly token: Token
  /** The version that current named in the look this attempt was made from. */
  readonly base: VersionId
  /** Whose stage holds it: the store's own rotation named the token (AWSPENDING), or keyturn did. */
  readonly driver: 'store' | 'keyturn'
}

/**
 * What the answer of `stage` tells where a look could add nothing, because only runs that hold the lock write pendings:
 * the value is kept under this version, alone. Then the core does not look again; each write still compares, or looks.
 */
export interface Staged {
  readonly version: VersionId
  readonly createdAt?: Instant | undefined
}

/** What the answer of `promote` tells where a look could add nothing. */
export interface Promoted {
  /** The version that current names now. */
  readonly version: VersionId
  /** When it became so, by the store's clock. */
  readonly at: Instant
  /** The commit itself keeps version, base and time: a look shows them as `metadata.promoted`, and `retired` is gone. */
  readonly recorded: boolean
}

/**
 * A place that keeps secrets by name, version and stage. Each call is one logical effect; every method may throw
 * KeyturnError with class `denied`, `throttled`, `unavailable`, `disabled` or `not-found`. A lost answer is
 * `unavailable/store`, and means "cannot tell": the caller looks again. `signal` bounds the network wait, nothing else.
 */
export interface SecretStore {
  readonly facts: StoreFacts

  /**
   * Looks, without values. Undefined only when the store itself said that there is no such secret; denied, disabled
   * and cannot-tell throw. Not guaranteed: that the look is newer than another process's last write (facts.convergenceMs).
   */
  describe(id: SecretId, signal: AbortSignal): Promise<SecretFacts | undefined>

  /** Reads one version by the id a look named. Undefined: the store said that this version has no value. Repeatable. */
  read(id: SecretId, version: VersionId, signal: AbortSignal): Promise<StoredValue | undefined>

  /**
   * Announces an attempt before its value exists, and is given to one caller only. Fails with `busy/claimed` when anybody
   * holds a claim or a pending value, the same token too: nobody can tell an earlier claim of his own from one of another
   * delivery of the same request. Fails with `conflict/current-moved` when current is not `base`, as far as the store can see:
   * a rotation of keyturn's since then always shows.
   */
  claim(id: SecretId, attempt: Attempt, seen: readonly string[], signal: AbortSignal): Promise<void>

  /**
   * Keeps the new value as pending; ordinary readers of current do not notice. Exclusive: fails with
   * `conflict/pending-other` when another token is pending. A repeat with the same token and value succeeds; the same
   * token with another value fails with `conflict/token-spent`, as does a token that `drop` or `promote` ended.
   * Undefined: it is kept, and only a look tells beside what.
   */
  stage(id: SecretId, attempt: Attempt, value: SecretText, signal: AbortSignal): Promise<Staged | undefined>

  /**
   * Makes the attempt's value current, and `base` previous. A reader sees the old or the new, never neither.
   * Fails with `conflict/current-moved` when current is neither `base` nor already this attempt's value, where
   * facts.compareAndSet. A repeat after success succeeds and changes nothing. Undefined: it is current, and only a look
   * tells the rest.
   */
  promote(id: SecretId, attempt: Attempt, signal: AbortSignal): Promise<Promoted | undefined>

  /**
   * Ends an attempt: its pending stage or claim goes, current and previous stay. The token is spent. A repeat, or a
   * token that holds nothing, succeeds. Never touches another token's pending. `nothing pending`: the answer itself shows
   * that no attempt is left; undefined: only a look tells.
   */
  drop(id: SecretId, token: Token, signal: AbortSignal): Promise<'nothing pending' | undefined>
}

/** What sweep, plan and inventory read, and the only door for metadata. Values are never needed here. */
export interface SecretCatalog {
  /** Every secret with keyturn's metadata, in no order, page by page; a secret may change while the list runs. */
  list(signal: AbortSignal): AsyncIterable<SecretFacts>

  /**
   * Writes metadata: each key of the patch is set, or removed when null; others stay. With `expected` (a look's
   * revision) it fails with `conflict/metadata-changed` where facts.metadataCompareAndSet. A repeat succeeds.
   */
  annotate(id: SecretId, patch: MetadataPatch, expected: string | undefined, signal: AbortSignal): Promise<void>
}

export interface CurrentValue {
  readonly id: SecretId
  readonly version: VersionId
  readonly text: SecretText
  readonly createdAt?: Instant | undefined
}

/** The ordinary read: what admin secrets, which nobody stages, are read by. */
export interface CurrentReader {
  /** What is current now, in one call; it may be an older one within facts.convergenceMs. Fails with `not-found/secret`, `disabled/secret`. */
  readCurrent(id: SecretId, signal: AbortSignal): Promise<CurrentValue>
}
