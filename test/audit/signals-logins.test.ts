import { describe, expect, test } from 'vitest'
import { DAY, daily, event, findings, HOUR, identity, idsOf, MINUTE, MONDAY, many, run, type Wanted } from './events.ts'

const NOON = MONDAY + 12 * HOUR
const address = '203.0.113.66'
const login = (wanted: Wanted) => event({ kind: 'login', operation: 'AssumeRole', issuer: 'sts', address, ...wanted })

describe('failed-logins', () => {
  const failed = (count: number, more: Partial<Wanted> & { readonly every?: number } = {}) =>
    many(count, { at: NOON, kind: 'login', address, outcome: 'unauthenticated', every: MINUTE, ...more })

  test('five failed logins from one address within ten minutes are told', () => {
    const events = failed(5)
    expect(findings('failed-logins', events)).toMatchObject([
      {
        severity: 'medium',
        title: '5 logins from 203.0.113.66 failed within ten minutes',
        why: '5 failed from 2026-06-01 12:00 UTC on, for 1 different account.',
        subject: { address },
        first: NOON,
        last: NOON + 4 * MINUTE,
        count: 5,
        observed: 5,
        unit: 'failed logins in 10 minutes',
        evidence: idsOf(events),
        technique: 'T1110',
        todo: expect.stringContaining('Block the address')
      }
    ])
  })

  test.each([
    ['four', failed(4)],
    ['five within an hour', failed(5, { every: 11 * MINUTE })],
    ['five from two addresses', [...failed(3), ...failed(2, { address: '203.0.113.67' })]],
    ['five that nobody knows where from', failed(5, { address: '' })],
    ['five that were taken', failed(5, { outcome: 'done' })]
  ])('%s are none', (_, events) => {
    expect(findings('failed-logins', events)).toEqual([])
  })

  test('five accounts that are tried are worse than one', () => {
    const spray = (accounts: number) =>
      Array.from({ length: 5 }, (_, n) => login({ at: NOON + n * MINUTE, who: `a${n % accounts}`, outcome: 'unauthenticated' }))
    expect(findings('failed-logins', spray(4))).toMatchObject([{ severity: 'medium' }])
    expect(findings('failed-logins', spray(5))).toMatchObject([
      { severity: 'high', why: '5 failed from 2026-06-01 12:00 UTC on, for 5 different accounts.' }
    ])
  })

  test('a login that is taken afterwards makes it critical; one from before or from elsewhere does not', () => {
    const after = login({ at: NOON + 5 * MINUTE })
    expect(findings('failed-logins', [...failed(5), after])).toMatchObject([
      { severity: 'critical', why: expect.stringContaining('a login from there was taken at 2026-06-01 12:05 UTC') }
    ])
    expect(findings('failed-logins', [login({ at: NOON - MINUTE }), ...failed(5)])).toMatchObject([{ severity: 'medium' }])
    const elsewhere = login({ at: NOON + 5 * MINUTE, address: '203.0.113.67' })
    expect(findings('failed-logins', [...failed(5), elsewhere])).toMatchObject([{ severity: 'medium' }])
  })

  test('calls with a token that is none count too', () => {
    const calls = many(5, { at: NOON, store: 'vault', account: 'root', address, outcome: 'unauthenticated' })
    expect(findings('failed-logins', calls)).toHaveLength(1)
  })

  test('failures of two runs are one window, and what an earlier run told is not told again', () => {
    const [first, second] = [failed(3), failed(2, { at: NOON + 4 * MINUTE })]
    expect(findings('failed-logins', second, { history: first })).toMatchObject([
      { count: 5, evidence: idsOf([...first, ...second]) }
    ])
    expect(findings('failed-logins', failed(1, { at: NOON + 3 * HOUR }), { history: failed(9) })).toEqual([])
  })
})

describe('long-ttl', () => {
  const token = (ttlSeconds: number, more: Partial<Wanted> = {}) =>
    event({ at: NOON, kind: 'token', store: 'vault', account: 'root', issuer: 'auth/token/', ttlSeconds, who: 'ann', ...more })

  test('a token that lives longer than a day is told', () => {
    const one = token(2 * 86_400)
    expect(findings('long-ttl', [one])).toMatchObject([
      {
        severity: 'medium',
        title: 'auth/token/ gave ann a token of 48 hours',
        why: 'The longest of 1 lives 48 hours; more than 24 hours is long.',
        subject: { identity: 'vault:ann', source: 'auth/token/' },
        store: 'vault',
        account: 'root',
        observed: 172_800,
        usual: undefined,
        unit: 's',
        evidence: [one.id],
        technique: 'T1550.001',
        todo: expect.stringContaining('Revoke it')
      }
    ])
  })

  test('one without end is worse', () => {
    expect(findings('long-ttl', [token(Number.POSITIVE_INFINITY)])).toMatchObject([
      { severity: 'high', title: 'auth/token/ gave ann a token that never ends', observed: Number.POSITIVE_INFINITY }
    ])
  })

  test.each([
    ['vault', 86_400],
    ['aws', 14_400],
    ['azure', 86_400],
    ['gcp', 3_600]
  ] as const)('%s: up to %i seconds are none', (store, most) => {
    expect(findings('long-ttl', [token(most, { store })])).toEqual([])
    expect(findings('long-ttl', [token(most + 1, { store })])).toHaveLength(1)
  })

  test('tokens as long as 99 of 100 that this method gives out are its habit; longer ones are not', () => {
    const usual = Array.from({ length: 199 }, (_, n) => token(30 * 86_400, { at: NOON + n }))
    const week = (days: number) => [token(days * 86_400, { at: NOON + DAY })]
    expect(findings('long-ttl', week(30), { history: usual })).toEqual([])
    expect(findings('long-ttl', week(60), { history: usual })).toMatchObject([
      { why: expect.stringMatching(/, and 99 of 100 tokens from there live at most \d+ hours\.$/), usual: 2 ** 22 }
    ])
    expect(findings('long-ttl', week(30), { history: usual.slice(0, 48) }), 'fewer than fifty were seen').toHaveLength(1)
    expect(
      findings('long-ttl', [token(30 * 86_400, { at: NOON + DAY, issuer: 'auth/other/' })], { history: usual })
    ).toHaveLength(1)
  })

  test('a token that was given out in an earlier run is not told again', () => {
    expect(findings('long-ttl', [token(60, { at: NOON + 1 })], { history: [token(9 * 86_400)] })).toEqual([])
  })
})

describe('source-silent', () => {
  const weekdays = (weeks: number) =>
    daily(7 * weeks, MONDAY, (at) => (new Date(at).getUTCDay() % 6 === 0 ? [] : event({ at: at + 12 * HOUR })))
  const friday = MONDAY + 11 * DAY + 12 * HOUR

  test('a source that is heard every day and is not for longer than one is told', () => {
    const heard = daily(10, MONDAY, (at) => event({ at }))
    const last = MONDAY + 9 * DAY
    expect(findings('source-silent', heard, { now: last + DAY })).toEqual([])
    expect(findings('source-silent', heard, { now: last + DAY + 1 })).toMatchObject([
      {
        severity: 'high',
        title: 'nothing was heard of aws 111122223333 since 2026-06-10 00:00 UTC',
        why: 'Since 2026-06-01 00:00 UTC its longest pause was 0 hours; now it is silent for 24 hours.',
        subject: { source: 'aws 111122223333' },
        store: 'aws',
        account: '111122223333',
        first: last,
        last: last + DAY + 1,
        observed: 86_400,
        usual: 0,
        unit: 's',
        technique: 'T1562.008',
        todo: expect.stringContaining('Look whether the log is still written')
      }
    ])
  })

  test('a source that is silent at every weekend is not told until three weekends long', () => {
    expect(findings('source-silent', weekdays(2), { now: friday + 2 * DAY })).toEqual([])
    expect(findings('source-silent', weekdays(2), { now: friday + 6 * DAY })).toEqual([])
    expect(findings('source-silent', weekdays(2), { now: friday + 6 * DAY + 1 })).toMatchObject([{ usual: 2 * 86_400 }])
  })

  test('before a week was heard nothing is known of it', () => {
    const heard = daily(7, MONDAY, (at) => event({ at }))
    expect(findings('source-silent', heard, { now: MONDAY + 30 * DAY })).toEqual([])
    expect(findings('source-silent', [...heard, event({ at: MONDAY + 7 * DAY })], { now: MONDAY + 30 * DAY })).toHaveLength(1)
  })

  test('one of two sources is told by itself, and the same silence has the same id', () => {
    const both = daily(10, MONDAY, (at) => [event({ at }), event({ at, account: 'other' })])
    const more = daily(3, MONDAY + 10 * DAY, (at) => event({ at, account: 'other' }))
    const at = (now: number) =>
      findings('source-silent', [...both, ...more], { now }).map(({ id, account }) => `${account} ${id}`)
    expect(at(MONDAY + 12 * DAY)).toEqual([expect.stringMatching(/^111122223333 [0-9a-f]{32}$/)])
    expect(at(MONDAY + 13 * DAY)).toEqual(at(MONDAY + 12 * DAY))
  })

  test('without a clock the log’s last event is now, so that an old file is not silent', () => {
    const old = daily(10, MONDAY, (at) => event({ at, who: identity('old') }))
    expect(run(old).period.now).toBe(MONDAY + 9 * DAY)
    expect(findings('source-silent', old)).toEqual([])
  })
})
