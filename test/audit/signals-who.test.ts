import { describe, expect, test } from 'vitest'
import { compute, DAY, daily, event, findings, HOUR, identity, idsOf, MINUTE, MONDAY, many } from './events.ts'

describe('new-network', () => {
  const known = daily(8, MONDAY, (at) => event({ at, address: '203.0.113.9' }))
  const later = MONDAY + 8 * DAY

  test('an identity that is known for a week and comes from another network is told', () => {
    const moved = [event({ at: later, address: '198.51.100.7' }), event({ at: later + HOUR, address: '198.51.100.8' })]
    expect(findings('new-network', moved, { history: known })).toMatchObject([
      {
        severity: 'medium',
        title: 'app came from 198.51.100.0/24, where it was never seen',
        why: 'app is known since 2026-06-01 00:00 UTC from 1 other network; 198.51.100.7 came first at 2026-06-09 00:00 UTC, and it made 2 calls from there.',
        subject: { identity: 'aws:app', identityName: 'app', network: '198.51.100.0/24', address: '198.51.100.7' },
        store: 'aws',
        first: later,
        last: later + HOUR,
        count: 2,
        evidence: idsOf(moved),
        technique: 'T1078.004',
        todo: expect.stringContaining('Ask who runs this identity')
      }
    ])
  })

  test('an endpoint of a private network is a network of its own', () => {
    const moved = event({ at: later, address: '10.0.0.1', network: 'vpce-1' })
    expect(findings('new-network', [moved], { history: known })).toMatchObject([{ subject: { network: 'vpce-1' } }])
  })

  test.each([
    ['another address of the same network', { address: '203.0.113.200' }],
    ['a call without an address', { address: '' }],
    ['a call that was refused', { outcome: 'denied' as const, address: '198.51.100.7' }]
  ])('%s is not told', (_, more) => {
    expect(findings('new-network', [event({ at: later, ...more })], { history: known })).toEqual([])
  })

  test('a network is told once: the next run that sees it says nothing', () => {
    const history = [...known, event({ at: later, address: '198.51.100.7' })]
    expect(findings('new-network', [event({ at: later + HOUR, address: '198.51.100.7' })], { history })).toEqual([])
  })

  test('what is new within the first week of an identity is still learned', () => {
    const last = (ms: number) => [event({ at: MONDAY + ms, address: '198.51.100.7' })]
    const history = [event({ at: MONDAY, address: '203.0.113.9' })]
    expect(findings('new-network', last(7 * DAY - 1), { history })).toEqual([])
    expect(findings('new-network', last(7 * DAY), { history })).toHaveLength(1)
  })

  test('a network that nine of ten identities come from is a proxy’s, and nobody’s own', () => {
    const through = (count: number) =>
      Array.from({ length: 10 }, (_, n) => [
        event({ at: MONDAY + n, who: `w${n}`, address: `203.0.${n}.1` }),
        event({ at: later + n, who: `w${n}`, address: n < count ? '198.51.100.1' : `203.0.${n}.1` })
      ]).flat()
    expect(findings('new-network', through(9))).toEqual([])
    expect(findings('new-network', through(8))).toHaveLength(8)
  })

  test('the cloud itself has no network', () => {
    const cloud = identity('secretsmanager.amazonaws.com', { type: 'service' })
    const history = daily(8, MONDAY, (at) => event({ at, who: cloud, address: '203.0.113.9' }))
    expect(findings('new-network', [event({ at: later, who: cloud, address: '198.51.100.7' })], { history })).toEqual([])
  })
})

describe('compute-outside', () => {
  const role = compute('worker')
  const known = daily(8, MONDAY, (at) => event({ at, who: role, address: '10.0.0.5' }))
  const used = (address: string, network = '') => event({ at: MONDAY + 8 * DAY, who: role, address, network })

  test.each(['8.8.8.8', '2a00:1450::1'])(
    'credentials of compute that are used from %s are told, and by this signal alone',
    (address) => {
      const call = used(address)
      const [one, ...more] = findings('compute-outside', [call], { history: known })
      expect(one).toMatchObject({
        severity: 'high',
        title: `worker, which runs on compute, was used from ${address}`,
        subject: { identity: 'aws:worker#compute', address },
        count: 1,
        evidence: [call.id],
        technique: 'T1552.005',
        todo: expect.stringContaining('end the role’s sessions')
      })
      expect(one?.why).toContain('it made 1 call from there')
      expect(more).toEqual([])
      expect(findings('new-network', [used(address)], { history: known })).toEqual([])
    }
  )

  test.each([
    ['a private address', '192.168.7.1', ''],
    ['an address of this machine', 'fd00::1', ''],
    ['an endpoint of a private network', '10.9.9.9', 'vpce-9']
  ])('%s is inside', (_, address, network) => {
    expect(findings('compute-outside', [used(address, network)], { history: known })).toEqual([])
  })

  test('the same from a program that does not run on compute is another signal’s', () => {
    const history = daily(8, MONDAY, (at) => event({ at, address: '10.0.0.5' }))
    expect(findings('compute-outside', [event({ at: MONDAY + 8 * DAY, address: '8.8.8.8' })], { history })).toEqual([])
  })

  test('a public address that it always had is not new', () => {
    const history = daily(8, MONDAY, (at) => event({ at, who: role, address: '8.8.8.8' }))
    expect(findings('compute-outside', [used('8.8.8.8')], { history })).toEqual([])
  })
})

describe('denied', () => {
  const refused = (who: string, at: number, secret: string) => event({ at, who, secret, outcome: 'denied' })

  test('one refusal is a small thing, and is told with what was asked for', () => {
    const one = refused('ci', MONDAY, 'prod/db')
    expect(findings('denied', [one])).toMatchObject([
      {
        severity: 'low',
        title: 'ci was refused once, for prod/db',
        why: '1 call for 1 different thing was denied.',
        subject: { identity: 'aws:ci', identityName: 'ci', secret: 'aws:111122223333/prod/db', secretName: 'prod/db' },
        account: '111122223333',
        count: 1,
        evidence: [one.id],
        technique: 'T1555.006',
        todo: expect.stringContaining('A wrong policy, or somebody who tries doors')
      }
    ])
  })

  test.each([
    [2, 1, 'low'],
    [3, 1, 'medium'],
    [9, 1, 'medium'],
    [10, 1, 'high'],
    [1, 19, 'low'],
    [1, 20, 'medium'],
    [1, 500, 'medium']
  ])('%i doors that are tried %i times each are %s', (doors, tries, severity) => {
    const events = Array.from({ length: doors * tries }, (_, n) => refused('ci', MONDAY + n, `s${n % doors}`))
    expect(findings('denied', events)).toMatchObject([{ severity, count: doors * tries }])
  })

  test('what names no secret is told by its operation, and what was read before is said', () => {
    const lists = event({ at: MONDAY, who: 'ci', kind: 'list', outcome: 'denied' })
    expect(findings('denied', [lists])).toMatchObject([{ title: 'ci was refused once, for ListSecrets' }])
    const lost = [event({ at: MONDAY, who: 'ci', secret: 'prod/db' }), refused('ci', MONDAY + 1, 'prod/db'), lists]
    expect(findings('denied', lost)).toMatchObject([
      { title: 'ci was refused 2 times, for 2 things', why: expect.stringContaining('some of these secrets it had read before') }
    ])
  })

  test.each(['done', 'absent', 'failed', 'unauthenticated'] as const)('a call that ended as %s is none', (outcome) => {
    expect(findings('denied', [event({ at: MONDAY, outcome })])).toEqual([])
  })

  test('what was denied in an earlier run is not told again', () => {
    expect(findings('denied', [event({ at: MONDAY + HOUR, who: 'ci' })], { history: [refused('ci', MONDAY, 'db')] })).toEqual([])
  })
})

describe('same-address-two-stores', () => {
  const address = '203.0.113.50'
  const history = daily(8, MONDAY, (at) => event({ at, address }))
  const inVault = many(2, { at: MONDAY + 8 * DAY, store: 'vault', account: 'root', address, every: MINUTE })

  test('an address that reads in a second store is told, with events of both', () => {
    expect(findings('same-address-two-stores', inVault, { history })).toMatchObject([
      {
        severity: 'medium',
        title: `${address} read secrets in aws and vault`,
        why: `It read in aws 8 times since 2026-06-01 00:00 UTC, and in vault 2 times since 2026-06-09 00:00 UTC.`,
        subject: { address },
        count: 10,
        evidence: [...idsOf(history, 2), ...idsOf(inVault, 2)],
        technique: 'T1555.006',
        todo: expect.stringContaining('An office or a build farm')
      }
    ])
  })

  test('it is told once', () => {
    const again = [event({ at: MONDAY + 9 * DAY, store: 'vault', account: 'root', address })]
    expect(findings('same-address-two-stores', again, { history: [...history, ...inVault] })).toEqual([])
  })

  test('within the first week of a log it is learned, and a call that read nothing does not count', () => {
    const early = event({ at: MONDAY + 7 * DAY - 1, store: 'vault', account: 'root', address })
    expect(findings('same-address-two-stores', [early], { history })).toEqual([])
    const denied = event({ at: MONDAY + 8 * DAY, store: 'vault', account: 'root', address, outcome: 'denied' })
    expect(findings('same-address-two-stores', [denied], { history })).toEqual([])
  })

  test('two accounts of one store are one store', () => {
    const other = event({ at: MONDAY + 8 * DAY, account: '999988887777', address })
    expect(findings('same-address-two-stores', [other], { history })).toEqual([])
  })
})
