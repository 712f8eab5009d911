import { describe, expect, test } from 'vitest'
import { addTally } from '../../shared/audit/merge.ts'
import { FORMATS, type Format } from '../../shared/audit/reader.ts'
import { retained } from '../../shared/audit/reports/retained.ts'
import { RETENTION } from '../../shared/audit/retention.ts'
import { AUDIT_DEFAULTS } from '../../shared/audit/settings.ts'
import { emptyState } from '../../shared/audit/state.ts'
import { summarize } from '../../shared/audit/summarize.ts'
import { CAPS, emptyTally } from '../../shared/audit/tally.ts'
import { counted, DAY, daily, event, HOUR, MONDAY, many, person, readOf, run, sweepOf, type Wanted } from './events.ts'

describe('retention', () => {
  const rowsOf = (...formats: readonly Format[]) => retained(counted([]), new Set(formats))

  test.each<readonly [string, string, number | undefined, readonly Partial<Wanted>[]]>([
    [
      'secret read',
      'high',
      365,
      [{ kind: 'read' }, { kind: 'list' }, { kind: 'describe' }, { outcome: 'absent' }, { outcome: 'failed' }]
    ],
    ['secret write', 'high', 365, [{ kind: 'write' }, { kind: 'rotate' }]],
    ['login', 'medium', 90, [{ kind: 'login' }]],
    ['token', 'medium', 90, [{ kind: 'token' }]],
    ['policy', 'critical', 730, [{ kind: 'policy' }, { kind: 'delete' }, { kind: 'audit' }]],
    ['seal', 'critical', undefined, [{ kind: 'seal' }]],
    [
      'failed access',
      'critical',
      365,
      [{ outcome: 'denied' }, { kind: 'login', outcome: 'unauthenticated' }, { kind: 'policy', outcome: 'denied' }]
    ],
    ['other', 'medium', 90, [{ kind: 'other' }]]
  ])('%s is %s and is kept for %s days', (name, level, days, wanted) => {
    const events = wanted.map((more, n) => event({ at: MONDAY + n, ...more }))
    const rows = run(events).retention.filter((row) => row.events > 0)
    expect(rows).toMatchObject([
      { name, class: level, days, events: events.length, first: MONDAY, last: MONDAY + events.length - 1 }
    ])
  })

  test('every event is in one class, and of this run alone', () => {
    const state = emptyState()
    run(many(5, { at: MONDAY }), { state })
    expect(run(many(3, { at: MONDAY + DAY }), { state }).retention.map((row) => row.events)).toEqual([0, 3, 0, 0, 0, 0, 0, 0])
    expect(run([], { state }).retention.every(({ first, last }) => first === undefined && last === undefined)).toBe(true)
  })

  test.each<readonly [Format, readonly string[]]>([
    ['vault', ['seal']],
    ['vault-server', ['failed access', 'secret read', 'secret write', 'login', 'token', 'policy']],
    ['cloudtrail', ['seal']],
    ['key-vault', ['login', 'token', 'seal']],
    ['gcp', ['login', 'seal']]
  ])('a log of %s cannot show: %j', (format, names) => {
    const rows = rowsOf(format).filter(({ gaps }) => gaps.length > 0)
    expect(rows.map(({ name }) => name)).toEqual(names)
    for (const { gaps } of rows) expect(gaps).toEqual([expect.stringMatching(new RegExp(`^${format}: .`))])
  })

  test('what one of two logs shows is no gap, and every format is known', () => {
    expect(rowsOf('vault', 'vault-server').flatMap(({ gaps }) => gaps)).toEqual([])
    expect(rowsOf('key-vault', 'gcp').map(({ gaps }) => gaps.length)).toEqual([0, 0, 0, 2, 0, 0, 2, 0])
    expect(rowsOf(...FORMATS)).toHaveLength(RETENTION.length)
    expect(rowsOf().flatMap(({ gaps }) => gaps)).toEqual([])
  })
})

describe('what the answer rests on', () => {
  const gapsOf = (...args: Parameters<typeof run>) => run(...args).coverage.gaps
  const learning = (...args: Parameters<typeof run>) =>
    run(...args).coverage.learning.map(({ signal, until }) => `${signal} ${(until - MONDAY) / DAY}`)

  test('what is usual is learned by days on which anything was heard', () => {
    const days = (count: number, every = 1) => Array.from({ length: count }, (_, n) => event({ at: MONDAY + n * every * DAY }))
    const all = ['new-network', 'compute-outside', 'same-address-two-stores', 'source-silent']
    expect(learning(days(1))).toEqual([...all.map((name) => `${name} 6`), 'read-volume 13'])
    expect(learning(days(6))).toEqual([...all.map((name) => `${name} 6`), 'read-volume 13'])
    expect(learning(days(7))).toEqual(['read-volume 13'])
    expect(learning(days(14))).toEqual([])
    expect(learning(days(6, 60)), 'six days of a year').toHaveLength(5)
  })

  test('where nothing was read nothing is known: every signal is learning', () => {
    expect(run([]).coverage.learning).toHaveLength(18)
  })

  test('an empty run on a state that has learned is not learning', () => {
    const state = emptyState()
    run(
      daily(14, MONDAY, (at) => event({ at })),
      { state }
    )
    expect(run([], { state }).coverage).toMatchObject({ learning: [], events: 0 })
  })

  test('a log without a read is told, by store, and with it why', () => {
    expect(gapsOf([event({ at: MONDAY, kind: 'write' })])).toEqual([
      {
        code: 'no-reads',
        text: 'no read was logged in aws 111122223333: reads may not be logged, so nothing is said of unread secrets there'
      }
    ])
    const [gap] = gapsOf([event({ at: MONDAY, store: 'gcp', account: 'my-project', kind: 'write' })])
    expect(gap?.text).toContain('DATA_READ audit logs are off by default')
    expect(gapsOf([event({ at: MONDAY })])).toEqual([])
  })

  test('a network that hides where calls come from is told', () => {
    const events = Array.from({ length: 10 }, (_, n) => event({ at: MONDAY, who: `w${n}`, address: '203.0.113.1' }))
    expect(gapsOf(events)).toMatchObject([
      { code: 'masked', text: expect.stringContaining('nearly everybody comes from 203.0.113.0/24') }
    ])
    expect(gapsOf(events.slice(1)), 'of nine identities it cannot be said').toEqual([])
  })

  test('a device of Vault that was enabled or disabled in this run is told: hashes of before do not compare', () => {
    const device = { kind: 'audit', account: 'root', policy: 'sys/audit/file' } as const
    const events = [event({ at: MONDAY, store: 'vault', account: 'root' }), event({ at: MONDAY, store: 'vault', ...device })]
    const state = emptyState()
    expect(gapsOf(events, { state })).toMatchObject([{ code: 'salt', text: expect.stringContaining('Vault root') }])
    expect(gapsOf([event({ at: MONDAY, store: 'vault', account: 'root' })], { state })).toEqual([])
    expect(gapsOf([event({ at: MONDAY }), event({ at: MONDAY, ...device })]).map(({ code }) => code)).not.toContain('salt')
  })

  test('what has no room is counted and told', () => {
    const networks = Array.from({ length: CAPS.networks + 2 }, (_, n) =>
      event({ at: MONDAY + n, address: `10.${n >> 8}.${n & 255}.1` })
    )
    expect(gapsOf(networks)).toEqual([
      { code: 'capped', text: 'there are more networks than are told apart: 2 events were not counted there' }
    ])
  })

  test('what has no room when parts are added is counted and left out too', () => {
    const part = counted([
      ...many(3, { at: MONDAY }),
      event({ at: MONDAY, kind: 'write' }),
      event({ at: MONDAY, outcome: 'denied' })
    ])
    const [all, full] = [emptyTally(), { ...emptyTally(), pairs: CAPS.pairs, hours: CAPS.hours }]
    for (const tally of [all, full]) addTally(tally, part)
    expect([all.capped.size, all.pairs, all.hours]).toEqual([0, 1, 1])
    expect([...full.capped].sort()).toEqual([
      ['hours', 3],
      ['pairs', 5]
    ])
    expect([full.pairs, full.hours]).toEqual([CAPS.pairs, CAPS.hours])
    expect([...full.identities.values()].map(({ count, secrets }) => [count, secrets.size])).toEqual([[5, 0]])
  })

  test('what was left out is told: of a wrong clock, outside of the period, delivered twice, unreadable', () => {
    const read = { ...readOf([event({ at: MONDAY })]), future: 1, outside: 2, duplicates: 3, malformed: 4, records: 20 }
    const asked = { settings: AUDIT_DEFAULTS, since: undefined, until: undefined, now: undefined, listed: undefined }
    const { gaps, skipped } = summarize(read, emptyState(), asked).coverage
    expect(gaps.map(({ code, text }) => [code, text])).toEqual([
      ['future', '1 events are later than the clock, and were left out'],
      ['outside', '2 events are outside of the period'],
      ['duplicates', '3 events were delivered more than once, and counted once'],
      ['malformed', '4 records could not be read']
    ])
    expect(skipped).toBe(20 - 1 - 1 - 2 - 3 - 4)
  })
})

describe('charts', () => {
  test('draw the most read secrets, and those of findings before them', () => {
    const busy = Array.from({ length: 14 }, (_, n) =>
      many(40 - n, { at: MONDAY + 35 * DAY, secret: `s${n}`, every: HOUR })
    ).flat()
    const loud = [
      ...daily(22, MONDAY, (at) => event({ at, secret: 'loud' })),
      ...many(12, { at: MONDAY + 35 * DAY, secret: 'loud' })
    ]
    const { charts } = run([...loud, ...busy])
    expect(charts.reads.map(({ secretName }) => secretName)).toEqual(['loud', ...Array.from({ length: 11 }, (_, n) => `s${n}`)])
    const [drawn] = charts.reads
    expect(drawn?.flagged).toEqual([(MONDAY + 35 * DAY) / HOUR])
    expect(drawn?.hours.at(-1)).toEqual([(MONDAY + 35 * DAY) / HOUR, 12, 1])
  })

  test('count reads by the hour of the week in the zone, of people and of others', () => {
    const events = [
      event({ at: MONDAY, who: person('ann') }),
      ...sweepOf(3, { at: MONDAY + 25 * HOUR }),
      event({ at: MONDAY, kind: 'write' })
    ]
    const places = (counts: readonly number[]) => counts.flatMap((count, hour) => (count > 0 ? [[hour, count]] : []))
    const inUtc = run(events).charts.week
    expect([inUtc.zone, places(inUtc.people), places(inUtc.others)]).toEqual(['UTC', [[0, 1]], [[25, 3]]])
    const inLosAngeles = run(events, { settings: { zone: 'America/Los_Angeles' } }).charts.week
    expect([places(inLosAngeles.people), places(inLosAngeles.others)]).toEqual([[[161, 1]], [[18, 3]]])
  })
})
