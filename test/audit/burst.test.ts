import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addBurst, type Burst, burstAdd, burstList, isIn, judged, noBurst, trim } from '../../shared/audit/burst.ts'
import { BUCKET_MS, type Peak, usualThings } from '../../shared/audit/peaks.ts'
import { DAY, HOUR, MINUTE, MONDAY } from './events.ts'

/** One thing that happens, or, without one, a list. */
interface Happening {
  readonly at: number
  readonly thing?: string | undefined
}

const threshold = { count: 0, distinct: 4 }

function burstOf(all: readonly Happening[], limit = threshold): Burst {
  const burst = noBurst()
  for (const { at, thing } of all)
    if (thing === undefined) burstList(burst, at, `${at}`, limit)
    else burstAdd(burst, at, `${at}`, thing, limit)
  return burst
}

/** The same, told from all that happened: every window, those that touch, and the one that has the most of them. */
function told(all: readonly Happening[]) {
  const bucketOf = ({ at }: Happening) => Math.floor(at / BUCKET_MS)
  const windows = [...new Set(all.map(bucketOf))]
    .sort((a, b) => a - b)
    .flatMap((index) => {
      const within = all.filter((one) => [index, index + 1].includes(bucketOf(one)))
      const done = within.filter(({ thing }) => thing !== undefined)
      const listed = Math.min(...within.flatMap(({ at, thing }) => (thing === undefined ? [at] : [])))
      const after = done.filter(({ at }) => at >= listed)
      const distinct = (some: readonly Happening[]) => new Set(some.map(({ thing }) => thing)).size
      return [
        {
          index,
          distinct: distinct(done),
          count: done.length,
          first: done[0]?.at,
          last: done.at(-1)?.at,
          afterList: distinct(after)
        }
      ]
    })
  const islands: (typeof windows)[] = []
  for (const window of windows.filter(({ distinct }) => distinct >= threshold.distinct)) {
    const last = islands.at(-1)
    if (last?.at(-1)?.index === window.index - 1) last?.push(window)
    else islands.push([window])
  }
  const days = new Map<number, number>()
  for (const { index, distinct } of windows) {
    const day = Math.floor((index * BUCKET_MS) / DAY)
    if (distinct > 0) days.set(day, Math.max(distinct, days.get(day) ?? 0))
  }
  return {
    days: [...days],
    peaks: islands.map((island) => {
      const [most] = island.toSorted((a, b) => b.distinct - a.distinct || b.count - a.count || a.index - b.index)
      const { afterList: _, ...rest } = most as (typeof windows)[number]
      return {
        ...rest,
        from: island[0]?.index,
        to: island.at(-1)?.index,
        afterList: Math.max(...island.map(({ afterList }) => afterList))
      }
    })
  }
}

function said(burst: Burst) {
  const { peaks, days } = judged(burst, threshold)
  return {
    days: [...days].sort(([a], [b]) => a - b),
    peaks: peaks.map(({ span: { first, last, count }, distinct, index, from, to, afterList }) => {
      return { index, distinct, count, first, last, from, to, afterList: afterList?.distinct ?? 0 }
    })
  }
}

const gaps = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 4 * MINUTE }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 40 * MINUTE }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 30 * HOUR }) }
)
const things = fc.oneof(
  { weight: 12, arbitrary: fc.nat(7).map((n) => `s${n}`) },
  { weight: 1, arbitrary: fc.constant(undefined) }
)
const happenings = fc.array(fc.tuple(gaps, things), { minLength: 1, maxLength: 200, size: 'max' }).map((all) => {
  let at = MONDAY
  return all.map(([gap, thing]): Happening => {
    at += gap
    return { at, thing }
  })
})

describe('what happens within ten minutes', () => {
  test('is told as it is, though few minutes are kept', () => {
    fc.assert(
      fc.property(happenings, (all) => {
        expect(burstOf(all).buckets.length).toBeLessThanOrEqual(8)
        expect(said(burstOf(all))).toEqual(told(all))
      }),
      { seed: 6, numRuns: 300 }
    )
  })

  test('is told so too when it is read in parts, which are added in any order, and what is too much is left then', () => {
    const cases = fc.tuple(
      happenings,
      fc.array(fc.nat(199), { maxLength: 5, size: 'max' }),
      fc.array(fc.nat(99), { minLength: 6, maxLength: 6 })
    )
    fc.assert(
      fc.property(cases, ([all, cuts, order]) => {
        const ends = [...new Set(cuts.filter((cut) => cut < all.length)), all.length].sort((a, b) => a - b)
        const parts = ends.map((end, n) => burstOf(all.slice(ends[n - 1] ?? 0, end)))
        const burst = noBurst()
        for (const n of [...parts.keys()].sort((a, b) => (order[a] ?? 0) - (order[b] ?? 0))) addBurst(burst, parts[n] as Burst)
        expect(said(burst)).toEqual(told(all))
        trim(burst, threshold, MONDAY, 0)
        expect(burst.buckets.length).toBeLessThanOrEqual(8)
        expect(said(burst)).toEqual(told(all))
      }),
      { seed: 6, numRuns: 300 }
    )
  })

  test('is told of each of two logs that are read one after the other, and of what follows the first in the next run', () => {
    const calm = (from: number, hours: number) =>
      Array.from({ length: hours }, (_, n) => ({ at: from + n * HOUR, thing: 'calm' }))
    const end = MONDAY + 30 * HOUR
    const region = [...calm(MONDAY, 30), { at: end, thing: 'a' }, { at: end + 1, thing: 'b' }]
    const other = Array.from({ length: 40 }, (_, n) => ({ at: MONDAY + HOUR / 2 + n * 20 * MINUTE, thing: 'x' }))
    const burst = burstOf([...region, ...other])
    const next = burstOf([
      { at: end + MINUTE, thing: 'c' },
      { at: end + 2 * MINUTE, thing: 'd' }
    ])
    addBurst(burst, next)
    expect(said(burst).peaks).toMatchObject([{ distinct: 4, first: end, last: end + 2 * MINUTE }])
  })

  test('of more than fifty peaks the fifty with the most are kept', () => {
    const sizes = Array.from({ length: 60 }, (_, n) => 4 + ((n * 7) % 60))
    const all = sizes.flatMap((size, n) =>
      Array.from({ length: size }, (_, m) => ({ at: MONDAY + n * HOUR + m, thing: `s${m}` }))
    )
    const kept = sizes.toSorted((a, b) => b - a).slice(0, 50)
    const peaks = said(
      burstOf([...all, ...Array.from({ length: 9 }, (_, n) => ({ at: MONDAY + (70 + n) * HOUR, thing: 'x' }))])
    ).peaks
    expect(peaks.map(({ distinct }) => distinct).sort((a, b) => b - a)).toEqual(kept)
  })

  test('counts by number too: five failures of one are a peak, four are none', () => {
    const limit = { count: 5, distinct: 0 }
    const failures = (count: number) =>
      burstOf(
        Array.from({ length: count }, (_, n) => ({ at: MONDAY + n, thing: 'ann' })),
        limit
      )
    expect([4, 5].map((count) => judged(failures(count), limit).peaks.length)).toEqual([0, 1])
  })
})

describe('what is usual', () => {
  const peakOn = (day: number) => ({ from: (MONDAY + day * DAY) / BUCKET_MS }) as Peak
  const usual = (most: readonly number[], day: number) =>
    usualThings({ peaks: [], days: new Map(most.map((count, n) => [MONDAY / DAY + n, count])) }, peakOn(day))

  test('is what was reached on three days before, in whatever order', () => {
    expect(usual([1, 9, 2, 7, 1], 5)).toBe(2)
    expect(usual([5, 5, 5], 3)).toBe(5)
    expect(usual([5, 5, 5], 2), 'of two days nothing is known').toBeUndefined()
    expect(usual([1, 1, 1, 50], 3), 'the day itself does not count').toBe(1)
  })
})

test('a peak is in a part where one of its two times five minutes is', () => {
  const at = (minutes: number, thing = 's') => ({ at: MONDAY + minutes * MINUTE, thing })
  const peak = judged(burstOf([at(10, 'a'), at(11, 'b'), at(12, 'c'), at(16, 'd')]), threshold).peaks[0]
  if (!peak) throw new Error('there is no peak')
  expect([9, 10, 19, 20].map((minutes) => isIn(burstOf([at(minutes)]), peak))).toEqual([false, true, true, false])
})
