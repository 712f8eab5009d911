import { DAY_MS } from '../duration.ts'
import { countIn, KEPT_HOURS, placeOf } from './hours.ts'
import type { AuditSettings } from './settings.ts'
import type { SecretTally, Tally } from './tally.ts'

export interface JudgedHour {
  readonly hour: number
  readonly count: number
  /** Undefined: still learned. */
  readonly usual: number | undefined
  readonly isTooMany: boolean
}

/**
 * Each hour in which a secret was read, beside what is usual: the median of the same hour of the day on the same kind of
 * day (weekday, weekend) of the six weeks before, hours without a read counted as 0 where the store was heard that day.
 * Hours that were too many do not count for later ones, so that an attack does not teach what is usual.
 * Too many: more than `volumeFactor` × the usual (at least 1), and more than `volumeZ` by the Anscombe transform, which
 * gives a Poisson count a standard deviation of 1: 2(√(x+3/8) − √(b+3/8)). What is usual in an hour that cannot be too many
 * is worked out only for `everyHour`.
 */
export function judgedHours(
  { secret, reads, first }: SecretTally,
  all: Tally,
  settings: AuditSettings,
  everyHour = false
): readonly JudgedHour[] {
  const days = all.accounts.get(`${secret.store}:${secret.account}`)?.days ?? []
  const flagged = new Set<number>()
  const least = everyHour ? 0 : leastThatIsTooMany(settings)
  const firstDay = Math.floor(first / DAY_MS)
  return reads.hours.map((hour, at) => {
    const count = reads.counts[at] ?? 0
    if (count < least) return { hour, count, usual: undefined, isTooMany: false }
    const before = sameHours(days, hour, firstDay).filter((one) => !flagged.has(one))
    if (before.length < settings.volumeDays) return { hour, count, usual: undefined, isTooMany: false }
    const usual = median(before.map((one) => countIn(reads, one)))
    const isTooMany = count > settings.volumeFactor * Math.max(usual, 1) && anscombe(count) - anscombe(usual) > settings.volumeZ
    if (isTooMany) flagged.add(hour)
    return { hour, count, usual, isTooMany }
  })
}

/** Above nothing at all. */
const leastThatIsTooMany = ({ volumeFactor, volumeZ }: AuditSettings): number =>
  Math.max(volumeFactor, ((volumeZ + anscombe(0)) / 2) ** 2 - 3 / 8)

const anscombe = (count: number): number => 2 * Math.sqrt(count + 3 / 8)

/** The same hour of the day, on days of the same kind that were heard before, since the secret is known. */
function sameHours(days: readonly number[], hour: number, firstDay: number): readonly number[] {
  const today = Math.floor(hour / 24)
  const from = placeOf(days, Math.max(firstDay, today - KEPT_HOURS / 24))
  return days
    .slice(from, placeOf(days, today))
    .filter((day) => isWeekend(day) === isWeekend(today))
    .map((day) => day * 24 + (hour % 24))
}

/** Day 0 was a Thursday. */
const isWeekend = (day: number): boolean => (day + 3) % 7 >= 5

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
