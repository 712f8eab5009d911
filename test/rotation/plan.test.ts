import { describe, expect, it } from 'vitest'
import type { Metadata } from '../../shared/metadata.ts'
import { graceMsOf, periodMsOf } from '../../shared/policy.ts'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import { dueAt, isHeld, isOpen, promotedAt } from '../../shared/rotation/plan.ts'
import { type Instant, instant } from '../../shared/types.ts'

const DAY = 86_400_000
const at = (text: string): Instant => instant(Date.parse(text))

const facts = (metadata: Metadata, more: Partial<SecretFacts> = {}): SecretFacts => ({
  id: 'app',
  name: 'app',
  seenAt: at('2026-06-01T00:00:00Z'),
  current: 'v2',
  pendings: [],
  spent: [],
  replicasInSync: true,
  metadata,
  ...more
})

describe('when current was promoted', () => {
  const created = at('2026-01-01T00:00:00Z')
  const promoted = (version: string) => ({ version, previous: 'v1', at: at('2026-01-02T00:00:00Z') })

  it('our record says it, where it names current', () =>
    expect(promotedAt(facts({ promoted: promoted('v2') }, { changedAt: at('2026-03-01T00:00:00Z') }), created)).toBe(
      at('2026-01-02T00:00:00Z')
    ))

  it('a tag that we wrote later does not keep it young', () => {
    const later = facts({ promoted: promoted('v2'), owner: 'x' }, { changedAt: at('2026-05-31T00:00:00Z') })
    expect(promotedAt(later, created)).toBe(at('2026-01-02T00:00:00Z'))
  })

  it('a record of another version says nothing: the last change does, later than the truth', () =>
    expect(promotedAt(facts({ promoted: promoted('v1') }, { changedAt: at('2026-02-01T00:00:00Z') }), created)).toBe(
      at('2026-02-01T00:00:00Z')
    ))

  it('the store’s own rotation says it, when it is not older than the version', () => {
    const rotated = { rotatedAt: at('2026-01-05T00:00:00Z'), changedAt: at('2026-05-01T00:00:00Z') }
    expect(promotedAt(facts({}, rotated), created)).toBe(rotated.rotatedAt)
    expect(promotedAt(facts({}, { ...rotated, rotatedAt: at('2025-12-01T00:00:00Z') }), created)).toBe(rotated.changedAt)
  })

  it('never before the version was created: a pending may have waited for days', () =>
    expect(promotedAt(facts({ promoted: { ...promoted('v2'), at: at('2025-01-01T00:00:00Z') } }), created)).toBe(created))

  it('where the store shows no time at all, nothing is said', () => expect(promotedAt(facts({}), undefined)).toBeUndefined())
})

describe('when a rotation is due', () => {
  const created = at('2026-01-01T00:00:00Z')

  it('a period after the promotion: 30 days for a database, 90 for a key', () => {
    expect(dueAt(facts({ kind: 'postgres' }), created)).toBe(created + 30 * DAY)
    expect(dueAt(facts({ kind: 'api-key' }), created)).toBe(created + 90 * DAY)
    expect(dueAt(facts({ periodMs: 7 * DAY }), created)).toBe(created + 7 * DAY)
  })

  it('across a leap day and a change of the clocks a day is a day', () => {
    expect(dueAt(facts({ periodMs: 2 * DAY }), at('2028-02-28T12:00:00Z'))).toBe(at('2028-03-01T12:00:00Z'))
    expect(dueAt(facts({ periodMs: 2 * DAY }), at('2026-03-28T12:00:00Z'))).toBe(at('2026-03-30T12:00:00Z'))
  })

  it('a hundred imports that are long overdue are spread over seven days', () => {
    const since = at('2026-06-01T00:00:00Z')
    const dues = Array.from(
      { length: 100 },
      (_, n) => dueAt(facts({ managedSince: since }, { name: `app/${n}` }), created) ?? instant(0)
    )
    for (const due of dues) {
      expect(due).toBeGreaterThanOrEqual(since)
      expect(due).toBeLessThan(since + 7 * DAY)
    }
    const days = new Set(dues.map((due) => Math.floor((due - since) / DAY)))
    expect(days.size).toBe(7)
  })

  it('a grace that does not fit in the period is refused', () => {
    expect(() => periodMsOf({ periodMs: DAY, graceMs: DAY })).toThrow(expect.objectContaining({ code: 'invalid/grace' }))
    expect(graceMsOf({ kind: 'postgres' })).toBe(DAY)
    expect(graceMsOf({ kind: 'api-key' })).toBe(7 * DAY)
  })
})

describe('a hold', () => {
  const now = at('2026-06-01T00:00:00Z')
  it('without an end holds', () => expect(isHeld({ hold: { reason: 'x' } }, now)).toBe(true))
  it('ends at its time', () => {
    expect(isHeld({ hold: { reason: 'x', until: instant(now + 1) } }, now)).toBe(true)
    expect(isHeld({ hold: { reason: 'x', until: now } }, now)).toBe(false)
  })
  it('is not there where nobody set one', () => expect(isHeld({}, now)).toBe(false))
})

describe('a window', () => {
  it.each([
    [undefined, '2026-06-01T12:00:00Z', true],
    ['02:00-04:00', '2026-06-01T02:00:00Z', true],
    ['02:00-04:00', '2026-06-01T03:59:59Z', true],
    ['02:00-04:00', '2026-06-01T04:00:00Z', false],
    ['02:00-04:00', '2026-06-01T01:59:59Z', false],
    ['sat+sun 00:00-24:00', '2026-06-06T23:59:59Z', true],
    ['sat+sun 00:00-24:00', '2026-06-01T12:00:00Z', false],
    ['mon 12:00-13:00', '2026-06-01T12:30:00Z', true],
    // Summer time begins in Europe: a window is in UTC, and is there every day, once.
    ['01:00-02:00', '2026-03-29T01:30:00Z', true]
  ])('%s at %s: %s', (window, now, open) => expect(isOpen(window, at(now))).toBe(open))

  it.each(['22:00-02:00', '2-4', '02:00', 'someday 02:00-04:00', '25:00-26:00', '04:00-04:00', '00:00-24:30'])(
    '%s is refused',
    (window) => {
      expect(() => isOpen(window, at('2026-06-01T00:00:00Z'))).toThrow(expect.objectContaining({ code: 'invalid/metadata' }))
    }
  )
})
