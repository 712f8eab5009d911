import { describe, expect, test } from 'vitest'
import type { AuditEvent } from '../../shared/audit/event.ts'
import { reviewOf } from '../../shared/audit/reports/drift.ts'
import { emptyState } from '../../shared/audit/state.ts'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import { instant } from '../../shared/types.ts'
import { DAY, daily, event, HOUR, MONDAY, many, person, run, type Wanted } from './events.ts'

describe('inventory', () => {
  test('has a row for each identity and secret: what it did, since when and until when', () => {
    const ann = person('ann')
    const events = [
      ...many(3, { at: MONDAY, every: HOUR }),
      event({ at: MONDAY + DAY, who: ann, kind: 'write' }),
      event({ at: MONDAY + DAY + 1, who: ann, kind: 'rotate', secret: 'app/db' }),
      event({ at: MONDAY + DAY + 2, who: ann, outcome: 'denied' }),
      event({ at: MONDAY + DAY + 3, who: ann, outcome: 'failed' }),
      event({ at: MONDAY + 2 * DAY, who: ann, secret: 'app/key', kind: 'describe' })
    ]
    const app = { identity: 'aws:app', identityName: 'app', identityType: 'workload' }
    const by = { identity: 'aws:ann', identityName: 'ann', identityType: 'person' }
    const of = (name: string) => ({ secret: `aws:111122223333/${name}`, secretName: name, store: 'aws', account: '111122223333' })
    expect(run(events).inventory).toEqual([
      { ...by, ...of('app/key'), first: MONDAY + 2 * DAY, last: MONDAY + 2 * DAY, reads: 0, writes: 0, denied: 0 },
      { ...by, ...of('app/db'), first: MONDAY + DAY, last: MONDAY + DAY + 3, reads: 0, writes: 2, denied: 1 },
      { ...app, ...of('app/db'), first: MONDAY, last: MONDAY + 2 * HOUR, reads: 3, writes: 0, denied: 0 }
    ])
  })

  test('goes on from run to run', () => {
    const state = emptyState()
    run([event({ at: MONDAY })], { state })
    expect(run([event({ at: MONDAY + DAY })], { state }).inventory).toMatchObject([
      { first: MONDAY, last: MONDAY + DAY, reads: 2 }
    ])
    expect(run([], { state }).inventory).toMatchObject([{ reads: 2 }])
  })
})

describe('drift', () => {
  const change = (at: number, policyHash: string, more: Partial<Wanted> = {}) =>
    event({ at, kind: 'policy', operation: 'PutRolePolicy', policy: 'app', policyHash, ...more })
  const reviewed = (events: readonly AuditEvent[]) => {
    const state = emptyState()
    run(events, { state })
    state.review = reviewOf(state.tally, MONDAY + DAY, 'Ann')
    return state
  }
  const later = MONDAY + 2 * DAY

  test('a policy that nobody looked at is unreviewed, with who changed it last and how often', () => {
    const events = [change(MONDAY, 'a'), change(MONDAY + 1, 'b', { who: person('ann') })]
    const { controls = [], ...row } = run(events).drift[0] ?? {}
    expect(row).toEqual({
      ...{ policy: 'app', store: 'aws', account: '111122223333', changedAt: MONDAY + 1, changedBy: 'ann', changes: 2 },
      ...{ state: 'unreviewed', reviewedAt: undefined, reviewer: undefined, evidence: events.map(({ id }) => id) }
    })
    expect(controls).toContain('SOC 2 CC7.1')
  })

  test.each<readonly [string, readonly AuditEvent[], string | undefined]>([
    ['did not change', [], undefined],
    ['has another text', [change(later, 'b')], 'changed'],
    ['changed and is again what was reviewed', [change(later, 'b'), change(later + 1, 'a')], 'same'],
    ['changed to what the log does not show', [change(later, '')], 'unknown'],
    ['was refused to be changed', [change(later, 'b', { outcome: 'denied' })], undefined]
  ])('a reviewed policy that %s', (_, events, expected) => {
    const state = reviewed([change(MONDAY, 'a')])
    const rows = run(events, { state }).drift
    expect(rows.map((row) => row.state)).toEqual(expected === undefined ? [] : [expected])
    if (expected) expect(rows).toMatchObject([{ reviewedAt: MONDAY + DAY, reviewer: 'Ann' }])
  })

  test('a change that is older than the review, and is delivered after it, is told', () => {
    const state = reviewed([change(MONDAY, 'a')])
    expect(run([change(MONDAY + HOUR, 'b')], { state }).drift).toMatchObject([{ state: 'changed' }])
  })

  test('a policy that is new since the review is unreviewed, and one of the same name elsewhere is another', () => {
    const state = reviewed([change(MONDAY, 'a')])
    const rows = run([change(later, 'a', { policy: 'new' }), change(later, 'a', { account: 'other' })], { state }).drift
    expect(rows.map(({ policy, account, state: is }) => [policy, account, is])).toEqual([
      ['app', 'other', 'unreviewed'],
      ['new', '111122223333', 'unreviewed']
    ])
  })

  test('Vault’s hashes of before a device was enabled anew do not compare, of AWS they do', () => {
    const inVault = { store: 'vault', account: 'root' } as const
    const device = { kind: 'audit', operation: 'update', policy: 'sys/audit/file' } as const
    const salted = (more: Partial<Wanted>) => {
      const state = reviewed([change(MONDAY, 'a', more)])
      const rows = run([event({ at: later, ...device, ...more }), change(later + 1, 'b', more)], { state }).drift
      return rows.find(({ policy }) => policy === 'app')?.state
    }
    expect(salted(inVault)).toBe('unknown')
    expect(salted({})).toBe('changed')
  })
})

describe('orphans', () => {
  const NOW = MONDAY + 120 * DAY
  const orphans = (events: readonly AuditEvent[], listed?: readonly SecretFacts[]) =>
    run(events, { now: NOW, listed }).orphans.map(({ controls, ...row }) => {
      expect(controls.length).toBeGreaterThan(0)
      return row
    })
  const heard = [event({ at: MONDAY, secret: 'used' }), event({ at: NOW - HOUR, secret: 'used' })]
  const facts = (name: string, lastReadAt?: number): SecretFacts => ({
    ...{
      id: `arn:aws:secretsmanager:eu-west-1:111122223333:secret:${name}-aB3xY9`,
      name,
      seenAt: instant(NOW),
      pendings: [],
      spent: []
    },
    ...{ replicasInSync: true, metadata: {} },
    ...(lastReadAt !== undefined && { lastReadAt: instant(lastReadAt) })
  })

  test('a secret that was not read for ninety days is one; a day less, and it is none', () => {
    expect(orphans([...heard, event({ at: NOW - 90 * DAY, secret: 'old' })])).toEqual([
      { secret: 'old', store: 'aws', lastRead: NOW - 90 * DAY, from: 'log', days: 90, why: 'not read for 90 days' }
    ])
    expect(orphans([...heard, event({ at: NOW - 90 * DAY + 1, secret: 'old' })])).toEqual([])
  })

  test('a secret that was written and never read is one', () => {
    expect(orphans([...heard, event({ at: MONDAY + DAY, kind: 'write', secret: 'new' })])).toMatchObject([
      { secret: 'new', lastRead: undefined, days: 119, why: 'never read in the 119 days since it was first seen' }
    ])
  })

  test('of a log that was heard for less than ninety days nothing is said', () => {
    const short = [event({ at: NOW - 89 * DAY, secret: 'used' }), event({ at: NOW - 89 * DAY, kind: 'write', secret: 'new' })]
    expect(orphans(short)).toEqual([])
  })

  test('where reads are not logged nothing is said', () => {
    expect(
      orphans([event({ at: MONDAY, kind: 'write', secret: 'new' }), event({ at: NOW, kind: 'write', secret: 'x' })])
    ).toEqual([])
  })

  test('what the store itself says of the last read counts, if it is later', () => {
    const old = event({ at: NOW - 110 * DAY, secret: 'old' })
    expect(orphans([...heard, old], [facts('old', NOW - DAY)])).toEqual([])
    expect(orphans([...heard, old], [facts('old', NOW - 100 * DAY)])).toMatchObject([
      { lastRead: NOW - 100 * DAY, from: 'store' }
    ])
    expect(orphans([...heard, old], [facts('old', NOW - 115 * DAY)])).toMatchObject([{ lastRead: NOW - 110 * DAY, from: 'log' }])
    expect(orphans([], [facts('unheard', NOW - 90 * DAY), facts('read', NOW - DAY), facts('unknown')])).toEqual([
      { secret: 'unheard', store: 'listed', lastRead: NOW - 90 * DAY, from: 'store', days: 90, why: 'not read for 90 days' }
    ])
  })

  test('what was deleted is no orphan, what was written again may be', () => {
    const deleted = [event({ at: MONDAY, secret: 'gone' }), event({ at: MONDAY + 1, kind: 'delete', secret: 'gone' })]
    expect(orphans([...heard, ...deleted])).toEqual([])
    expect(orphans([...heard, ...deleted, event({ at: MONDAY + 2, kind: 'write', secret: 'gone' })])).toHaveLength(1)
  })

  test('the longest unread come first', () => {
    const olds = [100, 119, 95].map((days) => event({ at: NOW - days * DAY, secret: `s${days}` }))
    expect(orphans([...heard, ...olds]).map(({ secret }) => secret)).toEqual(['s119', 's100', 's95'])
  })

  test('a month of reads every day leaves none', () => {
    expect(orphans(daily(120, MONDAY + DAY, (at) => event({ at })))).toEqual([])
  })
})
