import { decodeMetadata, type Metadata, withPromotion } from '../metadata.ts'
import type { PendingFacts, SecretFacts } from '../ports/secret-store.ts'
import { type Instant, instant } from '../types.ts'
import { mainVersion, pendingVersion } from './gcp-names.ts'
import { PREFIX } from './gcp-record.ts'
import { createdAt, type Gcp, placeIn, type Sight } from './gcp-sight.ts'

/** What a look shows. One call more where a person's version is current, for the time it was made. */
export async function factsOf(gcp: Gcp, sight: Sight, signal: AbortSignal): Promise<SecretFacts> {
  const { known, newest } = sight
  const { seen } = known
  const current = newest === 0 ? undefined : mainVersion(newest)
  const metadata = await metadataOf(gcp, sight, signal)
  const { promoted } = metadata
  const isRecorded = promoted !== undefined && promoted.version === current
  // A record is not older than its version; so it is the time that is good enough, without a call.
  if (isRecorded && !known.created.has(newest)) known.created.set(newest, promoted.at)
  const made = newest === 0 ? seen.seenAt : ((await createdAt(gcp, known, newest, signal)) ?? seen.seenAt)
  const previous = isRecorded ? promoted.previous : newest > 1 ? mainVersion(newest - 1) : undefined
  known.versions.shown = { current: newest, previous: promoted?.previous }
  return {
    id: seen.resource,
    name: placeIn(gcp, seen).name,
    seenAt: seen.seenAt,
    current,
    currentToken: tokenOf(sight),
    pendings: pendingsOf(sight),
    previous,
    spent: spentIn(sight),
    changedAt: instant(Math.max(made, isRecorded ? promoted.at : 0)),
    // Replication is synchronous or not shown: ReplicationStatus (resources.proto) has the keys of the replicas, and no state.
    replicasInSync: true,
    managedBy: seen.isManaged ? 'Google managed rotation' : undefined,
    metadata,
    revision: seen.etag
  }
}

function spentIn({ known, landed, staging }: Sight): readonly string[] {
  const { ended, commit, attempt } = known.seen.record
  const isOver = landed !== undefined || staging?.isEnded
  return [...ended, ...(commit ? [commit.token] : []), ...(attempt && isOver ? [attempt.token] : [])]
}

/** The attempt that made the newest version: where the record says so, or the value. */
function tokenOf({ known, newest, landed, isRepeat }: Sight): string | undefined {
  const { attempt, commit } = known.seen.record
  if (attempt && landed === newest) return attempt.token
  return isRepeat || commit?.version === newest ? commit?.token : undefined
}

/**
 * A claim has no value yet. An attempt that announced a value and has none is nobody's: who announced it died, or writes
 * it in a moment and was not answered yet, and the next `stage` waits for that. One that was promoted, and another version
 * came after, is over, whether its record is missing or not shown yet.
 */
function pendingsOf({ known, staging, landed, newest }: Sight): readonly PendingFacts[] {
  const { attempt } = known.seen.record
  if (!attempt || !staging || staging.isEnded || (landed !== undefined && landed !== newest)) return []
  const { token, base, number, claim } = attempt
  const facts = { version: pendingVersion(number), token, driver: 'keyturn' as const }
  if (staging.value) return [{ ...facts, base }]
  return claim ? [{ ...facts, claimedAt: claim.at, seen: claim.seen }] : []
}

/**
 * The commit is its own record, and where it was not written (killed in between), the version that has the pending's value
 * says the same. A retirement of another version than the one that it replaced is no news.
 */
async function metadataOf(gcp: Gcp, sight: Sight, signal: AbortSignal): Promise<Metadata> {
  const { known, newest, landed, isRepeat } = sight
  const { record, annotations } = known.seen
  const metadata = decodeMetadata(annotations, PREFIX)
  const { promoted } = metadata
  if (landed !== undefined && record.attempt && !(Number(promoted?.version) > landed)) {
    const at: Instant = (await createdAt(gcp, known, landed, signal)) ?? known.seen.seenAt
    const { base } = record.attempt
    return withPromotion(metadata, { version: mainVersion(landed), previous: base, at })
  }
  if (!isRepeat || !promoted || promoted.version !== mainVersion(record.commit?.version ?? 0)) return metadata
  return { ...metadata, promoted: { ...promoted, version: mainVersion(newest) } }
}
