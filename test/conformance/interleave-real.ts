import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asKeyturnError } from '../../shared/errors.ts'
import type { Core } from '../../shared/rotation/core.ts'
import type { Outcome } from '../../shared/rotation/rotate.ts'
import { instant } from '../../shared/types.ts'
import { type Holds, proxiedStore, proxiedTarget } from '../doubles/model-proxy.ts'
import { straightWire, type Wire } from '../doubles/model-wire.ts'
import { told } from './interleave.ts'
import { type Explored, randomly } from './interleave-explore.ts'
import { type Actor, type Ran, runSchedule, type Stage } from './interleave-schedule.ts'
import { endless, token } from './interleave-world.ts'
import { runWant, type Want } from './wants.ts'

/** A secret on a real store and a real target, and what its clients do. */
export interface RealSecret<Kept> {
  readonly id: string
  /** The ordinary read, a login with what it gave, and the clients' own work. Rejects when any is refused. */
  readonly use: () => Promise<unknown>
  /** What a client would keep now. */
  readonly keep: () => Promise<Kept>
  readonly useKept: (kept: Kept) => Promise<void>
  /** What a person says before a sweep that retires: where nothing tells of a use. */
  readonly acknowledge?: (() => Promise<void>) | undefined
  /** What else is wrong at rest. */
  readonly complaint?: (() => Promise<string | undefined>) | undefined
  /** What a person does about a refusal of the next rotation; false: it had no good reason. */
  readonly makeRoom?: ((refusal: unknown) => Promise<boolean>) | undefined
}

export interface RealWorld<Kept> {
  readonly core: Core
  /** A secret that was never rotated, with logins of its own. */
  fresh(): Promise<RealSecret<Kept>>
  /** Moves the store's clock. */
  advance(ms: number): void
  /** Longer than the grace, and than whatever else an old credential waits for. */
  readonly overGraceMs?: number | undefined
  /** How many sweeps, as far apart, bring it to rest. */
  readonly sweeps?: number | undefined
  stop(): Promise<void>
}

/** What two runs of one secret want. `before`: it was rotated once, and the grace is over. */
export interface Pair {
  readonly wants: readonly [Want, Want]
  readonly tokens: readonly [string, string]
  readonly before: boolean
}

const PAIRS: readonly Pair[] = [
  { wants: ['rotate', 'rotate'], tokens: ['T1', 'T2'], before: false },
  { wants: ['rotate', 'rotate'], tokens: ['T1', 'T1'], before: false },
  { wants: ['rotate', 'sweep'], tokens: ['T1', 'T2'], before: false },
  { wants: ['rotate', 'retire'], tokens: ['T1', 'T2'], before: true },
  { wants: ['sweep', 'rotate'], tokens: ['T1', 'T2'], before: true }
]

/** Two runs and at most one fault, call by call, on real adapters: seeded schedules. */
export function interleaveReal<Kept>(name: string, startWorld: () => Promise<RealWorld<Kept>>, count = 100, pairs = PAIRS): void {
  describe(`the interleave suite: ${count} schedules on ${name}`, () => {
    let world: RealWorld<Kept> | undefined
    beforeAll(async () => {
      world = await startWorld()
    })
    afterAll(() => world?.stop())
    for (const [at, pair] of pairs.entries())
      test(`${pair.wants.join(' beside ')}${pair.before ? ' after a rotation whose grace is over' : ''}, ${pair.tokens}`, async () => {
        for (let seed = at; seed < count; seed += pairs.length) {
          if (!world) throw new Error('the world did not start')
          expect(told(await explore(world, pair, seed), seed)).toBeUndefined()
        }
      }, 300_000)
  })
}

/** One secret in one schedule. */
interface Scene<Kept> {
  readonly world: RealWorld<Kept>
  readonly secret: RealSecret<Kept>
  readonly holds: Holds
  /** Everything that clients were given, newest last. */
  readonly given: Kept[]
  changed: boolean
}

async function explore<Kept>(world: RealWorld<Kept>, pair: Pair, seed: number): Promise<Explored['violation']> {
  const scene: Scene<Kept> = { world, secret: await world.fresh(), holds: new Map(), given: [], changed: true }
  if (pair.before) {
    await go(
      scene,
      straightWire('before', () => instant(0)),
      'rotate',
      'T0'
    )
    world.advance(overGraceMsOf(world))
    await scene.secret.acknowledge?.()
  }
  const actors = pair.wants.map((want, n): Actor => {
    const name = pair.tokens[n] ?? want
    return { name: `R${n + 1}`, work: (wire) => go(scene, wire, want, name) }
  })
  const ran = await runSchedule(stageOf(scene), actors, randomly(seed, 1))
  if (ran.violation !== undefined) return { what: ran.violation, trace: ran.trace }
  const what = await settled(scene, ran).catch((e: unknown) => `alone, afterwards: ${asKeyturnError(e).code}`)
  return what === undefined ? undefined : { what, trace: ran.trace }
}

/** The worlds of pairs keep a grace of an hour. */
const overGraceMsOf = <Kept>({ overGraceMs = 3 * 3_600_000 }: RealWorld<Kept>): number => overGraceMs

function go<Kept>(scene: Scene<Kept>, wire: Wire, want: Want, name: string): Promise<Outcome> {
  const { core } = scene.world
  const noting: Wire = {
    ...wire,
    call: (call, effect) => {
      if (/^(alter|retire|heal|promote|create|disable|discard)/.test(call.name)) scene.changed = true
      return wire.call(call, effect)
    }
  }
  const proxied: Core = {
    ...core,
    store: proxiedStore(core.store, noting),
    targetFor: (document) => proxiedTarget(core.targetFor(document), noting, scene.holds)
  }
  const named = `${scene.secret.id.replaceAll(/[^A-Za-z0-9-]/g, '-')}-${token(name)}`
  const asked = { secretId: scene.secret.id, token: named, force: false, dryRun: false, endSessions: true, deadline: endless }
  return runWant(proxied, want, asked)
}

function stageOf<Kept>(scene: Scene<Kept>): Stage {
  const end = async (owner: string): Promise<void> => {
    await scene.holds.get(owner)?.release()
    scene.holds.delete(owner)
  }
  return {
    now: () => instant(0),
    check: () => check(scene),
    killed: end,
    loseLock: end,
    endsRuns: false,
    holdsLock: (owner) => scene.holds.has(owner),
    snapshot: () => ''
  }
}

/** G1 and G6, after everything that may change what logs in. No grace ends while runs are under way. */
async function check<Kept>(scene: Scene<Kept>): Promise<string | undefined> {
  if (!scene.changed) return undefined
  scene.changed = false
  const { secret, given } = scene
  const now = await secret.keep()
  const at = given.findIndex((kept) => JSON.stringify(kept) === JSON.stringify(now))
  if (at < 0) given.push(now)
  else if (at < given.length - 1) return 'G6: a credential that was replaced is current again'
  for (const kept of given.slice(-2))
    if (
      await secret.useKept(kept).then(
        () => false,
        () => true
      )
    )
      return 'G1: a credential inside the grace is refused'
  return secret.use().then(
    () => undefined,
    () => 'G1: what the ordinary read gives is refused'
  )
}

/** What two runs may be answered; alone afterwards the secret comes to rest, the old one dies, and the next rotation passes. */
async function settled<Kept>(scene: Scene<Kept>, ran: Ran): Promise<string | undefined> {
  const odd = ran.ends.find((e) => e.error && !/^(busy|unavailable|conflict)\//.test(e.error.code))
  if (odd?.error) return `${odd.actor} was answered ${odd.error.code}: ${odd.error.message}`
  const wire = straightWire('alone', () => instant(0))
  const { world, secret } = scene
  for (let n = 1; n <= (world.sweeps ?? 2); n++) {
    world.advance(overGraceMsOf(world))
    await secret.acknowledge?.()
    await go(scene, wire, 'sweep', `S${n}`)
  }
  const rest = await go(scene, wire, 'sweep', 'S')
  if (rest.phase !== 'settled' || rest.done.length > 0)
    return `G4: ${rest.phase}, and a further sweep did ${rest.done.length} steps`
  const now = JSON.stringify(await secret.keep())
  for (const kept of scene.given.filter((k) => JSON.stringify(k) !== now))
    if (
      await secret.useKept(kept).then(
        () => true,
        () => false
      )
    )
      return 'G7: an old credential still logs in'
  const complaint = await secret.complaint?.()
  if (complaint !== undefined) return complaint
  const next = await go(scene, wire, 'rotate', 'N1').catch(async (e: unknown) => {
    if (!(await secret.makeRoom?.(e))) throw e
    return go(scene, wire, 'rotate', 'N2')
  })
  await secret.use()
  return next.done.some((d) => d.step === 'promote') ? undefined : `G4: the next rotation does not get through: ${next.note}`
}
