import { KeyturnError } from '../../shared/errors.ts'
import { encodePatch, type MetadataPatch } from '../../shared/metadata.ts'
import type { Attempt, PendingFacts, SecretFacts } from '../../shared/ports/secret-store.ts'
import type { Instant, SecretId, Token, VersionId } from '../../shared/types.ts'
import { metadataOf } from './model-store.ts'

/** `ours` is the label that fails when it is held; `base` stands for the label `base-…` of the same Put. */
export type Label = 'AWSCURRENT' | 'AWSPREVIOUS' | 'AWSPENDING' | 'ours'

export interface Version {
  readonly id: VersionId
  readonly createdAt: Instant
  text?: string
  base?: VersionId
  labels: readonly Label[]
}

export interface Secret {
  readonly name: string
  versions: Version[]
  tags: Record<string, string>
  changedAt: Instant
  rotatedAt?: Instant
  /** AWS has no version without a value but RotateSecret's; a claim is a tag. */
  claim?: { readonly token: Token; readonly at: Instant; readonly seen: readonly string[] } | undefined
  spent: Token[]
}

export function set(secret: Secret, key: string, text: string): true {
  secret.tags = { ...secret.tags, [key]: text }
  return true
}

export const holder = (secret: Secret, label: Label): Version | undefined => secret.versions.find((v) => v.labels.includes(label))
export const find = (secret: Secret, id: VersionId): Version | undefined => secret.versions.find((v) => v.id === id)

function take(secret: Secret, label: Label): boolean {
  const held = holder(secret, label)
  if (held) held.labels = held.labels.filter((l) => l !== label)
  return held !== undefined
}

export function attach(secret: Secret, id: VersionId, label: Label): void {
  take(secret, label)
  const version = find(secret, id)
  if (version) version.labels = [...version.labels, label]
}

export function moveCurrent(secret: Secret, to: VersionId): void {
  const from = holder(secret, 'AWSCURRENT')
  if (from) attach(secret, from.id, 'AWSPREVIOUS')
  attach(secret, to, 'AWSCURRENT')
}

export function factsOf(id: SecretId, secret: Secret, seenAt: Instant): SecretFacts {
  const current = holder(secret, 'AWSCURRENT')
  // A version that was current before is no attempt, whatever label was left on it.
  const pending = (v: Version | undefined, driver: 'store' | 'keyturn'): PendingFacts[] =>
    v && !v.labels.includes('AWSPREVIOUS') ? [{ version: v.id, token: v.id, base: v.base, driver }] : []
  const { claim } = secret
  return {
    id,
    name: secret.name,
    seenAt,
    current: current?.id,
    currentToken: current?.base === undefined ? undefined : current.id,
    pendings: [
      ...pending(holder(secret, 'AWSPENDING'), 'store'),
      ...pending(holder(secret, 'ours'), 'keyturn'),
      ...(claim
        ? [{ version: claim.token, token: claim.token, driver: 'keyturn' as const, claimedAt: claim.at, seen: claim.seen }]
        : [])
    ],
    previous: holder(secret, 'AWSPREVIOUS')?.id,
    spent: secret.spent,
    rotatedAt: secret.rotatedAt,
    changedAt: secret.changedAt,
    replicasInSync: true,
    rotationEnabled: true,
    metadata: metadataOf(secret.tags)
  }
}

/** Who holds the secret: also a token of the service's that has no value yet, which the caller takes off first. */
const underWay = (secret: Secret): Token | undefined =>
  secret.claim?.token ??
  [holder(secret, 'ours'), holder(secret, 'AWSPENDING')].find(
    (v) => v && !v.labels.some((l) => l === 'AWSCURRENT' || l === 'AWSPREVIOUS')
  )?.id

const spentError = (token: Token): KeyturnError => new KeyturnError('conflict/token-spent', `the attempt ${token} ended before`)

export function claim(secret: Secret, { token, base }: Attempt, seen: readonly string[], at: Instant): boolean {
  if (secret.spent.includes(token)) throw spentError(token)
  const held = underWay(secret)
  if (held !== undefined) throw new KeyturnError('busy/claimed', `the attempt ${held} is under way`)
  if (holder(secret, 'AWSCURRENT')?.id !== base) throw new KeyturnError('conflict/current-moved', `current is not ${base}`)
  secret.claim = { token, at, seen }
  return true
}

/**
 * Driven by keyturn: exclusive. Driven by the store: PutSecretValue, which cannot see our label, moves AWSPENDING from
 * whoever has it, and puts it on again when a run of ours took it off the token that had no value.
 */
export function stage(secret: Secret, { token, base, driver }: Attempt, text: string, at: Instant): boolean {
  if (secret.spent.includes(token)) throw spentError(token)
  const before = find(secret, token)
  if (before?.text !== undefined && before.text !== text) throw spentError(token)
  if (before?.text !== undefined) return false
  const held = underWay(secret)
  if (driver === 'keyturn' && held !== undefined && held !== token)
    throw new KeyturnError('conflict/pending-other', `the attempt ${held} is pending`)
  if (before) Object.assign(before, { text, base })
  else secret.versions.push({ id: token, createdAt: at, text, base, labels: [] })
  if (secret.claim?.token === token) secret.claim = undefined
  attach(secret, token, driver === 'store' ? 'AWSPENDING' : 'ours')
  return true
}

/** UpdateSecretVersionStage with RemoveFromVersionId: it asks what is current, not whether the token is still pending. */
export function promote(secret: Secret, { token, base }: Attempt): boolean {
  const current = holder(secret, 'AWSCURRENT')?.id
  if (current === token) return false
  if (find(secret, token)?.text === undefined) throw new KeyturnError('not-found/version', `${token} has no value`)
  if (current !== base) throw new KeyturnError('conflict/current-moved', `current is ${current}, not ${base}`)
  moveCurrent(secret, token)
  secret.spent = [...secret.spent, token]
  return true
}

export function drop(secret: Secret, token: Token): boolean {
  const version = find(secret, token)
  const claimed = secret.claim?.token === token
  if (claimed) secret.claim = undefined
  const labels = version?.labels.filter((l) => l !== 'AWSPENDING' && l !== 'ours') ?? []
  const held = version !== undefined && labels.length < version.labels.length
  if (version) version.labels = labels
  const valued = version?.text !== undefined || claimed
  if (valued && !secret.spent.includes(token)) secret.spent = [...secret.spent, token]
  return held || claimed
}

export function annotate(secret: Secret, patch: MetadataPatch): boolean {
  const { set, remove } = encodePatch(patch)
  secret.tags = Object.fromEntries(Object.entries({ ...secret.tags, ...set }).filter(([key]) => !remove.includes(key)))
  return true
}
