import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addHours, countHour, countIn, forgetHours, KEPT_HOURS, noHours, placeOf } from '../../shared/audit/hours.ts'
import { networkOf, networks } from '../../shared/audit/network.ts'
import { matcher } from '../../shared/audit/settings.ts'
import { extend, joined, noSpan, spanOf } from '../../shared/audit/span.ts'

describe('the network of an address', () => {
  test.each([
    ['203.0.113.9', '203.0.113.0/24'],
    ['::ffff:203.0.113.9', '203.0.113.0/24'],
    ['2001:db8:a0:1::5', '2001:db8:a0::/48'],
    ['2001:0DB8:00A0::', '2001:db8:a0::/48'],
    ['2001:db8::1', '2001:db8:0::/48'],
    ['::1', '0:0:0::/48'],
    ['64:ff9b::203.0.113.9', '64:ff9b:0::/48'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['', ''],
    ['private', ''],
    ['gce-internal-ip', ''],
    ['secretsmanager.amazonaws.com', ''],
    ['1.2.3', ''],
    ['203.0.113.9:443', '']
  ])('%s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
    const known = networks()
    expect([known(address), known(address)]).toEqual([network, network])
  })
})

describe('counts by hour', () => {
  const counts = fc.array(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 9 })))

  test('are the sums of what was counted, in whatever order, and are found again', () => {
    fc.assert(
      fc.property(counts, counts, (some, others) => {
        const [one, other] = [noHours(), noHours()]
        const added = some.filter(([hour, count]) => countHour(one, hour, count))
        for (const [hour, count] of others) countHour(other, hour, count)
        const distinct = new Set(some.map(([hour]) => hour))
        expect([added.length, one.hours]).toEqual([distinct.size, [...distinct].sort((a, b) => a - b)])
        addHours(one, other)
        for (let hour = 0; hour <= 50; hour++) {
          const sum = [...some, ...others].reduce((all, [at, count]) => all + (at === hour ? count : 0), 0)
          expect(countIn(one, hour)).toBe(sum)
        }
        expect(one.hours).toEqual([...one.hours].sort((a, b) => a - b))
      })
    )
  })

  test('of six weeks are kept', () => {
    const hours = noHours()
    for (const hour of [0, 1, 2, KEPT_HOURS, KEPT_HOURS + 1]) countHour(hours, hour, hour + 1)
    forgetHours(hours, KEPT_HOURS + 1)
    expect(hours).toEqual({ hours: [1, 2, KEPT_HOURS, KEPT_HOURS + 1], counts: [2, 3, KEPT_HOURS + 1, KEPT_HOURS + 2] })
  })

  test('a place is where a number is, or would be', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(99)), fc.nat(99), (numbers, wanted) => {
        expect(
          placeOf(
            numbers.toSorted((a, b) => a - b),
            wanted
          )
        ).toBe(numbers.filter((one) => one < wanted).length)
      })
    )
  })
})

describe('a span of events', () => {
  const times = fc.uniqueArray(fc.nat(10_000), { minLength: 1, maxLength: 20 })

  test('has the first, the last, the count, and five ids of which the first is the earliest', () => {
    fc.assert(
      fc.property(times, (all) => {
        const span = noSpan()
        for (const at of all) extend(span, at, `${at}`)
        const sorted = all.toSorted((a, b) => a - b)
        expect([span.first, span.last, span.count]).toEqual([sorted[0], sorted.at(-1), all.length])
        expect(span.evidence[0]).toBe(`${sorted[0]}`)
        expect(new Set(span.evidence).size).toBe(Math.min(5, all.length))
        expect(span.evidence.every((id) => all.includes(Number(id)))).toBe(true)
      })
    )
  })

  test('of two parts that follow each other is the span of the whole, whichever is given first', () => {
    fc.assert(
      fc.property(times, fc.nat(20), (all, cut) => {
        const sorted = all.toSorted((a, b) => a - b)
        const spanIn = (some: readonly number[]) => {
          const span = noSpan()
          for (const at of some) extend(span, at, `${at}`)
          return span
        }
        const [early, late] = [spanIn(sorted.slice(0, cut)), spanIn(sorted.slice(cut))]
        expect(joined(early, late)).toEqual(spanIn(sorted))
        expect(joined(late, early)).toEqual(spanIn(sorted))
      })
    )
  })

  test('of one moment is joined by ids, so that the order does not matter', () => {
    const [a, b] = [spanOf(1, 'a'), spanOf(1, 'b')]
    expect(joined(b, a)).toEqual(joined(a, b))
    expect(joined(a, b).evidence).toEqual(['a', 'b'])
  })
})

describe('patterns of names', () => {
  test.each([
    ['decoy/*', 'decoy/a/b', true],
    ['decoy/*', 'a/decoy/b', false],
    ['*-decoy', 'x-decoy', true],
    ['*-decoy', 'x-decoy2', false],
    ['a.b', 'axb', false],
    ['a+(b)*', 'a+(b)c\nd', true],
    ['*', '', true]
  ])('%s and %j: %s', (pattern, name, isOne) => {
    expect(matcher([pattern])(name)).toBe(isOne)
    expect(matcher(['nothing', pattern])(name)).toBe(isOne)
    expect(matcher([])(name)).toBe(false)
  })
})
