/** Counts by hour since the epoch: the hours ascending, and how many in each. */
export interface Hours {
  readonly hours: number[]
  readonly counts: number[]
}

export const HOUR_MS = 3_600_000

/** So many weeks are kept: what is usual is asked of them. */
export const KEPT_HOURS = 6 * 7 * 24

export const noHours = (): Hours => ({ hours: [], counts: [] })

/** Returns true where an hour was added. */
export function countHour({ hours, counts }: Hours, hour: number, count = 1): boolean {
  const last = hours.length - 1
  const newest = hours[last]
  if (newest === hour) {
    counts[last] = (counts[last] as number) + count
    return false
  }
  if (newest === undefined || newest < hour) {
    hours.push(hour)
    counts.push(count)
    return true
  }
  const at = placeOf(hours, hour)
  if (hours[at] === hour) {
    counts[at] = (counts[at] as number) + count
    return false
  }
  hours.splice(at, 0, hour)
  counts.splice(at, 0, count)
  return true
}

export function countIn({ hours, counts }: Hours, hour: number): number {
  const at = placeOf(hours, hour)
  return hours[at] === hour ? (counts[at] as number) : 0
}

/** Where it is, or would be. */
export function placeOf(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}

export function addHours(into: Hours, from: Hours): void {
  from.hours.forEach((hour, at) => {
    countHour(into, hour, from.counts[at])
  })
}

/** Forgets what is older than is kept. */
export function forgetHours({ hours, counts }: Hours, newest: number): void {
  const gone = placeOf(hours, newest - KEPT_HOURS)
  hours.splice(0, gone)
  counts.splice(0, gone)
}
