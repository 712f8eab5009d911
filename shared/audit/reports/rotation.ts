import { DAY_MS, formatDuration } from '../../duration.ts'
import { asKeyturnError } from '../../errors.ts'
import { periodMsOf } from '../../policy.ts'
import type { SecretFacts } from '../../ports/secret-store.ts'
import { dueAt, isHeld, promotedAt } from '../../rotation/plan.ts'
import { type Instant, instant } from '../../types.ts'
import { controlsOf } from '../controls.ts'
import type { RotationRow } from '../summary.ts'
import { byKey, type SecretTally, type Tally } from '../tally.ts'
import { matched } from './listed.ts'

const SOON_MS = 7 * DAY_MS

/**
 * Whether secrets are rotated as they must be: what the store lists, by the core's own plan, and what only the log shows, by
 * the log. No value is read for it.
 */
export function rotation({ secrets }: Tally, listed: readonly SecretFacts[] | undefined, now: number): readonly RotationRow[] {
  const logged = [...secrets.values()].sort(byKey)
  const same = matched(logged, listed ?? [])
  const ofStore = listed?.map((facts) => listedRow(facts, same.logged.get(facts), instant(now))) ?? []
  const unlisted = logged.filter((one) => one.deleted <= one.lastWrite && !same.listed.has(one))
  return [...ofStore, ...unlisted.map((one) => loggedRow(one, listed !== undefined))].sort(
    (a, b) =>
      ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || (a.due ?? Number.POSITIVE_INFINITY) - (b.due ?? Number.POSITIVE_INFINITY)
  )
}

const ORDER: readonly RotationRow['state'][] = [
  'failing',
  'overdue',
  'never',
  'due-soon',
  'held',
  'in-time',
  'unmanaged',
  'unknown'
]

function listedRow(facts: SecretFacts, logged: SecretTally | undefined, now: Instant): RotationRow {
  const { metadata, name } = facts
  const row = {
    secret: name,
    store: logged?.secret.store ?? 'listed',
    failures: logged?.failures ?? 0,
    controls: controlsOf('rotation')
  }
  const lastRotated = promotedAt(facts, undefined)
  try {
    const due = metadata.kind === undefined ? undefined : dueAt(facts)
    return { ...row, lastRotated, due, ...standing(facts, logged, due, now) }
  } catch (e) {
    // Metadata that contradict each other: one secret's are not to cost the report.
    const { code, message } = asKeyturnError(e)
    return { ...row, lastRotated, due: undefined, state: 'unknown', why: `${code}: ${message}` }
  }
}

function standing(
  facts: SecretFacts,
  logged: SecretTally | undefined,
  due: Instant | undefined,
  now: Instant
): Pick<RotationRow, 'state' | 'why'> {
  const { metadata, rotationEnabled } = facts
  if (metadata.kind === undefined && rotationEnabled !== true)
    return { state: 'unmanaged', why: 'nothing rotates it: keyturn does not manage it' }
  if (logged && logged.lastFailed > Math.max(logged.lastRotated, promotedAt(facts, undefined) ?? 0))
    return { state: 'failing', why: `its last rotation failed, and ${logged.failures} in all` }
  if (isHeld(metadata, now)) return { state: 'held', why: 'a person put it on hold' }
  if (due === undefined && facts.rotatedAt !== undefined)
    return { state: 'unknown', why: 'the store rotates it by itself, and does not tell how often' }
  if (due === undefined) return { state: 'never', why: 'the store shows no rotation of it' }
  if (due < now) return { state: 'overdue', why: `it was due ${formatDuration(hours(now - due))} ago` }
  if (due - now < SOON_MS) return { state: 'due-soon', why: `due in ${formatDuration(hours(due - now))}` }
  return { state: 'in-time', why: `every ${formatDuration(periodMsOf(metadata))}` }
}

const hours = (ms: number): number => Math.max(1, Math.round(ms / 3_600_000)) * 3_600_000

function loggedRow({ secret, lastRotated, lastWrite, lastFailed, failures }: SecretTally, isListed: boolean): RotationRow {
  const last = Math.max(lastRotated, lastWrite)
  const isFailing = lastFailed > last
  return {
    secret: secret.name,
    store: secret.store,
    state: isFailing ? 'failing' : 'unknown',
    lastRotated: last > 0 ? last : undefined,
    due: undefined,
    failures,
    why: isFailing
      ? `its last rotation failed, and ${failures} in all`
      : isListed
        ? 'the store does not list it: it is another account’s, or is gone'
        : 'only the log was read, which knows no period: give the store to be told',
    controls: controlsOf('rotation')
  }
}
