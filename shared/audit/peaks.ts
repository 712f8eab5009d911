import { DAY_MS } from '../duration.ts'
import type { Span } from './span.ts'

/** Five minutes: a window is this one and the next, so that ten minutes are seen wherever they begin. */
export const BUCKET_MS = 300_000
export const BUCKETS_A_DAY = DAY_MS / BUCKET_MS

/** Ten minutes in which much happened, and all that touch them: of those, the ten minutes with the most. */
export interface Peak {
  readonly span: Span
  readonly distinct: number
  /** Of its first bucket; and of the first and the last of all windows that touch it. */
  readonly index: number
  readonly from: number
  readonly to: number
  /** Where a list was asked for: what followed it within its ten minutes. */
  readonly afterList: { readonly distinct: number; readonly listed: number; readonly span: Span } | undefined
}

/** What stays of the windows that were judged. */
export interface Peaks {
  peaks: Peak[]
  /** By day since the epoch: the most things of a window. */
  readonly days: Map<number, number>
}

/** From when on a window is a peak; what a signal then makes of it is its own. */
export interface Threshold {
  readonly count: number
  readonly distinct: number
}

const MOST_PEAKS = 50

export function addPeak(into: Peaks, peak: Peak): void {
  const last = into.peaks.at(-1)
  if (!last || peak.from > last.to + 1) into.peaks.push(peak)
  else into.peaks = islands([...into.peaks, peak])
  if (into.peaks.length > MOST_PEAKS) into.peaks = worst(into.peaks)
}

/** In any order the result is the same, but for more than fifty. */
export const allPeaks = (some: readonly Peak[], others: readonly Peak[]): Peak[] => worst(islands([...some, ...others]))

/** Those that touch are one. */
function islands(peaks: readonly Peak[]): Peak[] {
  const apart: Peak[] = []
  for (const peak of peaks.toSorted((a, b) => a.from - b.from)) {
    const before = apart.at(-1)
    if (before && peak.from <= before.to + 1) apart[apart.length - 1] = both(before, peak)
    else apart.push(peak)
  }
  return apart
}

/** The window that has the most stands for both. */
function both(a: Peak, b: Peak): Peak {
  const { span, distinct, index } = byMost(a, b) <= 0 ? a : b
  const lists = [a.afterList, b.afterList].filter((one) => one !== undefined)
  const [afterList] = lists.sort((one, other) => other.distinct - one.distinct || one.listed - other.listed)
  return { span, distinct, index, from: Math.min(a.from, b.from), to: Math.max(a.to, b.to), afterList }
}

export const byMost = (a: Peak, b: Peak): number => b.distinct - a.distinct || b.span.count - a.span.count || a.index - b.index

const worst = (peaks: readonly Peak[]): Peak[] => {
  const kept = new Set(peaks.toSorted(byMost).slice(0, MOST_PEAKS))
  return peaks.filter((peak) => kept.has(peak))
}

/** On so many days before a window reached it: then it is usual. */
const USUAL_DAYS = 3

/** How many things a window has on its busiest days before a peak; undefined: fewer than three days were seen. */
export function usualThings({ days }: Peaks, { from }: Peak): number | undefined {
  const before = [...days].flatMap(([day, most]) => (day < Math.floor(from / BUCKETS_A_DAY) && most > 0 ? [most] : []))
  return before.sort((a, b) => b - a)[USUAL_DAYS - 1]
}
