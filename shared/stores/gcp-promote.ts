import { setTimeout as pause } from 'node:timers/promises'
import { hasCode, KeyturnError } from '../errors.ts'
import { encodePatch } from '../metadata.ts'
import type { Attempt, Promoted } from '../ports/secret-store.ts'
import { type Instant, instant, type SecretId, type SecretText, type Token } from '../types.ts'
import { addVersion, destroyVersion, type Found } from './gcp-calls.ts'
import { change, type Decision, isFresh, LEASE_MS } from './gcp-change.ts'
import { throttledPauseMs } from './gcp-client.ts'
import type { Known, Seen } from './gcp-memory.ts'
import { mainVersion, pendingVersion, siblingOf } from './gcp-names.ts'
import { type AttemptRecord, PREFIX, type RotationRecord } from './gcp-record.ts'
import { add } from './gcp-sibling.ts'
import { ask, createdAt, type Gcp, missing, placeIn, recent, stagingOf, walk, written } from './gcp-sight.ts'

/**
 * Three calls: the next number is asked for (not found: nobody was there), the version is added, and the annotations say
 * so and that the attempt is over. Where the lease of the stage is over, or another process staged it, two calls more at
 * most prove that it is still under way, and one gives its value. A lost answer is resolved by whoever comes next: by number, and by the value.
 */
export async function promote(gcp: Gcp, id: SecretId, attempt: Attempt, signal: AbortSignal): Promise<Promoted | undefined> {
  const { token } = attempt
  const known = await proven(gcp, id, token, signal)
  const { record } = known.seen
  if (record.commit?.token === token) return promotedIn(known.seen)
  const staged = record.attempt
  if (staged?.token !== token) throw notUnderWay(known.seen, token)
  const value = await stagedValue(gcp, known.seen, staged, signal)
  if (staged.base !== attempt.base)
    throw new KeyturnError('conflict/current-moved', `${token} was made from version ${staged.base}, not ${attempt.base}`)
  return commit(gcp, known, staged, value, signal)
}

const nothingStaged = (token: Token): KeyturnError => new KeyturnError('not-found/version', `the attempt ${token} has no value`)

/** Another attempt that is under way is for the next run to carry on. */
const notUnderWay = ({ resource, record }: Seen, token: Token): KeyturnError =>
  record.attempt
    ? new KeyturnError('conflict/pending-other', `the attempt ${record.attempt.token} at ${resource} is under way, not ${token}`)
    : nothingStaged(token)

/** The state with the attempt in it, of which this process wrote itself a moment ago; or with the attempt's commit. */
async function proven(gcp: Gcp, id: SecretId, token: Token, signal: AbortSignal): Promise<Known> {
  const first = await concerning(gcp, id, token, signal)
  const decide = (known: Known): Decision<Known> => {
    const { attempt, commit } = known.seen.record
    if (commit?.token === token || (known === first && isLeased(gcp, known, token))) return { done: known }
    if (attempt?.token !== token) throw notUnderWay(known.seen, token)
    return { part: {}, follow: (after) => after }
  }
  return change(gcp, first, decide, signal)
}

/** By the newest that this process knows: another run of it may have ended the attempt. */
function isLeased(gcp: Gcp, { seen }: Known, token: Token): boolean {
  const now = gcp.memory.known(seen.resource)
  return now?.seen.record.attempt?.token === token && isFresh(gcp, now)
}

/** What is known, if it knows of the token; else the service is asked, because nothing here would show that it is old. */
async function concerning(gcp: Gcp, id: SecretId, token: Token, signal: AbortSignal): Promise<Known> {
  const known = await recent(gcp, id, signal)
  const { attempt, commit } = known.seen.record
  if (attempt?.token === token || commit?.token === token) return known
  const found = await ask(gcp, id, signal)
  if (!found) throw missing(id)
  return found
}

/** What the record says of its own commit; undefined where somebody wrote another record since. */
function promotedIn({ record, annotations }: Seen): Promoted | undefined {
  const [version, , at] = annotations[`${PREFIX}promoted`]?.split('/') ?? []
  if (version === undefined || version !== String(record.commit?.version) || at === undefined) return undefined
  return { version, at: instant(Date.parse(at)), recorded: true }
}

async function stagedValue(gcp: Gcp, seen: Seen, staged: AttemptRecord, signal: AbortSignal): Promise<SecretText> {
  const kept = gcp.memory.peek(seen.resource, pendingVersion(staged.number))
  if (kept) return kept
  const { value, isEnded } = await stagingOf(gcp, seen, staged, signal)
  if (!value || isEnded) throw nothingStaged(staged.token)
  return value
}

interface Made {
  readonly number: number
  readonly createdAt: Instant | undefined
  /** A person added another version since. */
  readonly isOvertaken?: boolean
}

/**
 * Each add has an answered question right before it, and the lease; where that went by while the question was asked, it is
 * proved, and asked once more. One that was throttled did nothing, and all is done again.
 */
async function commit(gcp: Gcp, first: Known, staged: AttemptRecord, value: SecretText, signal: AbortSignal) {
  const { resource } = first.seen
  let known = first
  for (let turn = 1; turn <= MOST_TURNS; turn++) {
    const landed = await landing(gcp, known, staged, value, signal)
    if (landed) return recorded(gcp, known, staged, landed, signal)
    if (isLeased(gcp, known, staged.token)) {
      const made = await added(gcp, resource, value, turn, signal)
      if (made) return recorded(gcp, known, staged, made, signal)
    } else {
      known = await proven(gcp, resource, staged.token, signal)
      if (known.seen.record.commit?.token === staged.token) return promotedIn(known.seen)
    }
  }
  throw new KeyturnError('unavailable/store', `each look at ${resource} took longer than a lease, and nothing was promoted`)
}

async function landing(gcp: Gcp, known: Known, staged: AttemptRecord, value: SecretText, signal: AbortSignal) {
  const { resource } = known.seen
  const found = await walk(gcp, resource, Number(staged.base), signal)
  const landed = landedIn(found, value)
  if (landed !== undefined) return madeAt(gcp, known, landed, found, signal)
  if (found.length === 0) return undefined
  throw new KeyturnError(
    'conflict/current-moved',
    `version ${found.at(-1)?.number} of ${resource} was added after ${staged.base}`
  )
}

/** Undefined: it was throttled, and waited. */
async function added(gcp: Gcp, resource: string, value: SecretText, turn: number, signal: AbortSignal) {
  try {
    return await addVersion(gcp.client, resource, value, signal, 'never')
  } catch (e) {
    if (!hasCode(e, 'throttled/store') || turn === MOST_TURNS) throw e
    await pause(throttledPauseMs(turn), undefined, { signal }).catch(() => {
      throw e
    })
    return undefined
  }
}

const MOST_TURNS = 4

/** Of a version that was added by a call whose answer was lost. */
async function madeAt(gcp: Gcp, known: Known, number: number, found: readonly Found[], signal: AbortSignal): Promise<Made> {
  const isOvertaken = found.at(-1)?.number !== number
  return { number, isOvertaken, createdAt: await createdAt(gcp, known, number, signal) }
}

const landedIn = (found: readonly Found[], value: SecretText): number | undefined =>
  found.findLast((f) => f.text?.equals(value))?.number

async function recorded(gcp: Gcp, known: Known, staged: AttemptRecord, made: Made, signal: AbortSignal) {
  const version = mainVersion(made.number)
  // Where the service does not show yet when it was made: now, which is later, and that is safe (design rule 7).
  const at = made.createdAt ?? known.clock()
  const decide = ({ seen }: Known): Decision<Promoted | undefined> => {
    // Somebody ended the attempt meanwhile, and the value is current all the same: the next look finds it.
    if (seen.record.attempt?.token !== staged.token) return { done: undefined }
    const promoted = { version, previous: staged.base, at }
    return {
      part: committed(seen, staged, made, at),
      others: { ...encodePatch({ promoted }, PREFIX).set, [`${PREFIX}retired`]: undefined },
      follow: (after) => {
        gcp.memory.take(seen.resource, pendingVersion(staged.number))
        after.versions.newest = made.number
        after.created.set(made.number, at)
        return made.isOvertaken ? undefined : { version, at, recorded: true }
      }
    }
  }
  return change(gcp, known, decide, signal)
}

const committed = ({ record }: Seen, { token, number }: AttemptRecord, made: Made, at: Instant): Partial<RotationRecord> => ({
  current: made.number,
  commit: { version: made.number, token },
  attempt: undefined,
  ended: record.commit ? [...record.ended, record.commit.token] : record.ended,
  // Its copy of the value is still there: `drop` destroys it, and where no drop came, whoever writes later.
  left: [...record.left, { number, at }],
  sibling: number
})

/**
 * After a promotion one call: the commit ended the attempt, and the sibling's copy of the value goes, which nobody reads.
 * (A PATCH in between, so that a look shows the pending until now, would be a thirteenth call of a rotation.) Of an attempt
 * that was not promoted two: the sibling says so first, which every process sees at once, then the annotations. Its value
 * stays where it is for a while, so that a late promotion of it can be told from a person's version.
 */
export async function drop(gcp: Gcp, id: SecretId, token: Token, signal: AbortSignal): Promise<'nothing pending' | undefined> {
  const known = await concerning(gcp, id, token, signal)
  const { record } = known.seen
  if (record.attempt?.token === token) return end(gcp, known, record.attempt, signal)
  if (record.commit?.token !== token) return undefined
  const isGone = await discardCopy(gcp, known, signal)
  return isGone && record.attempt === undefined && known.provedWithin(LEASE_MS) ? 'nothing pending' : undefined
}

async function end(gcp: Gcp, known: Known, held: AttemptRecord, signal: AbortSignal): Promise<'nothing pending' | undefined> {
  const { seen } = known
  const { token, number } = held
  const { value } = await stagingOf(gcp, seen, held, signal)
  const found = value ? await walk(gcp, seen.resource, Number(held.base), signal) : []
  const landed = value && landedIn(found, value)
  if (landed !== undefined) {
    await recorded(gcp, known, held, await madeAt(gcp, known, landed, found, signal), signal)
    return drop(gcp, seen.resource, token, signal)
  }
  const { number: last } = await add(gcp, known, written('ended', token, undefined), signal)
  const decide = (now: Known): Decision<'nothing pending' | undefined> => {
    const { record } = now.seen
    if (record.attempt?.token !== token) return { done: undefined }
    return {
      part: {
        attempt: undefined,
        ended: [...record.ended, token],
        left: value ? [...record.left, { number, at: now.clock(), dropped: token }] : record.left,
        sibling: Math.max(record.sibling, last)
      },
      follow: () => 'nothing pending'
    }
  }
  return change(gcp, known, decide, signal)
}

/** Best effort: it is tried again by `tidied` (gcp-repair.ts), and who may not destroy keeps a copy. */
async function discardCopy(gcp: Gcp, { seen, destroyed }: Known, signal: AbortSignal): Promise<boolean> {
  const { left, sibling } = seen.record
  if (destroyed.has(sibling) || !left.some((l) => l.number === sibling)) return true
  await destroyVersion(gcp.client, siblingOf(placeIn(gcp, seen)), sibling, signal).then(
    () => void destroyed.add(sibling),
    () => {}
  )
  return destroyed.has(sibling)
}
