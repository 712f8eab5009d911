import { DAY_MS } from '../duration.ts'
import { timeIn } from './members.ts'

/**
 * Milliseconds since the epoch of an RFC 3339 time, without making a text of it: `2026-07-01T12:00:00.123456789Z`, the
 * form in which audit logs are written, quotes included. With an offset it is parsed as Date does; NaN for what is no time.
 */
export function timeOf(bytes: Uint8Array, from: number, to: number): number {
  if (from < 0 || to - from < SHORTEST || bytes[to - 2] !== Z || !isLaidOut(bytes, from)) return slow(bytes, from, to)
  const day = daysUntil(digits(bytes, from + 1, 4), digits(bytes, from + 6, 2), digits(bytes, from + 9, 2))
  const [hour, minute, second] = [digits(bytes, from + 12, 2), digits(bytes, from + 15, 2), digits(bytes, from + 18, 2)]
  if (!(hour < 24 && minute < 60 && second < 60)) return slow(bytes, from, to)
  const ms = to - from === SHORTEST ? 0 : fraction(bytes, from + 20, to - 2)
  const time = day * DAY_MS + (hour * 3_600 + minute * 60 + second) * 1_000 + ms
  return Number.isNaN(time) ? slow(bytes, from, to) : time
}

/** Of a dot and any number of digits: as many milliseconds. */
function fraction(bytes: Uint8Array, from: number, to: number): number {
  const shown = Math.min(3, to - from - 1)
  if (bytes[from] !== DOT || shown < 1 || Number.isNaN(digits(bytes, from + 4, to - from - 4))) return Number.NaN
  return digits(bytes, from + 1, shown) * (shown === 3 ? 1 : shown === 2 ? 10 : 100)
}

const [Z, DASH, COLON, T, DOT] = [90, 45, 58, 84, 46]
const SHORTEST = '"2026-07-01T12:00:00Z"'.length

const isLaidOut = (bytes: Uint8Array, from: number): boolean =>
  bytes[from + 5] === DASH &&
  bytes[from + 8] === DASH &&
  bytes[from + 11] === T &&
  bytes[from + 14] === COLON &&
  bytes[from + 17] === COLON

const slow = (bytes: Uint8Array, from: number, to: number): number =>
  from < 0 ? Number.NaN : timeIn(new TextDecoder().decode(bytes.subarray(from + 1, to - 1)))

function digits(bytes: Uint8Array, from: number, count: number): number {
  let number = 0
  for (let at = from; at < from + count; at++) {
    const digit = (bytes[at] as number) - 48
    if (digit < 0 || digit > 9) return Number.NaN
    number = number * 10 + digit
  }
  return number
}

let [lastKey, lastDays] = [-1, 0]

/** Days since the epoch; of one day after the other, as logs have them, it is reckoned once. */
function daysUntil(year: number, month: number, day: number): number {
  const key = (year * 100 + month) * 100 + day
  if (key === lastKey) return lastDays
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= 31)) return Number.NaN
  lastKey = key
  lastDays = Date.UTC(year, month - 1, day) / DAY_MS
  return lastDays
}
