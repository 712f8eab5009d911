import { hasCode, KeyturnError } from '../errors.ts'
import type { SecretText } from '../types.ts'
import { access, addVersion, destroyVersion, type Found } from './gcp-calls.ts'
import { isFresh, patch } from './gcp-change.ts'
import type { Known, Seen } from './gcp-memory.ts'
import { mainVersion, siblingOf } from './gcp-names.ts'
import { type Left, PREFIX, type RotationRecord } from './gcp-record.ts'
import { createdAt, type Gcp, placeIn, readHead, type Sight } from './gcp-sight.ts'

/** Longer than a request can be on its way, whatever became of its sender. */
const LATE_MS = 15 * 60_000

/** A promotion that landed after its attempt was dropped, and the value that was current before. */
export interface Late {
  readonly good: { readonly number: number; readonly text: SecretText }
}

/**
 * Whether the newest version is the value of an attempt that was dropped: its promotion was on its way, and landed late
 * (design rule 6: what cannot be fenced is found and repaired). The copy in the sibling tells it from a person's version,
 * of an attempt that was dropped no longer than a request can take before, and no other copy: what was current once may be
 * so again by a person's will. Where nothing is left that could be current instead, it is taken for a person's.
 * One call for the time of a person's version, and one a copy that is young enough for it.
 */
export async function lateIn(gcp: Gcp, sight: Sight, signal: AbortSignal): Promise<Late | undefined> {
  const { known, found, landed, isRepeat } = sight
  const newest = found.at(-1)
  const dropped = droppedIn(sight)
  if (!newest?.text || landed === newest.number || isRepeat || dropped.length === 0) return undefined
  const made = (await createdAt(gcp, known, newest.number, signal)) ?? known.seen.seenAt
  const young = dropped.filter((l) => made - l.at <= LATE_MS)
  if (!isOneOf(await copies(gcp, known.seen, young, signal), newest)) return undefined
  const bad = await copies(gcp, known.seen, dropped, signal)
  const good = found.findLast((f) => f.text && !isOneOf(bad, f)) ?? (await accepted(gcp, known.seen, signal))
  return good?.text && { good: { number: good.number, text: good.text } }
}

/** Also one of which the sibling says so, and the record not yet. */
function droppedIn({ known: { seen }, staging }: Sight): readonly Left[] {
  const { attempt, left } = seen.record
  const also = attempt && staging?.isEnded ? [{ number: attempt.number, at: seen.seenAt, dropped: attempt.token }] : []
  return [...left.filter((l) => l.dropped !== undefined), ...also]
}

const isOneOf = (texts: readonly SecretText[], { text }: Found): boolean => texts.some((t) => text?.equals(t))

/** The version that the record calls current: who wrote that had looked, and found nothing amiss. */
async function accepted(gcp: Gcp, { resource, record }: Seen, signal: AbortSignal): Promise<Found | undefined> {
  return record.current === undefined ? undefined : access(gcp.client, resource, record.current, signal)
}

/** A sibling that was made anew counts from one again: so the token is looked at too. */
async function copies(gcp: Gcp, seen: Seen, left: readonly Left[], signal: AbortSignal): Promise<readonly SecretText[]> {
  const sibling = siblingOf(placeIn(gcp, seen))
  const found = await Promise.all(left.map(({ number }) => access(gcp.client, sibling, number, signal)))
  return found.flatMap((f, n) => {
    const head = readHead(f)
    return head?.head === 'pending' && head.token === left[n]?.dropped ? head.value : []
  })
}

/**
 * Adds what was current before once more. The PATCH before it is the proof that the look was not old and that nobody else
 * is at it; the number is asked for again right before the add, as for every commit. Killed in between, the next look
 * finds the same. Fails with `unavailable/store` where somebody came between.
 */
export async function repair(gcp: Gcp, { known, newest }: Sight, { good }: Late, signal: AbortSignal): Promise<void> {
  const { resource, record } = known.seen
  const after = await patch(gcp, known.seen, { part: {} }, signal).catch((e: unknown) => {
    throw hasCode(e, 'conflict/metadata-changed') ? between(resource) : e
  })
  if ((await access(gcp.client, resource, newest + 1, signal)) || !isFresh(gcp, after)) throw between(resource)
  const made = await addVersion(gcp.client, resource, good.text, signal, 'never')
  after.created.set(made.number, made.createdAt)
  const isOurs = record.commit?.version === good.number
  const commit = isOurs && record.commit ? { commit: { ...record.commit, version: made.number } } : {}
  const [, previous, at] = after.seen.annotations[`${PREFIX}promoted`]?.split('/') ?? []
  const others = isOurs ? { [`${PREFIX}promoted`]: `${mainVersion(made.number)}/${previous}/${at}` } : {}
  await patch(gcp, after.seen, { part: { ...commit, current: made.number }, others }, signal)
}

const between = (resource: string): KeyturnError =>
  new KeyturnError('unavailable/store', `${resource} changed while a late promotion was put right; run again`)

/** What of the sibling is over for long is destroyed, by whoever writes anyway. Gives the record's part that says so. */
export async function tidied(gcp: Gcp, known: Known, signal: AbortSignal): Promise<Pick<RotationRecord, 'left'>> {
  const { seen, destroyed } = known
  const { left, attempt } = seen.record
  const sibling = siblingOf(placeIn(gcp, seen))
  const isOver = (l: Left): boolean => known.clock() - l.at > LATE_MS && l.number !== attempt?.number
  for (const { number } of left.filter((l) => isOver(l) && !destroyed.has(l.number)))
    await destroyVersion(gcp.client, sibling, number, signal).then(
      () => void destroyed.add(number),
      () => {}
    )
  return { left: left.filter((l) => !destroyed.has(l.number)) }
}
