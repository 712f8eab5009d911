import { setTimeout as pause } from 'node:timers/promises'
import { KeyturnError } from '../errors.ts'
import type { Attempt, Staged } from '../ports/secret-store.ts'
import { instant, type SecretId, type SecretText, type Token, type VersionId } from '../types.ts'
import { access } from './gcp-calls.ts'
import { change, type Decision } from './gcp-change.ts'
import type { Known, Seen } from './gcp-memory.ts'
import { numberIn, pendingVersion, siblingOf } from './gcp-names.ts'
import { type AttemptRecord, isHeldAt, policyIn, ROOM_BYTES, type RotationRecord } from './gcp-record.ts'
import { tidied } from './gcp-repair.ts'
import { add, refuseForeign } from './gcp-sibling.ts'
import { type Gcp, placeIn, readHead, recent, type Staging, stagingOf, walk, written } from './gcp-sight.ts'

/**
 * Two calls: the attempt is written into the annotations, by a PATCH that one of many wins and that proves that the look
 * before it was not old; then the value into the sibling. Which value is the attempt's is told by the number in the
 * annotations and the line before the value, whoever of two with one token was faster. A repeat looks before it writes.
 * Other calls come before: one where nobody used the sibling yet, and one a copy of long ago that was not destroyed.
 */
export async function stage(gcp: Gcp, id: SecretId, attempt: Attempt, value: SecretText, signal: AbortSignal): Promise<Staged> {
  const { token, base } = attempt
  refuseToken(token)
  const first = await recent(gcp, id, signal)
  refuseStrange(base)
  const policy = policyIn(first.seen.annotations)
  const decide = async (known: Known): Promise<Decision<Staged>> => {
    const { seen } = known
    refuseSpent(seen, token)
    // A hold, a window, a promotion: what was decided from the look before is not to be done any more.
    if (policyIn(seen.annotations) !== policy) throw changed(seen)
    const held = seen.record.attempt
    const stands = held && (await standsOf(gcp, known, held, token, signal))
    if (stands?.isEnded && held?.token === token) throw spent(token)
    if (stands?.value && held?.token === token) return { done: sameOr(stands.value, value, held, 'conflict/token-spent') }
    const isHeld = stands && !stands.isEnded && (stands.value || held?.claim)
    if (isHeld && held?.token !== token) throw other(seen, held?.token, 'conflict/pending-other')
    refuseHeld(known)
    await refuseForeign(gcp, known, signal)
    const number = stands?.free ?? seen.record.sibling + 1
    const claim = held?.token === token ? held.claim : undefined
    const next: AttemptRecord = { token, base, number, stagedAt: known.clock(), claim }
    return {
      part: announced(seen.record, (await tidied(gcp, known, signal)).left, next, stands),
      spareBytes: ROOM_BYTES,
      follow: (after) => put(gcp, after, next, value, signal)
    }
  }
  return change(gcp, first, decide, signal)
}

/** One call, and one where nobody used the sibling yet. What it had seen is kept with it, for who finds it dead. */
export async function claim(
  gcp: Gcp,
  id: SecretId,
  { token, base }: Attempt,
  saw: readonly string[],
  signal: AbortSignal
): Promise<void> {
  refuseToken(token)
  const decide = async (known: Known): Promise<Decision<void>> => {
    const { seen } = known
    refuseSpent(seen, token)
    const held = seen.record.attempt
    const stands = held && (await standsOf(gcp, known, held, token, signal))
    if (stands?.isEnded && held?.token === token) throw spent(token)
    const isHeld = stands && !stands.isEnded && (stands.value || held?.claim)
    if (isHeld) throw other(seen, held?.token, 'busy/claimed')
    if (Math.max(seen.record.commit?.version ?? 0, seen.record.current ?? 0) > Number(base))
      throw new KeyturnError('conflict/current-moved', `${seen.resource} has a newer version than ${base}`)
    refuseHeld(known)
    await refuseForeign(gcp, known, signal)
    const number = stands?.free ?? seen.record.sibling + 1
    const next: AttemptRecord = { token, base, number, stagedAt: undefined, claim: { at: known.clock(), seen: saw } }
    const part = announced(seen.record, seen.record.left, next, stands)
    return { part, spareBytes: ROOM_BYTES, follow: () => undefined }
  }
  const first = await recent(gcp, id, signal)
  refuseStrange(base)
  await change(gcp, first, decide, signal)
}

/** The annotations have "/" and "@" between their parts, and the line before a value has room for 64 characters. */
function refuseToken(token: Token): void {
  if (/^[\w.:-]{1,64}$/.test(token)) return
  throw new KeyturnError('invalid/request', 'a token has 1 to 64 letters, digits, "-", "_", "." and ":"')
}

function refuseStrange(base: VersionId): void {
  const at = numberIn(base)
  if (!at || at.pending) throw new KeyturnError('not-found/version', `no version of Secret Manager's is called ${base}`)
}

const spent = (token: Token): KeyturnError => new KeyturnError('conflict/token-spent', `the attempt ${token} ended before`)

function refuseSpent({ record }: Seen, token: Token): void {
  if (record.ended.includes(token) || record.commit?.token === token) throw spent(token)
}

const changed = ({ resource }: Seen, how = 'its annotations changed since the look'): KeyturnError =>
  new KeyturnError('conflict/metadata-changed', `${resource}: ${how}`)

/** The run may have looked before a person set the hold, and another run of this process after. */
function refuseHeld(known: Known): void {
  const { seen, versions } = known
  if (versions.isShownFree && isHeldAt(seen.annotations, known.clock())) throw changed(seen, 'it is on hold since a look')
}

const other = ({ resource }: Seen, token: Token | undefined, code: 'conflict/pending-other' | 'busy/claimed'): KeyturnError =>
  new KeyturnError(code, `the attempt ${token} at ${resource} is under way`)

/** The one before it, if it is over and nobody wrote that down, is written down with it. */
function announced(
  record: RotationRecord,
  left: RotationRecord['left'],
  attempt: AttemptRecord,
  stands: Standing | undefined
): Partial<RotationRecord> {
  const over = stands?.isEnded ? record.attempt : undefined
  const at = attempt.stagedAt ?? over?.stagedAt ?? instant(0)
  const dropped = stands?.isPromoted ? undefined : over?.token
  return {
    attempt,
    // The base is what the newest was at the look that the attempt was made from.
    current: Math.max(record.current ?? 0, Number(attempt.base)),
    ended: over ? [...record.ended, over.token] : record.ended,
    left: over && stands?.value ? [...left, { number: over.number, at, dropped }] : left,
    sibling: Math.max(record.sibling, attempt.number - 1)
  }
}

interface Standing extends Staging {
  readonly isPromoted?: boolean
}

/**
 * What there is of an attempt that the annotations name, for the attempt of a token. Another one's that was promoted,
 * without a record, is over. One that announced a value and has none died before it wrote it, or is about to: it is given
 * the time that a request can take from then on. One call, one a version of the sibling since, one or more for another's
 * value, and one after a wait.
 */
async function standsOf(gcp: Gcp, known: Known, held: AttemptRecord, token: Token, signal: AbortSignal): Promise<Standing> {
  const found = await stagingOf(gcp, known.seen, held, signal)
  const { value } = found
  if (value && held.token !== token && !found.isEnded) {
    const later = await walk(gcp, known.seen.resource, Number(held.base), signal)
    if (later.some((f) => f.text?.equals(value))) return { ...found, isEnded: true, isPromoted: true }
  }
  if (value || found.isEnded || held.stagedAt === undefined) return found
  const { requestTimeoutMs } = gcp.client
  const leftMs = Math.min(requestTimeoutMs, held.stagedAt + requestTimeoutMs + CLOCK_MS - known.clock())
  if (leftMs <= 0) return found
  await pause(leftMs, undefined, { signal }).catch(() => {
    throw new KeyturnError('unavailable/store', `no time to wait for the attempt ${held.token}, and ${token} is not begun`)
  })
  return stagingOf(gcp, known.seen, held, signal)
}

/** The store's clock has whole seconds. */
const CLOCK_MS = 1_000

/** Writes the value into the sibling; whether it is the attempt's is what the number of the answer says. */
async function put(gcp: Gcp, known: Known, attempt: AttemptRecord, value: SecretText, signal: AbortSignal): Promise<Staged> {
  const { seen } = known
  const { number, createdAt } = await add(gcp, known, written('pending', attempt.token, value), signal)
  if (number === attempt.number) {
    gcp.memory.keep(seen.resource, pendingVersion(number), value)
    return { version: pendingVersion(number), createdAt }
  }
  // A write that was on its way came first: of this very attempt, and then its value stands; or of one that is over.
  const first = readHead(await access(gcp.client, siblingOf(placeIn(gcp, seen)), attempt.number, signal))
  if (first?.head === 'pending' && first.token === attempt.token)
    return sameOr(first.value, value, attempt, 'conflict/pending-other')
  return point(gcp, known, { ...attempt, number }, value, signal)
}

/** The annotations are to name the number that the value got. */
async function point(gcp: Gcp, known: Known, attempt: AttemptRecord, value: SecretText, signal: AbortSignal): Promise<Staged> {
  const decide = ({ seen }: Known): Decision<Staged> => {
    const held = seen.record.attempt
    if (held?.token !== attempt.token || held.number === attempt.number) throw other(seen, held?.token, 'conflict/pending-other')
    const part = { attempt, sibling: attempt.number }
    return {
      part,
      follow: () => {
        gcp.memory.keep(seen.resource, pendingVersion(attempt.number), value)
        return { version: pendingVersion(attempt.number) }
      }
    }
  }
  return change(gcp, known, decide, signal)
}

function sameOr(
  held: SecretText,
  value: SecretText,
  { token, number }: AttemptRecord,
  code: 'conflict/pending-other' | 'conflict/token-spent'
): Staged {
  if (held.equals(value)) return { version: pendingVersion(number) }
  throw new KeyturnError(code, `the attempt ${token} has another value, which stands`)
}
