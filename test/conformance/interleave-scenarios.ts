import { run } from '../../shared/rotation/rotate.ts'
import { straightWire } from '../doubles/model-wire.ts'
import { createsKey, drives, passes, runs, writesVersion } from './interleave-actors.ts'
import type { Instance } from './interleave-explore.ts'
import type { Actor, Ran } from './interleave-schedule.ts'
import { settleAlone, type Unanswered } from './interleave-settle.ts'
import { GRACE_MS, request, type StoreKind, type TargetKind, token, type World, world } from './interleave-world.ts'

export interface Scenario {
  /** A sentence. */
  readonly name: string
  readonly stores: readonly StoreKind[]
  readonly targets: readonly TargetKind[]
  /** What happened before, and who runs now. */
  readonly actors: (w: World) => readonly Actor[] | Promise<readonly Actor[]>
  /** Requests, to be delivered again when all is over. */
  readonly requests: readonly Unanswered[]
  /** More than two runs: too many schedules to go through, so only seeded ones. */
  readonly seededOnly?: boolean
  /** One more actor, which comes at any moment. */
  readonly timePasses?: boolean
}

/** Keys on Secrets Manager come with their own target; here its adapter drives the pair. */
const EVERY_STORE: readonly StoreKind[] = ['labels', 'sibling', 'stale', 'cas']
const PAIR = { stores: [...EVERY_STORE, 'aws'], targets: ['pair'] } as const
const KEYS = { stores: EVERY_STORE, targets: ['minted', 'many'] } as const
const EVERY = { stores: EVERY_STORE, targets: ['pair', 'minted', 'many'] } as const
const DRIVEN = { stores: ['labels', 'aws'], targets: ['pair'] } as const
const asks = (name: string, more: Unanswered['more'] = {}): Unanswered => ({ name, more })

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'two rotations of one secret',
    ...EVERY,
    actors: (w) => [runs(w, 'R1', 'rotate', 'T1'), runs(w, 'R2', 'rotate', 'T2')],
    requests: [asks('T1'), asks('T2')]
  },
  {
    name: 'one request, delivered twice, and the grace passes',
    ...EVERY,
    timePasses: true,
    actors: (w) => [runs(w, 'R1', 'rotate', 'T1'), runs(w, 'R2', 'rotate', 'T1'), overGrace(w)],
    requests: [asks('T1')]
  },
  {
    name: 'an older request beside a newer one, and the grace passes',
    ...PAIR,
    timePasses: true,
    actors: (w) => {
      const requestedAt = w.now()
      for (const name of ['T1', 'T2']) w.observer.asked(token(name), requestedAt)
      w.advance(60_000)
      return [runs(w, 'R1', 'rotate', 'T1', { requestedAt }), runs(w, 'R2', 'rotate', 'T2', { requestedAt }), overGrace(w)]
    },
    requests: []
  },
  {
    name: 'a retirement beside a rotation',
    ...EVERY,
    actors: async (w) => {
      await rotatedBefore(w)
      return [runs(w, 'R1', 'rotate', 'T1'), runs(w, 'R2', 'retire', 'T2')]
    },
    requests: [asks('T1')]
  },
  {
    name: 'a rollback beside a retirement',
    ...KEYS,
    actors: async (w) => {
      await rotatedBefore(w)
      return [runs(w, 'R1', 'rollback', 'T1'), runs(w, 'R2', 'retire', 'T2', { endSessions: true })]
    },
    requests: []
  },
  {
    name: 'a sweep beside a rotation, and the grace passes',
    ...EVERY,
    timePasses: true,
    actors: (w) => [runs(w, 'R1', 'rotate', 'T1'), runs(w, 'R2', 'sweep', 'T2'), overGrace(w)],
    requests: [asks('T1')]
  },
  {
    name: 'a sweep that finds the secret due beside a rotation that was asked for',
    ...EVERY,
    actors: async (w) => {
      await rotatedBefore(w)
      w.advance(100 * DAY)
      return [runs(w, 'R1', 'rotate', 'T1'), runs(w, 'R2', 'sweep', 'T2')]
    },
    requests: [asks('T1')]
  },
  {
    name: 'a retirement and a sweep when the grace is over, but not yet for a reader who was late',
    stores: ['stale', 'aws'],
    targets: ['pair'],
    actors: async (w) => {
      await rotatedBefore(w, GRACE_MS + 1)
      return [runs(w, 'R1', 'retire', 'T1'), runs(w, 'R2', 'sweep', 'T2')]
    },
    requests: []
  },
  {
    name: 'a rotation that is forced inside the grace beside one that is not',
    ...EVERY,
    actors: async (w) => {
      await rotatedBefore(w, 0)
      w.observer.force()
      return [runs(w, 'R1', 'rotate', 'T1', { force: true }), runs(w, 'R2', 'rotate', 'T2')]
    },
    requests: [asks('T1', { force: true })]
  },
  {
    name: 'a person creates a key while a rotation runs, and a sweep comes by',
    ...KEYS,
    actors: (w) => [runs(w, 'R1', 'rotate', 'T1'), runs(w, 'R2', 'sweep', 'T2'), createsKey(w)],
    requests: [asks('T1')]
  },
  {
    name: 'a person writes a new version while a rotation runs',
    stores: ['labels', 'cas'],
    targets: ['pair', 'minted', 'many'],
    actors: (w) => [runs(w, 'R1', 'rotate', 'T1'), writesVersion(w)],
    requests: [asks('T1')]
  },
  {
    name: 'a person writes a new version inside the grace, and a rotation is asked for',
    ...EVERY,
    actors: async (w) => {
      await rotatedBefore(w, 60_000)
      return [runs(w, 'R1', 'rotate', 'T1'), writesVersion(w)]
    },
    requests: []
  },
  {
    name: 'the store’s own four steps in one process beside a rotation of ours',
    ...DRIVEN,
    actors: (w) => [drives(w, 'SM', 'S1', 'warm'), runs(w, 'R1', 'rotate', 'T1')],
    requests: [asks('T1')]
  },
  {
    name: 'the store’s own four steps, each in a new process, beside a rotation of ours',
    ...DRIVEN,
    actors: (w) => [drives(w, 'SM', 'S1', 'cold'), runs(w, 'R1', 'rotate', 'T1')],
    requests: [asks('T1')]
  },
  {
    name: 'the store’s own four steps beside a sweep, and the grace passes',
    ...DRIVEN,
    timePasses: true,
    actors: (w) => [drives(w, 'SM', 'S1', 'cold'), runs(w, 'R2', 'sweep', 'T2'), overGrace(w)],
    requests: []
  },
  {
    name: 'two rotations, a sweep and a retirement, and the grace passes',
    ...EVERY,
    timePasses: true,
    seededOnly: true,
    actors: async (w) => {
      await rotatedBefore(w)
      const asked = [runs(w, 'R1', 'rotate', 'T1'), runs(w, 'R2', 'rotate', 'T2'), runs(w, 'R3', 'retire', 'T3')]
      return [...asked, runs(w, 'R4', 'sweep', 'T4'), overGrace(w)]
    },
    requests: [asks('T1'), asks('T2')]
  },
  {
    name: 'the store’s own four steps, a rotation and a sweep, and the grace passes',
    ...DRIVEN,
    timePasses: true,
    seededOnly: true,
    actors: async (w) => {
      await rotatedBefore(w)
      return [drives(w, 'SM', 'S1', 'warm'), runs(w, 'R1', 'rotate', 'T1'), runs(w, 'R2', 'sweep', 'T2'), overGrace(w)]
    },
    requests: [asks('T1')]
  }
]

const DAY = 24 * 3_600_000
const overGrace = (w: World): Actor => passes(w, w.overGraceMs, 'the grace passes')

/** The secret was rotated once, and by default its grace is over. */
async function rotatedBefore(w: World, agoMs = w.overGraceMs): Promise<void> {
  const wire = straightWire('before', w.now)
  await run(w.core(wire), { want: 'rotate', force: false }, request(w, 'T0'))
  w.observer.check()
  w.advance(agoMs)
}

/** A fresh start of a scenario. */
export async function instance(scenario: Scenario, store: StoreKind, target: TargetKind): Promise<Instance> {
  const w = world(store, target)
  w.observer.check()
  const actors = await scenario.actors(w)
  return { stage: w.stage, actors, settle: (ran) => settle(w, scenario, ran) }
}

async function settle(w: World, scenario: Scenario, ran: Ran) {
  const bug = ran.ends.find((e) => e.error && !EXPECTED.test(e.error.code))
  if (bug?.error) {
    const { code, message } = bug.error
    return { trace: [], violation: `${bug.actor} was answered ${code}: ${message}` }
  }
  return settleAlone(w, scenario.requests)
}

/** What a run may be answered that met another one, or a fault. Everything else is a bug of the core. */
const EXPECTED =
  /^(busy|unavailable)\/|^conflict\/(inside-grace|not-retired|soaking|current-moved|pending-other|token-spent|metadata-changed|step-order|full|in-use|previous-dead)$|^invalid\/token$|^not-found\/version$/
