import { EVIDENCE } from './finding.ts'
import { addPeak, allPeaks, BUCKET_MS, BUCKETS_A_DAY, byMost, type Peak, type Peaks, type Threshold } from './peaks.ts'
import { extend, joined, noSpan, type Span } from './span.ts'

/** Things are told apart up to this many a bucket; a window of more is `at least` so many. */
export const MOST_THINGS = 64

interface Bucket {
  /** In BUCKET_MS since the epoch. */
  index: number
  /** Of what happened; lists are apart. */
  span: Span
  /** Few: looked through faster than a set is made. */
  readonly things: string[]
  /** When each of them was last seen. */
  readonly lasts: number[]
  /** When a list was first asked for, in milliseconds; Infinity: it was not. And the id of that event. */
  listed: number
  listedBy: string
  /** Of the burst's turns, the last one. */
  turn: number
}

/**
 * What happened within minutes. Kept are the newest buckets and those that were added to last, because logs of several
 * regions are each in an order of their own; and the oldest, because what lies before them may be in another part of the
 * log. The others are judged when they are left, and of them only what peaks stays. So what is read in two parts of a log
 * that lie in the same minutes is judged in each part by itself, but for those that are kept.
 */
export interface Burst extends Peaks {
  buckets: Bucket[]
  turn: number
}

const [OLDEST, NEWEST, KEPT] = [2, 2, 8]

/** What is usual is asked of six weeks; a log of a year is not to be kept whole. */
const MOST_DAYS = 64

export const noBurst = (): Burst => ({ buckets: [], peaks: [], days: new Map(), turn: 0 })

export function burstAdd(burst: Burst, at: number, id: string, thing: string, threshold: Threshold): void {
  const bucket = bucketAt(burst, Math.floor(at / BUCKET_MS))
  bucket.turn = ++burst.turn
  extend(bucket.span, at, id)
  addThing(bucket, thing, at)
  if (burst.buckets.length > KEPT) leave(burst, threshold)
}

export function burstList(burst: Burst, at: number, id: string, threshold: Threshold): void {
  const bucket = bucketAt(burst, Math.floor(at / BUCKET_MS))
  bucket.turn = ++burst.turn
  addList(bucket, at, id)
  if (burst.buckets.length > KEPT) leave(burst, threshold)
}

function bucketAt({ buckets }: Burst, index: number): Bucket {
  let place = buckets.length
  while (place > 0 && (buckets[place - 1] as Bucket).index > index) place--
  const known = buckets[place - 1]
  if (known?.index === index) return known
  const made = newBucket(index)
  if (place === buckets.length) buckets.push(made)
  else buckets.splice(place, 0, made)
  return made
}

/** The bucket that was left last, whosever it was: most events begin one and leave another. Nothing else has a part of it. */
let left: Bucket | undefined

function newBucket(index: number): Bucket {
  const bucket = left
  if (!bucket) return { index, span: noSpan(), things: [], lasts: [], listed: Number.POSITIVE_INFINITY, listedBy: '', turn: 0 }
  left = undefined
  const { span, things, lasts } = bucket
  span.evidence.length = things.length = lasts.length = 0
  span.first = Number.POSITIVE_INFINITY
  span.last = Number.NEGATIVE_INFINITY
  span.count = bucket.turn = 0
  bucket.index = index
  bucket.listed = Number.POSITIVE_INFINITY
  bucket.listedBy = ''
  return bucket
}

function addThing({ things, lasts }: Bucket, thing: string, at: number): void {
  const place = things.indexOf(thing)
  if (place >= 0) lasts[place] = Math.max(lasts[place] as number, at)
  else if (things.length < MOST_THINGS) {
    things.push(thing)
    lasts.push(at)
  }
}

function addList(bucket: Bucket, at: number, id: string): void {
  if (at < bucket.listed) Object.assign(bucket, { listed: at, listedBy: id })
}

/** Leaves the one that was not added to for the longest time. */
function leave(burst: Burst, threshold: Threshold): void {
  const { buckets } = burst
  let at = OLDEST
  for (let other = at + 1; other < buckets.length - NEWEST; other++)
    if ((buckets[other] as Bucket).turn < (buckets[at] as Bucket).turn) at = other
  const [before, one] = [buckets[at - 1], buckets[at]]
  if (one && before?.index === one.index - 1) judge(burst, before, one, threshold)
  if (one) judge(burst, one, buckets[at + 1], threshold)
  buckets.splice(at, 1)
  left = one
}

function judge(into: Peaks, bucket: Bucket, after: Bucket | undefined, threshold: Threshold): void {
  const next = after?.index === bucket.index + 1 ? after : undefined
  const [most, count] = [bucket.things.length + (next?.things.length ?? 0), bucket.span.count + (next?.span.count ?? 0)]
  const day = Math.floor(bucket.index / BUCKETS_A_DAY)
  const isNoPeak = most < threshold.distinct || count < threshold.count
  if (isNoPeak && most <= (into.days.get(day) ?? 0)) return
  const distinct = thingsSince(bucket, next, Number.NEGATIVE_INFINITY)
  into.days.set(day, Math.max(distinct, into.days.get(day) ?? 0))
  if (into.days.size > MOST_DAYS) into.days.delete(Math.min(...into.days.keys()))
  if (isNoPeak || distinct < threshold.distinct) return
  const { index } = bucket
  const span = next ? joined(bucket.span, next.span) : joined(bucket.span, noSpan())
  addPeak(into, { span, distinct, index, from: index, to: index, afterList: afterListOf(bucket, next, span) })
}

function thingsSince(bucket: Bucket, next: Bucket | undefined, since: number): number {
  const isSince =
    ({ lasts }: Bucket) =>
    (_: string, at: number) =>
      (lasts[at] as number) >= since
  return new Set([...bucket.things.filter(isSince(bucket)), ...(next?.things.filter(isSince(next)) ?? [])]).size
}

function afterListOf(bucket: Bucket, next: Bucket | undefined, span: Span): Peak['afterList'] {
  const first = next && next.listed < bucket.listed ? next : bucket
  if (first.listed > span.last) return undefined
  const evidence = [...new Set([first.listedBy, ...span.evidence])].slice(0, EVIDENCE)
  const { listed } = first
  return {
    distinct: thingsSince(bucket, next, listed),
    listed,
    span: { ...span, first: listed, evidence }
  }
}

/** With what is still kept. Changes nothing. */
export function judged({ buckets, peaks, days }: Burst, threshold: Threshold): Peaks {
  const all: Peaks = { peaks: [...peaks], days: new Map(days) }
  buckets.forEach((bucket, at) => {
    judge(all, bucket, buckets[at + 1], threshold)
  })
  return all
}

/** Whether anything of the ten minutes that a peak stands for is in this burst, which was added to the other. */
export const isIn = ({ buckets, peaks }: Burst, { index }: Peak): boolean =>
  buckets.some((one) => one.index === index || one.index === index + 1) ||
  peaks.some(({ from, to }) => from <= index + 1 && to + 1 >= index)

/** Peaks that this burst has a part in; of one that goes on after its worst was told, what is this burst's own. */
export function freshPeaks(known: Peaks, fresh: Burst, threshold: Threshold): readonly Peak[] {
  const own = judged(fresh, threshold).peaks.toSorted(byMost)
  return known.peaks.flatMap((peak) => {
    if (isIn(fresh, peak)) return [peak]
    const part = own.find(({ from, to }) => from >= peak.from && to <= peak.to)
    return part ? [{ ...part, from: peak.from }] : []
  })
}

/** Keeps all buckets of both, so that it is the same in any order; `trim` leaves what are too many. */
export function addBurst(into: Burst, from: Burst): void {
  for (const { index, span, things, lasts, listed, listedBy } of from.buckets) {
    const bucket = bucketAt(into, index)
    bucket.span = joined(bucket.span, span)
    for (const [at, thing] of things.entries()) addThing(bucket, thing, lasts[at] as number)
    addList(bucket, listed, listedBy)
  }
  into.peaks = allPeaks(into.peaks, from.peaks)
  for (const [day, most] of from.days) into.days.set(day, Math.max(most, into.days.get(day) ?? 0))
}

/** Forgets days before this one, and peaks of before yesterday. */
export function trim(burst: Burst, threshold: Threshold, now: number, oldestDay: number): void {
  while (burst.buckets.length > KEPT) leave(burst, threshold)
  burst.peaks = burst.peaks.filter(({ to }) => to >= now / BUCKET_MS - BUCKETS_A_DAY)
  for (const day of burst.days.keys()) if (day < oldestDay) burst.days.delete(day)
}
