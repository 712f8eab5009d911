import { describe, expect, it } from 'vitest'
import type { PendingFacts } from '../../shared/ports/secret-store.ts'
import { pendingOf, phaseOf } from '../../shared/rotation/machine.ts'
import { PHASES, rowOf } from '../../shared/rotation/phases.ts'
import { instant } from '../../shared/types.ts'
import { KEY_CASES } from './machine-keys.ts'
import {
  type Case,
  facts,
  HOUR,
  held,
  LATER,
  NOW,
  OVER,
  observation,
  overlap,
  pending,
  pendingFacts,
  want
} from './machine-scene.ts'

describe('where a rotation stands', () => {
  const cases: readonly Case[] = [
    ...KEY_CASES,
    ['no secret is absent', observation({ facts: undefined, current: undefined }), want('sweep'), 'absent'],
    ['a secret without a current value is absent', observation({ current: undefined }), want('rotate'), 'absent'],
    ['nothing asked and nothing due is settled', observation(), want('sweep'), 'settled'],
    ['a sweep finds what is due', observation({ due: true }), want('sweep'), 'due'],
    ['a request is due whatever the schedule says', observation(), want('rotate'), 'due'],
    ['a pending made from current is staged', observation({ pending: pending() }), want('sweep'), 'staged'],
    [
      'a pending of the store’s own rotation is carried on too',
      observation({ pending: pending({ driver: 'store' }) }),
      want('rotate'),
      'staged'
    ],
    [
      'a pending made from another version is spoiled',
      observation({ pending: pending({ base: 'v0' }) }),
      want('rotate'),
      'spoiled'
    ],
    [
      'a pending whose value the target refuses is spoiled',
      observation({ pending: pending({}, held('v2', 'b'), true) }),
      want('rotate'),
      'spoiled'
    ],
    [
      'a pending without a value is nobody’s to a request',
      observation({ pending: pending({ base: undefined, driver: 'store' }, undefined) }),
      want('rotate'),
      'spoiled'
    ],
    [
      'a sweep leaves a fresh one without a value to its driver',
      observation({
        facts: facts({ changedAt: NOW }),
        pending: { facts: pendingFacts({ base: undefined, driver: 'store' }), held: undefined, refused: false }
      }),
      want('sweep'),
      'busy'
    ],
    [
      'a pending that is current is promoted',
      observation({ pending: pending({ version: 'v1', token: 'v1' }) }),
      want('sweep'),
      'promoted'
    ],
    [
      'a pending with current’s token is promoted, whatever its version',
      observation({ pending: pending({ token: 'v1' }) }),
      want('sweep'),
      'promoted'
    ],
    [
      'a pending of the half that readers may still hold waits, whoever staged it',
      overlap(LATER, { pending: pending() }),
      want('rotate'),
      'draining'
    ],
    ['and goes on for who forces it', overlap(LATER, { pending: pending() }), want('rotate', true), 'staged'],
    ['a fresh claim is busy', observation({ pending: pending({ claimedAt: NOW }, undefined) }), want('rotate'), 'busy'],
    [
      'a claim that outlived its run is spoiled',
      observation({ pending: pending({ claimedAt: instant(NOW - 2 * HOUR) }, undefined) }),
      want('rotate'),
      'spoiled'
    ],
    ['a refused current is broken', observation({ currentRefused: true }), want('sweep'), 'broken'],
    [
      'a staged pending mends a refused current, so it comes first',
      observation({ currentRefused: true, pending: pending() }),
      want('sweep'),
      'staged'
    ],
    ['a promotion that nothing records is recorded first', overlap(LATER, { facts: facts() }), want('sweep'), 'promoted'],
    ['inside the grace the old half drains', overlap(LATER, { due: true }), want('sweep'), 'draining'],
    ['a request inside the grace is not due', overlap(LATER), want('rotate'), 'draining'],
    ['a forced request inside the grace is due', overlap(LATER), want('rotate', true), 'due'],
    ['a request after the grace is due, used or not', overlap(OVER), want('rotate'), 'due'],
    ['after the grace an unused half retires', overlap(OVER, { usage: { state: 'unused' } }), want('sweep'), 'retiring'],
    [
      'after the grace a half in use drains on',
      overlap(OVER, { usage: { state: 'used', sessions: [] } }),
      want('sweep'),
      'draining'
    ],
    ['cannot tell is not unused', overlap(OVER, { usage: { state: 'cannot-tell', why: 'no right' } }), want('sweep'), 'draining'],
    [
      'a half in use does not hold up what is due',
      overlap(OVER, { due: true, usage: { state: 'used', sessions: [] } }),
      want('sweep'),
      'due'
    ],
    ['a person’s retire does not wait for zero: the target says who is left', overlap(OVER), want('retire'), 'retiring'],
    ['a person’s retire inside the grace is refused', overlap(LATER), want('retire'), 'draining'],
    ['a forced retire inside the grace is not', overlap(LATER), want('retire', true), 'retiring'],
    [
      'nothing is retired while replicas lag',
      overlap(OVER, {
        facts: facts({ replicasInSync: false, metadata: { promoted: { version: 'v1', previous: 'v0', at: NOW } } })
      }),
      want('retire'),
      'draining'
    ],
    ['a key that is not ours, where there is no room, is a conflict', observation({ strangers: ['k9'] }), want('rotate'), 'full'],
    ['after its own promotion a run only tidies up', overlap(OVER, { due: true }), want('settle'), 'draining']
  ]
  it.each(cases)('%s', (_, o, intent, phase) => {
    expect(phaseOf(o, intent)).toBe(phase)
  })

  it('every phase of the table is reached, and has one row', () => {
    const reached = new Set(cases.map(([, , , phase]) => phase))
    expect(PHASES.map((r) => r.phase).filter((phase) => !reached.has(phase))).toEqual([])
    expect(new Set(PHASES.map((r) => r.phase)).size).toBe(PHASES.length)
    for (const { phase, leads } of PHASES) if (leads) expect(rowOf(leads).phase, phase).toBe(leads)
  })
})

describe('of several pendings, the one that counts', () => {
  const first = (...pendings: PendingFacts[]) => pendingOf(facts({ pendings }))?.version
  const ours = pendingFacts({ version: 'ours', token: 'ours' })
  const stores = pendingFacts({ version: 'stores', token: 'stores', driver: 'store' })
  const empty = pendingFacts({ version: 'empty', token: 'empty', driver: 'store', base: undefined })
  const spent = pendingFacts({ version: 'v1', token: 'v1', driver: 'store' })

  it('a spent one comes first, so that it is dropped', () => expect(first(ours, stores, spent)).toBe('v1'))
  it('then one without a value', () => expect(first(ours, empty)).toBe('empty'))
  it('then ours, which a dead run may have applied', () => expect(first(stores, ours)).toBe('ours'))
  it('then the store’s', () => expect(first(stores)).toBe('stores'))
  it('there may be none', () => expect(first()).toBeUndefined())
})
