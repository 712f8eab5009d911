import { hasCode, KeyturnError } from '../errors.ts'
import type { SecretText } from '../types.ts'
import { access, addVersion, destroyVersion } from './gcp-calls.ts'
import { patch } from './gcp-change.ts'
import type { Known } from './gcp-memory.ts'
import { mainVersion, siblingOf } from './gcp-names.ts'
import { PREFIX, type RotationRecord } from './gcp-record.ts'
import { type Gcp, placeIn, readHead, type Sight } from './gcp-sight.ts'

/** Longer than a request can be on its way, whatever became of its sender. */
const LATE_MS = 15 * 60_000

/**
 * Whether the newest version is the value of an attempt that was dropped: its promotion was on its way, and landed late
 * (design rule 6: what cannot be fenced is found and repaired). Its copy in the sibling tells it from a person's version.
 */
export async function isLate(gcp: Gcp, { known, found, landed, isRepeat }: Sight, signal: AbortSignal): Promise<boolean> {
  const newest = found.at(-1)
  if (!newest?.text || landed === newest.number || isRepeat) return false
  for (const text of await copies(gcp, known, signal)) if (text.equals(newest.text)) return true
  return false
}

async function copies(gcp: Gcp, { seen }: Known, signal: AbortSignal): Promise<readonly SecretText[]> {
  const sibling = siblingOf(placeIn(gcp, seen))
  const found = await Promise.all(seen.record.left.map(({ number }) => access(gcp.client, sibling, number, signal)))
  return found.flatMap((f) => readHead(f)?.value ?? [])
}

/**
 * Adds what was current before once more. The PATCH before it is the proof that the look was not old and that nobody else
 * is at it; the number is asked for again right before the add, as for every commit. Killed in between, the next look
 * finds the same. Fails with `unavailable/store` where somebody came between, and with `not-found/version` where no value
 * is left that could be current again.
 */
export async function repair(gcp: Gcp, { known, found, newest }: Sight, signal: AbortSignal): Promise<void> {
  const { resource, record } = known.seen
  const start = record.current === undefined ? undefined : await access(gcp.client, resource, record.current, signal)
  const copied = await copies(gcp, known, signal)
  const isGood = (text: SecretText | undefined): text is SecretText => text !== undefined && !copied.some((c) => c.equals(text))
  const good = [...(start ? [start] : []), ...found].findLast((f) => isGood(f.text))
  if (!good?.text)
    throw new KeyturnError('not-found/version', `version ${newest} of ${resource} was dropped and landed late; write a new one`)
  const after = await patch(gcp, known.seen, { part: {} }, signal).catch((e: unknown) => {
    throw hasCode(e, 'conflict/metadata-changed') ? between(resource) : e
  })
  if (await access(gcp.client, resource, newest + 1, signal)) throw between(resource)
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
export async function tidied(gcp: Gcp, known: Known, signal: AbortSignal): Promise<Partial<RotationRecord>> {
  const { seen, destroyed } = known
  const sibling = siblingOf(placeIn(gcp, seen))
  const old = seen.record.left.filter((l) => known.clock() - l.at > LATE_MS && !destroyed.has(l.number))
  for (const { number } of old)
    await destroyVersion(gcp.client, sibling, number, signal).then(
      () => void destroyed.add(number),
      () => {}
    )
  return { left: seen.record.left.filter((l) => !destroyed.has(l.number)) }
}
