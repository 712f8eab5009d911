import { createHash } from 'node:crypto'
import type { PendingFacts } from '../ports/secret-store.ts'
import type { Token, VersionId } from '../types.ts'

/** DescribeSecret's VersionIdsToStages, ListSecrets' SecretVersionsToStages: versions that have a label, with their labels. */
export type Stages = Readonly<Record<VersionId, readonly string[]>>

export const CURRENT = 'AWSCURRENT'
export const PREVIOUS = 'AWSPREVIOUS'
/** Pending, when Secrets Manager drives. */
export const PENDING = 'AWSPENDING'
/**
 * Pending, when keyturn drives: one label, so that only one version can have it. Not AWSPENDING, because RotateSecret
 * refuses while that is on another version than current's (API_RotateSecret).
 */
export const OURS = 'keyturn-pending'

/**
 * A label that only this version can ever have, and that says which version it was made from. A label on two versions
 * is moved silently by PutSecretValue; one named for the base alone would be stolen by the next attempt from that base.
 * At most 143 of the 256 characters that a label may have.
 */
export const mark = (kind: 'base' | 'claim', base: VersionId, version: VersionId): string => `keyturn-${kind}-${base}-${version}`

/** The base in a version's mark. */
export function baseOf(labels: readonly string[], version: VersionId, kind: 'base' | 'claim' = 'base'): VersionId | undefined {
  const [before, after] = [`keyturn-${kind}-`, `-${version}`]
  const found = labels.find((l) => l.startsWith(before) && l.endsWith(after) && l.length > before.length + after.length)
  return found?.slice(before.length, -after.length)
}

export const isMark = (label: string): boolean => /^keyturn-(?:base|claim)-/.test(label)

/** A run that died between the version and its label leaves a version that nobody can tell from one of a twin's that is about to label it. */
const MOST_CLAIMS = 4

/**
 * The versions that claims of an attempt have, one after the other: its own id is for its value. Each claim has a value of its
 * own, so that of two that are made for one token at once the second finds the version taken (API_PutSecretValue,
 * ResourceExistsException).
 */
export const claimVersions = (token: Token): readonly VersionId[] =>
  Array.from({ length: MOST_CLAIMS }, (_, n) => {
    const hex = createHash('sha256').update(`keyturn claim ${token} ${n}`).digest('hex')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
  })

export const holderOf = (stages: Stages, label: string): VersionId | undefined =>
  Object.keys(stages).find((version) => stages[version]?.includes(label))

/** A version that is or was current: an attempt that ended, whatever labels it still has. */
export const isEnded = (stages: Stages, version: VersionId): boolean =>
  (stages[version] ?? []).some((l) => l === CURRENT || l === PREVIOUS)

/**
 * What is pending, as far as labels tell: a claim's token is in its note. A version that was current before is none,
 * even with a pending label on it: after a way back to the version before, its base is current again, and it would be
 * promoted once more. Nor is our label on a version without a mark: each write of ours brings its mark along, so that is
 * a label that came late, to an attempt that had ended. Such labels hold nobody up, and the next stage takes them off.
 */
export function pendingsOf(stages: Stages): readonly (PendingFacts & { readonly isClaim: boolean })[] {
  const store = holderOf(stages, PENDING)
  const ours = holderOf(stages, OURS)
  const one = (version: VersionId | undefined, driver: 'store' | 'keyturn') => {
    const labels = stages[version ?? ''] ?? []
    if (version === undefined || labels.includes(PREVIOUS)) return []
    if (driver === 'keyturn' && !labels.includes(CURRENT) && !labels.some(isMark)) return []
    const isClaim = baseOf(labels, version, 'claim') !== undefined
    return [{ version, token: version, base: baseOf(labels, version), driver, isClaim }]
  }
  return [...one(store, 'store'), ...(ours === store ? [] : one(ours, 'keyturn'))]
}

/** Who else than this attempt is under way. AWSPENDING counts also without a value: the caller takes it off first. */
export function otherHolder(stages: Stages, token: Token): VersionId | undefined {
  const mine = [token, ...claimVersions(token)]
  const ours = holderOf(stages, OURS)
  const marked = ours !== undefined && (stages[ours] ?? []).some(isMark)
  return [marked ? ours : undefined, holderOf(stages, PENDING)].find(
    (v) => v !== undefined && !mine.includes(v) && !isEnded(stages, v)
  )
}

/** What attempts left that were killed or are over, and that no look shows any more. Marks from today's base may still be in use. */
export function leftovers(stages: Stages): readonly { readonly version: VersionId; readonly label: string }[] {
  const current = holderOf(stages, CURRENT)
  return Object.entries(stages).flatMap(([version, labels]) => {
    const base = baseOf(labels, version) ?? baseOf(labels, version, 'claim')
    const inUse = labels.includes(OURS) || labels.includes(PENDING) || base === current
    const old = labels.includes(PREVIOUS) ? labels.filter((l) => l === PENDING) : []
    const marks = inUse && !isEnded(stages, version) ? [] : labels.filter(isMark)
    return [...old, ...marks].map((label) => ({ version, label }))
  })
}
