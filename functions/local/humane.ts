import { DAY_MS, parseDuration } from '../../shared/duration.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { type Instant, instant } from '../../shared/types.ts'

const UNITS: readonly (readonly [name: string, ms: number])[] = [
  ['d', DAY_MS],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000]
]

/** The two largest units: `3 d 4 h`, `5 min`, `20 s`; below a second, milliseconds. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  const first = UNITS.findIndex(([, size]) => ms >= size)
  let rest = Math.floor(ms / 1_000) * 1_000
  const parts = UNITS.slice(first, first + 2).map(([name, size]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? '' : `${count} ${name}`
  })
  return parts.filter((part) => part !== '').join(' ')
}

/** `2026-01-31 14:05:09 UTC` */
export const clock = (at: Instant): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** `2026-01-31 14:05:09 UTC (in 3 h 20 min)`, or `(… ago)`. */
export function when(at: Instant, now: Instant): string {
  const ms = at - now
  const distance = Math.abs(ms) < 1_000 ? 'now' : ms > 0 ? `in ${duration(ms)}` : `${duration(-ms)} ago`
  return `${clock(at)} (${distance})`
}

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** A duration on the command line. Throws `invalid/request`. */
export function durationOption(text: string, option: string): number {
  try {
    return parseDuration(text, option)
  } catch {
    throw new KeyturnError('invalid/request', `${option} must be a number with ms, s, m, h or d, such as 36h`)
  }
}

/** A later time on the command line: ISO 8601, or a duration from now. Throws `invalid/request`. */
export function timeOption(text: string, option: string, now: Instant): Instant {
  if (/^\d+(ms|[smhd])$/.test(text)) return instant(now + durationOption(text, option))
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms))
    throw new KeyturnError('invalid/request', `${option} must be a time such as 2026-01-31T14:00Z, or a duration such as 36h`)
  if (ms <= now) throw new KeyturnError('invalid/request', `${option} is in the past`)
  return instant(ms)
}
