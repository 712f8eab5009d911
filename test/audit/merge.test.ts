import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Burst, judged } from '../../shared/audit/burst.ts'
import { burstThresholds } from '../../shared/audit/count.ts'
import type { AuditEvent } from '../../shared/audit/event.ts'
import { addTally, forget } from '../../shared/audit/merge.ts'
import { emptyRead } from '../../shared/audit/read.ts'
import { AUDIT_DEFAULTS } from '../../shared/audit/settings.ts'
import { emptyState } from '../../shared/audit/state.ts'
import { summarize } from '../../shared/audit/summarize.ts'
import { emptyTally, type Tally } from '../../shared/audit/tally.ts'
import { compute, counted, DAY, event, HOUR, identity, MONDAY, person, run, type Wanted } from './events.ts'

const settings = { ...AUDIT_DEFAULTS, decoys: ['vault/s29'] }
const { reads, failures } = burstThresholds(settings)

const CALLERS = [
  ...[identity('app'), identity('ci'), compute('worker'), person('ann'), identity('admin', { isRoot: true })].map((who) => ({
    who
  })),
  ...['app', 'ops'].map((name) => ({ who: identity(name, { store: 'vault' }), store: 'vault' as const, account: 'root' }))
]
const PLACES = ['10.1.2.3', '10.1.2.77', '10.9.9.9', '203.0.113.5', '198.51.100.7', '2001:db8::1', '']

const reading = fc
  .tuple(fc.constantFrom(...CALLERS), fc.constantFrom(...PLACES), fc.nat(29))
  .map(([caller, address, n]): Omit<Wanted, 'at'> => ({ ...caller, address, secret: `vault/s${n}` }))
const others = fc.constantFrom<Omit<Wanted, 'at'>>(
  { kind: 'write', who: 'ci' },
  { kind: 'list', who: 'ci' },
  { kind: 'login', outcome: 'unauthenticated', address: '203.0.113.5' },
  { kind: 'login', address: '203.0.113.5' },
  { kind: 'policy', policy: 'p', policyHash: 'a', marks: ['madePublic'] },
  { kind: 'policy', policy: 'p', policyHash: 'b', who: 'ci' },
  { kind: 'token', issuer: 'sts', ttlSeconds: 90_000 },
  { kind: 'rotate', outcome: 'failed', secret: 'vault/s1', marks: ['rotationFailed'] },
  { kind: 'audit', policy: 'trail', marks: ['lessAudit'] },
  { kind: 'delete', secret: 'vault/s2', marks: ['unrecoverable'] }
)
const refused = reading.map((one): Omit<Wanted, 'at'> => ({ ...one, outcome: 'denied' }))
const kinds = fc.oneof({ weight: 20, arbitrary: reading }, { weight: 4, arbitrary: others }, { weight: 2, arbitrary: refused })
const gaps = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 1, max: 90_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 20 * HOUR }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 * DAY }) }
)

/** A log in the order of time, no two events of the same moment. */
const logs = fc.array(fc.tuple(gaps, kinds), { minLength: 1, maxLength: 300, size: 'max' }).map((all) => {
  let at = MONDAY
  return all.map(([gap, wanted]) => {
    at += gap
    return event({ ...wanted, at })
  })
})

function merged(parts: readonly (readonly AuditEvent[])[]): Tally {
  const all = emptyTally()
  for (const part of parts) addTally(all, counted(part, settings))
  return all
}

/** As text in an order of its own; of bursts, what they say; of evidence, the earliest. */
function textOf(tally: unknown, hasBursts = true): string {
  const plain = (key: string, value: unknown): unknown => {
    if (value instanceof Map) return Object.fromEntries([...value].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)))
    if (key === 'evidence') return (value as readonly string[])[0]
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
  }
  const bursts = (key: string, value: unknown): unknown => {
    const isBurst = typeof value === 'object' && value !== null && 'buckets' in value
    if (!isBurst) return plain(key, value)
    return hasBursts ? judged(value as Burst, key === 'reads' ? reads : failures) : undefined
  }
  return JSON.stringify(tally, bursts, 1)
}

/** What is answered from a tally that was read in one run. */
function answers(tally: Tally) {
  const state = emptyState()
  const { first = 0, last = 0 } = { first: MONDAY, last: Math.max(0, ...[...tally.accounts.values()].map((one) => one.last)) }
  const read = { ...emptyRead(), tally, events: 1, first, last }
  const {
    findings,
    coverage: _,
    ...reports
  } = summarize(read, state, { settings, now: undefined, since: undefined, until: undefined, listed: undefined })
  return { findings: findings.map(({ id }) => id).sort(), reports }
}

const shuffled = <T>(items: readonly T[], order: readonly number[]): readonly T[] =>
  items
    .map((item, at) => [order[at % order.length] ?? 0, item] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, item]) => item)

const orders = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 12 })

describe('a log that is read in parts', () => {
  test('gives the same tally, findings and reports as one that is read whole, in whatever order the parts are added', () => {
    const cases = fc.tuple(logs, fc.array(fc.nat(299), { maxLength: 6, size: 'max' }), orders)
    fc.assert(
      fc.property(cases, ([log, cuts, order]) => {
        const ends = [...new Set(cuts.filter((cut) => cut < log.length)), log.length].sort((a, b) => a - b)
        const parts = ends.map((end, at) => log.slice(ends[at - 1] ?? 0, end))
        const [whole, some] = [merged([log]), merged(shuffled(parts, order))]
        expect(textOf(some)).toBe(textOf(whole))
        expect(textOf(answers(some))).toBe(textOf(answers(whole)))
        const now = log.at(-1)?.at ?? 0
        for (const tally of [whole, some]) forget(tally, now, settings)
        expect(textOf(some)).toBe(textOf(whole))
      }),
      { seed: 6, numRuns: 150, endOnFailure: true }
    )
  })

  test('gives the same where each part has any of the events, but for what is told by minutes', () => {
    const cases = fc.tuple(logs, fc.array(fc.nat(3), { minLength: 1, maxLength: 30 }), orders)
    fc.assert(
      fc.property(cases, ([log, worker, order]) => {
        const parts = [0, 1, 2, 3].map((n) => log.filter((_, at) => worker[at % worker.length] === n))
        expect(textOf(merged(shuffled(parts, order)), false)).toBe(textOf(merged([log]), false))
      }),
      { seed: 6, numRuns: 100, endOnFailure: true }
    )
  })

  test('counts what is kept as reading it whole does', () => {
    fc.assert(
      fc.property(logs, (log) => {
        const [whole, again] = [counted(log, settings), merged([log])]
        expect([again.hours, again.pairs]).toEqual([whole.hours, whole.pairs])
      }),
      { seed: 6, numRuns: 50, endOnFailure: true }
    )
  })

  test('leaves the part that is added as it was', () => {
    fc.assert(
      fc.property(logs, logs, (log, other) => {
        const part = counted(log, settings)
        const before = textOf(part)
        const all = merged([other])
        addTally(all, part)
        addTally(all, counted(other, settings))
        forget(all, MONDAY + 365 * DAY, settings)
        expect(textOf(part)).toBe(before)
      }),
      { seed: 6, numRuns: 50, endOnFailure: true }
    )
  })
})

describe('a log that is read in several runs', () => {
  test('ends with the reports that one run over all of it gives', () => {
    const cases = fc.tuple(logs, fc.nat(299), fc.nat(299))
    fc.assert(
      fc.property(cases, ([log, a, b]) => {
        const state = emptyState()
        const cuts = [Math.min(a, b), Math.max(a, b), log.length]
        let last = run([], { state, settings })
        for (const [at, end] of cuts.entries()) {
          const events = log.slice(cuts[at - 1] ?? 0, end)
          last = run(events, { state, settings })
          forget(state.tally, last.period.now, settings)
        }
        const whole = run(log, { settings })
        for (const report of ['inventory', 'rotation', 'orphans', 'drift'] as const) expect(last[report]).toEqual(whole[report])
      }),
      { seed: 6, numRuns: 50, endOnFailure: true }
    )
  })
})
