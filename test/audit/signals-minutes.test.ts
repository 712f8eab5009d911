import { describe, expect, test } from 'vitest'
import { emptyState } from '../../shared/audit/state.ts'
import { compute, DAY, daily, event, findings, HOUR, idsOf, MINUTE, MONDAY, many, run, sweepOf } from './events.ts'

const NOON = MONDAY + 12 * HOUR

describe('mass-retrieval', () => {
  test('twenty different secrets within ten minutes by an identity that nothing is known of are critical', () => {
    const sweep = sweepOf(20, { at: NOON, who: 'thief', every: 25_000 })
    expect(findings('mass-retrieval', sweep)).toMatchObject([
      {
        severity: 'critical',
        title: 'thief read 20 different secrets within ten minutes',
        why: 'From 2026-06-01 12:00 UTC on it read 20 different secrets in 20 calls.',
        subject: { identity: 'aws:thief', identityName: 'thief' },
        store: 'aws',
        first: NOON,
        count: 20,
        observed: 20,
        usual: undefined,
        unit: 'secrets in 10 minutes',
        evidence: idsOf(sweep),
        technique: 'T1555.006',
        todo: expect.stringContaining('revoke the identity now')
      }
    ])
  })

  test.each([
    ['nineteen secrets', sweepOf(19, { at: NOON })],
    ['one secret twenty times', many(20, { at: NOON })],
    ['twenty secrets in twenty minutes', sweepOf(20, { at: NOON, every: MINUTE })],
    ['twenty secrets that it was refused', sweepOf(20, { at: NOON, outcome: 'denied' })],
    ['twenty secrets that were looked at, and not read', sweepOf(20, { at: NOON, kind: 'describe' })],
    ['ten secrets by each of two', [...sweepOf(10, { at: NOON, who: 'a' }), ...sweepOf(20, { at: NOON, who: 'b' }).slice(10)]]
  ])('%s are none', (_, events) => {
    expect(findings('mass-retrieval', events)).toEqual([])
  })

  test('ten minutes are seen wherever they begin', () => {
    for (let late = 0; late < 5; late++)
      expect(findings('mass-retrieval', sweepOf(20, { at: NOON + late * MINUTE, every: 15_000 }))).toHaveLength(1)
  })

  test('more than 64 in five minutes are said to be at least so many', () => {
    expect(findings('mass-retrieval', sweepOf(100, { at: NOON }))).toMatchObject([
      { title: 'app read at least 64 different secrets within ten minutes', observed: 64, count: 100 }
    ])
  })

  test('a nightly backup that reads many is told until it did so on three days, and then no more', () => {
    const nights = (from: number, count: number) =>
      daily(count, MONDAY + from * DAY, (at) => [...sweepOf(30, { at, who: 'backup' }), event({ at: at + HOUR, who: 'backup' })])
    expect(findings('mass-retrieval', nights(0, 5)).map(({ first }) => first)).toEqual([2, 1, 0].map((day) => MONDAY + day * DAY))
    const state = emptyState()
    run(nights(0, 3), { state })
    expect(findings('mass-retrieval', nights(3, 1), { state })).toEqual([])
    const more = sweepOf(60, { at: MONDAY + 4 * DAY + HOUR, who: 'backup', every: 8_000 })
    expect(findings('mass-retrieval', more, { state }), 'not three times as many').toEqual([])
  })

  test('three times what is usual is not enough, and a weekly job makes it no more usual than it is', () => {
    const history = daily(9, MONDAY, (at) => sweepOf(7, { at }))
    const sweep = (count: number) => findings('mass-retrieval', sweepOf(count, { at: MONDAY + 9 * DAY }), { history })
    expect(sweep(21)).toEqual([])
    expect(sweep(22)).toMatchObject([
      { severity: 'high', observed: 22, usual: 7, why: expect.stringContaining('it read 7 in such') }
    ])
    const twice = [...history, ...sweepOf(40, { at: MONDAY + HOUR }), ...sweepOf(40, { at: MONDAY + 7 * DAY + HOUR })]
    expect(findings('mass-retrieval', sweepOf(22, { at: MONDAY + 9 * DAY }), { history: twice })).toHaveLength(1)
  })

  test('a theft that goes on for a day does not become usual by that, and is one finding with one id', () => {
    const state = emptyState()
    const steal = (hours: number) => sweepOf(hours * 240, { at: NOON, every: 15_000, who: 'thief' }).slice(-240)
    const ids = Array.from({ length: 8 }, (_, n) => findings('mass-retrieval', steal(n + 1), { state })).map((some) =>
      some.map(({ id }) => id)
    )
    expect(ids.map((some) => some.length)).toEqual(Array(8).fill(1))
    expect(new Set(ids.flat()).size).toBe(1)
  })

  test('logs of two regions, each in its own order, do not hide it', () => {
    const region = (name: string) =>
      daily(6, MONDAY, (at) => many(24, { at, every: HOUR, account: name, who: 'ci', secret: 'ci/token' }))
    const theft = sweepOf(20, { at: MONDAY + DAY + 90 * MINUTE, every: 25_000, account: 'second', who: 'ci' })
    const second = [...region('second'), ...theft].sort((a, b) => a.at - b.at)
    expect(findings('mass-retrieval', [...region('first'), ...second])).toMatchObject([
      { count: 20, subject: { identity: 'aws:ci' } }
    ])
  })

  test('it is seen in the second five minutes of a long log', () => {
    const calm = daily(20, MONDAY + DAY, (at) => event({ at }))
    const early = [
      event({ at: MONDAY }),
      ...sweepOf(12, { at: MONDAY + 5 * MINUTE }),
      ...sweepOf(24, { at: MONDAY + 10 * MINUTE }).slice(12)
    ]
    expect(findings('mass-retrieval', [...early, ...calm])).toMatchObject([{ observed: 24 }])
  })

  test('a peak of an earlier run is not told again, but for one that goes on', () => {
    const history = sweepOf(20, { at: NOON, every: 10_000 })
    expect(findings('mass-retrieval', [event({ at: NOON + HOUR, secret: 'vault/x' })], { history })).toEqual([])
    const [before] = findings('mass-retrieval', history)
    expect(findings('mass-retrieval', [event({ at: NOON + 4 * MINUTE, secret: 'vault/x' })], { history })).toMatchObject([
      { id: before?.id, observed: 21 }
    ])
  })
})

describe('list-then-read', () => {
  const list = (at: number, more: object = {}) => event({ at, kind: 'list', who: 'bob', ...more })

  test('who lists secrets and then reads five of them is told, with the list', () => {
    const asked = list(NOON)
    const reads = sweepOf(5, { at: NOON + MINUTE, who: 'bob' })
    expect(findings('list-then-read', [asked, ...reads])).toMatchObject([
      {
        severity: 'medium',
        title: 'bob listed secrets and read 5 of them',
        why: 'It listed at 2026-06-01 12:00 UTC and read 5 different secrets by 2026-06-01 12:01 UTC.',
        subject: { identity: 'aws:bob' },
        first: NOON,
        observed: 5,
        unit: 'secrets after a list',
        evidence: [asked.id, ...idsOf(reads, 4)],
        technique: 'T1555.006',
        todo: expect.stringContaining('Ask which')
      }
    ])
  })

  test.each([
    ['four', [list(NOON), ...sweepOf(4, { at: NOON + MINUTE, who: 'bob' })]],
    ['five that were read before the list', [...sweepOf(5, { at: NOON, who: 'bob' }), list(NOON + MINUTE)]],
    [
      'five of which one was read before',
      [...sweepOf(1, { at: NOON, who: 'bob' }), list(NOON + 1), ...sweepOf(5, { at: NOON + MINUTE, who: 'bob' }).slice(1)]
    ],
    ['five without a list', sweepOf(5, { at: NOON, who: 'bob' })],
    ['five after a list that was refused', [list(NOON, { outcome: 'denied' }), ...sweepOf(5, { at: NOON + 1, who: 'bob' })]],
    ['five a quarter of an hour later', [list(NOON), ...sweepOf(5, { at: NOON + 15 * MINUTE, who: 'bob' })]],
    ['five that somebody else read', [list(NOON), ...sweepOf(5, { at: NOON + MINUTE, who: 'ann' })]]
  ])('%s are none', (_, events) => {
    expect(findings('list-then-read', events)).toEqual([])
  })

  test('a program that does so every day is none on the fourth', () => {
    const history = daily(3, NOON, (at) => [list(at), ...sweepOf(6, { at: at + 1, who: 'bob' })])
    const fourth = NOON + 3 * DAY
    expect(findings('list-then-read', [list(fourth), ...sweepOf(18, { at: fourth + 1, who: 'bob' })], { history })).toEqual([])
    expect(findings('list-then-read', [list(fourth), ...sweepOf(19, { at: fourth + 1, who: 'bob' })], { history })).toHaveLength(
      1
    )
  })

  test('the list of a program that reads all the time is told beside what followed it', () => {
    const reads = Array.from({ length: 20 }, (_, n) => sweepOf(6, { at: NOON + n * 5 * MINUTE, who: 'bob' })).flat()
    const [one] = findings(
      'list-then-read',
      [...reads, list(NOON + 61 * MINUTE)].sort((a, b) => a.at - b.at)
    )
    expect(one).toMatchObject({ observed: 6, first: NOON + 61 * MINUTE })
  })
})

test('what compute reads is judged like what others read', () => {
  expect(findings('mass-retrieval', sweepOf(20, { at: NOON, who: compute('worker') }))).toHaveLength(1)
})
