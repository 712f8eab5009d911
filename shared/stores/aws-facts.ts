import { decodeMetadata } from '../metadata.ts'
import type { PendingFacts, SecretFacts } from '../ports/secret-store.ts'
import type { SecretId } from '../types.ts'
import { type Aws, type Description, getValue } from './aws-calls.ts'
import { CURRENT, holderOf, PREVIOUS, pendingsOf } from './aws-labels.ts'

export const TAG_PREFIX = 'keyturn:'

/** What a claim's version holds instead of a secret: the same for a repeat, so without a time. */
export interface ClaimNote {
  readonly token: string
  readonly seen: readonly string[]
  /** Tells one claim from another of the same token. */
  readonly nonce?: string | undefined
}

export async function factsOf(aws: Aws, { raw, stages, seenAt }: Description, signal: AbortSignal): Promise<SecretFacts> {
  const id = raw.ARN ?? raw.Name ?? ''
  const current = holderOf(stages, CURRENT)
  const previous = holderOf(stages, PREVIOUS)
  const tags = Object.fromEntries((raw.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]))
  const pendings = await Promise.all(
    pendingsOf(stages).map(({ isClaim, ...pending }) => (isClaim ? claimFacts(aws, id, pending, signal) : pending))
  )
  return {
    id,
    name: raw.Name ?? id,
    seenAt,
    current,
    // A version's id is the token that wrote it, whoever did.
    currentToken: current,
    pendings,
    previous,
    spent: [current, previous].filter((v) => v !== undefined),
    rotatedAt: raw.LastRotatedDate && at(raw.LastRotatedDate),
    changedAt: raw.LastChangedDate && at(raw.LastChangedDate),
    lastReadAt: raw.LastAccessedDate && at(raw.LastAccessedDate),
    replicasInSync: (raw.ReplicationStatus ?? []).every((r) => r.Status === 'InSync'),
    rotationEnabled: raw.RotationEnabled,
    // API_DescribeSecret: OwningService made the secret; Type is a partner whose secret Secrets Manager itself rotates.
    managedBy: raw.OwningService ?? raw.Type,
    metadata: decodeMetadata(tags, TAG_PREFIX)
  }
}

const at = (date: Date): SecretFacts['seenAt'] => date.getTime() as SecretFacts['seenAt']

/** Labels show that there is a claim, its version's value whose and what was seen. One call, only while a claim is held. */
async function claimFacts(aws: Aws, id: SecretId, pending: PendingFacts, signal: AbortSignal): Promise<PendingFacts> {
  const found = await getValue(aws, id, pending.version, signal)
  const note = found && parseNote(found.text.reveal())
  return note ? { ...pending, token: note.token, claimedAt: found.createdAt, seen: note.seen } : pending
}

function parseNote(text: string): ClaimNote | undefined {
  try {
    const { token, seen } = JSON.parse(text) as Partial<ClaimNote>
    return typeof token === 'string' && Array.isArray(seen) ? { token, seen: seen.map(String) } : undefined
  } catch {
    return undefined
  }
}
