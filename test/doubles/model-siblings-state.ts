import { KeyturnError } from '../../shared/errors.ts'
import { type Metadata, withPromotion } from '../../shared/metadata.ts'
import type { Attempt, SecretFacts } from '../../shared/ports/secret-store.ts'
import type { Instant, Token, VersionId } from '../../shared/types.ts'
import { metadataOf } from './model-store.ts'

/** How long metadata, and what an ordinary reader gets, may be old. */
export const CONVERGENCE_MS = 3_600_000

export interface Version {
  readonly id: VersionId
  readonly createdAt: Instant
  readonly text: string
  /**
   * Azure: tags, in one write with the value. GCP and KV have none on a version: there the attempt is found again by
   * comparing the newest value with the staged one, which says the same.
   */
  readonly made?: Pick<Attempt, 'token' | 'base'> | undefined
}

interface Meta {
  readonly tags: Readonly<Record<string, string>>
  readonly revision: number
  readonly changedAt: Instant
  /** GCP: the record of the last promotion is in the annotations too, and as old as they are: which version, by place. */
  readonly recorded: number
  /** As it was before the last change. */
  readonly before: Meta | undefined
}

export interface Secret {
  readonly name: string
  /** The newest is the last, and current. */
  versions: readonly Version[]
  /** The sibling's newest version. A tombstone is none, and its token is spent. */
  attempt: (Attempt & { readonly claimedAt?: Instant | undefined; readonly seen?: readonly string[] | undefined }) | undefined
  /** The sibling's versions, by token: a tombstone does not take them away. */
  values: Readonly<Record<Token, Pick<Version, 'text' | 'createdAt'>>>
  spent: readonly Token[]
  meta: Meta
  /** Of the sibling, for stores that can compare. */
  revision: number
}

export type Decided = ((secret: Secret) => void) | undefined

export function newest({ versions }: Secret): Version {
  const found = versions.at(-1)
  if (!found) throw new TypeError('a secret without a version')
  return found
}

const PENDING = 'pending '
export const pendingVersion = (token: Token): VersionId => PENDING + token

export const textOf = (secret: Secret, version: VersionId): Pick<Version, 'text' | 'createdAt'> | undefined =>
  version.startsWith(PENDING) ? secret.values[version.slice(PENDING.length)] : secret.versions.find((v) => v.id === version)

/** From two or three answers, which may be of different moments. */
export function factsOf(
  kind: 'sibling' | 'stale' | 'cas',
  main: Secret,
  { attempt }: Secret,
  { spent }: Secret,
  meta: Meta,
  seenAt: Instant
): SecretFacts {
  const current = newest(main)
  const isClaim = attempt?.claimedAt !== undefined
  return {
    id: main.name,
    name: main.name,
    seenAt,
    current: current.id,
    currentToken: current.made?.token,
    pendings: attempt
      ? [
          {
            version: PENDING + attempt.token,
            token: attempt.token,
            driver: 'keyturn',
            base: isClaim ? undefined : attempt.base,
            claimedAt: attempt.claimedAt,
            seen: attempt.seen
          }
        ]
      : [],
    previous: current.made?.base ?? main.versions.at(-2)?.id,
    spent,
    changedAt: Math.max(current.createdAt, meta.changedAt) as Instant,
    replicasInSync: true,
    metadata: recorded(main, metadataOf(meta.tags), kind === 'stale' ? meta.recorded : lastMade(main)),
    revision: kind === 'stale' ? String(meta.revision) : undefined
  }
}

/**
 * The commit is its own record: version, base and time of the last promotion are found in the versions (Azure's tags, the
 * tombstone in the sibling of KV, annotations of GCP), and a retirement that is older than it is no news. A record that
 * was written of a newer version (a person's, which the core took note of) stands.
 */
function recorded({ versions }: Secret, metadata: Metadata, at: number): Metadata {
  const last = versions[at]
  if (!last?.made || versions.findIndex((v) => v.id === metadata.promoted?.version) > at) return metadata
  return withPromotion(metadata, { version: last.id, previous: last.made.base, at: last.createdAt })
}

const lastMade = ({ versions }: Secret): number => versions.findLastIndex((v) => v.made)

export function add(secret: Secret, at: Instant, text: string, made: Version['made']): Version {
  const version = { id: `v${secret.versions.length}`, createdAt: at, text, made }
  secret.versions = [...secret.versions, version]
  return version
}

export function annotate(secret: Secret, at: Instant, set: Readonly<Record<string, string>>, remove: readonly string[]): void {
  const kept = Object.entries({ ...secret.meta.tags, ...set }).filter(([key]) => !remove.includes(key))
  const { before: _, ...before } = secret.meta
  secret.meta = {
    tags: Object.fromEntries(kept),
    revision: before.revision + 1,
    changedAt: at,
    recorded: lastMade(secret),
    before: { ...before, before: undefined }
  }
}

function refuseSpent(secret: Secret, token: Token): void {
  if (secret.spent.includes(token) || newest(secret).made?.token === token)
    throw new KeyturnError('conflict/token-spent', `the attempt ${token} ended before`)
}

const holder = (secret: Secret): Token | undefined =>
  secret.attempt && !secret.spent.includes(secret.attempt.token) && newest(secret).made?.token !== secret.attempt.token
    ? secret.attempt.token
    : undefined

export function claimed(secret: Secret, attempt: Attempt, seen: readonly string[], at: Instant): Decided {
  refuseSpent(secret, attempt.token)
  const held = holder(secret)
  if (held !== undefined) throw new KeyturnError('busy/claimed', `the attempt ${held} is under way`)
  if (newest(secret).id !== attempt.base) throw new KeyturnError('conflict/current-moved', `current is not ${attempt.base}`)
  return (s) => {
    s.attempt = { ...attempt, claimedAt: at, seen }
    s.revision += 1
  }
}

export function staged(secret: Secret, attempt: Attempt, text: string, createdAt: Instant): Decided {
  const { token, base, driver } = attempt
  refuseSpent(secret, token)
  const held = holder(secret)
  if (held !== undefined && held !== token) throw new KeyturnError('conflict/pending-other', `the attempt ${held} is pending`)
  const before = secret.values[token]?.text
  if (before !== undefined && before !== text)
    throw new KeyturnError('conflict/token-spent', `the attempt ${token} has another value`)
  if (before !== undefined && held === token) return undefined
  return (s) => {
    s.attempt = { token, base, driver }
    s.values = { ...s.values, [token]: { text, createdAt } }
    s.revision += 1
  }
}

/** A tombstone keeps the token. */
export function dropped(secret: Secret, token: Token): Decided {
  if (secret.attempt?.token !== token) return undefined
  return (s) => {
    s.attempt = undefined
    s.spent = [...s.spent, token]
    s.revision += 1
  }
}
