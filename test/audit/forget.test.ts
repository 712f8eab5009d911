import { describe, expect, test } from 'vitest'
import { forget } from '../../shared/audit/merge.ts'
import { AUDIT_DEFAULTS } from '../../shared/audit/settings.ts'
import type { Tally } from '../../shared/audit/tally.ts'
import { counted, DAY, daily, event, HOUR, MINUTE, MONDAY, many, person, sweepOf } from './events.ts'

const forgetting = (tally: Tally, now: number): Tally => {
  forget(tally, now, AUDIT_DEFAULTS)
  return tally
}
const one = <T>(map: ReadonlyMap<string, T>): T => {
  const [value] = map.values()
  if (value === undefined) throw new Error('there is none')
  return value
}

describe('what is older than is kept is forgotten', () => {
  const now = MONDAY + 100 * DAY

  test('hours of reads, and of people, after six weeks', () => {
    const ann = person('ann')
    const ages = [43 * DAY, 42 * DAY, DAY, 0]
    const tally = forgetting(counted(ages.map((age) => event({ at: now - age, who: ann }))), now)
    const kept = [42 * DAY, DAY, 0].map((age) => (now - age) / HOUR)
    expect(one(tally.secrets).reads).toEqual({ hours: kept, counts: [1, 1, 1] })
    expect(one(tally.identities).hours).toEqual({ hours: kept, counts: [1, 1, 1] })
    expect(one(tally.accounts).days).toEqual(kept.map((hour) => Math.floor(hour / 24)))
  })

  test.each([
    [90 * DAY, 1],
    [90 * DAY + 1, 0]
  ])('an identity, its network, its address and its source that were last seen %i ms ago: %i are kept', (age, count) => {
    const tally = forgetting(counted([event({ at: now - age })]), now)
    const { identities, addresses, accounts } = tally
    expect([identities, addresses, accounts].map(({ size }) => size)).toEqual([count, count, count])
    expect([...identities.values()].map(({ networks }) => networks.size)).toEqual(Array(count).fill(1))
    expect(tally.secrets.size, 'a secret is an orphan later').toBe(1)
  })

  test('a network that an identity left behind, and an address that only failed', () => {
    const events = [event({ at: now - 91 * DAY, address: '203.0.113.1' }), event({ at: now, address: '198.51.100.1' })]
    const fails = (at: number, address: string) => event({ at, kind: 'login', outcome: 'unauthenticated', address })
    const tally = forgetting(counted([...events, fails(now - 91 * DAY, '192.0.2.1'), fails(now, '192.0.2.2')]), now)
    expect([...one(tally.identities).networks.keys()]).toEqual(['198.51.100.0/24'])
    expect([...tally.addresses.keys()]).toEqual(['198.51.100.1', '192.0.2.2'])
  })

  test('peaks of before yesterday, and what was usual before six weeks', () => {
    const tally = counted([...daily(60, now - 60 * DAY, (at) => sweepOf(25, { at })), event({ at: now })])
    const { reads } = one(forgetting(tally, now).identities)
    expect(reads.buckets).toHaveLength(8)
    expect(reads.peaks.every(({ span }) => span.first >= now - 2 * DAY)).toBe(true)
    expect(Math.min(...reads.days.keys())).toBe((now - 42 * DAY) / DAY)
  })

  test('what single events showed, long tokens, and what had no room: they are of one run', () => {
    const token = event({ at: now, kind: 'token', issuer: 'sts', ttlSeconds: 10 * DAY, marks: ['root'] })
    const tally = counted([token])
    tally.capped.set('pairs', 3)
    expect([tally.notices.size, one(tally.issuers).long.size]).toEqual([1, 1])
    forgetting(tally, now)
    expect([tally.notices.size, one(tally.issuers).long.size, tally.capped.size]).toEqual([0, 0, 0])
    expect(one(tally.issuers).lives.reduce((sum, count) => sum + count)).toBe(1)
  })
})

test('after forgetting the counters are what is there', () => {
  const now = MONDAY + 95 * DAY
  const events = [
    ...daily(95, MONDAY, (at) => [...many(3, { at, every: HOUR, who: person('ann') }), ...sweepOf(4, { at, every: MINUTE })]),
    event({ at: MONDAY, who: 'gone', secret: 'old/one' })
  ]
  const tally = counted(events)
  const counts = (): readonly number[] => {
    const identities = [...tally.identities.values()]
    const hours = [...identities.map((who) => who.hours), ...[...tally.secrets.values()].map(({ reads }) => reads)]
    return [
      identities.reduce((sum, { secrets }) => sum + secrets.size, 0),
      hours.reduce((sum, some) => sum + some.hours.length, 0)
    ]
  }
  expect([tally.pairs, tally.hours]).toEqual(counts())
  const before = tally.hours
  forgetting(tally, now)
  expect([tally.pairs, tally.hours]).toEqual(counts())
  expect(tally.pairs).toBe(5)
  expect(tally.hours).toBeLessThan(before / 2)
})
