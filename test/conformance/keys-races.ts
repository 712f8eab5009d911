import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { asKeyturnError, hasCode } from '../../shared/errors.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { instant, SecretText } from '../../shared/types.ts'
import { proxiedStore, proxiedTarget } from '../doubles/model-proxy.ts'
import { straightWire, type Wire } from '../doubles/model-wire.ts'
import { randomFrom } from './interleave-explore.ts'
import { interleaveReal, type Pair, type RealSecret, type RealWorld } from './interleave-real.ts'
import {
  acknowledge,
  asked,
  atRest,
  deleteStrays,
  drainMs,
  type KeySecret,
  type KeysSubject,
  type KeysWorld,
  keysWorld,
  newToken,
  OUTLIVED_MS,
  startedWorld
} from './keys-crash-world.ts'
import type { Want } from './wants.ts'

const PAIRS: readonly Pair[] = [
  { wants: ['rotate', 'rotate'], tokens: ['T1', 'T2'], before: false },
  { wants: ['rotate', 'rotate'], tokens: ['T1', 'T1'], before: false },
  { wants: ['rotate', 'sweep'], tokens: ['T1', 'T2'], before: false },
  { wants: ['sweep', 'sweep'], tokens: ['T1', 'T2'], before: true },
  { wants: ['rotate', 'sweep'], tokens: ['T1', 'T2'], before: true },
  { wants: ['rollback', 'retire'], tokens: ['T1', 'T2'], before: true },
  { wants: ['rollback', 'sweep'], tokens: ['T1', 'T2'], before: true }
]

/** Two runs of one key's secret, call by call, on a real target and a real store: the interleave suite for keys. */
export function interleaveKeys(name: string, start: () => Promise<KeysSubject>, count = 70): void {
  interleaveReal(`the file store and ${name}`, async () => realWorld(await keysWorld(await start())), count, PAIRS)
}

async function realWorld(world: KeysWorld): Promise<RealWorld<string>> {
  const first = await world.fresh()
  return {
    core: first.core,
    advance: world.advance,
    overGraceMs: drainMs(first),
    sweeps: 4,
    fresh: async () => realSecret(world, await world.fresh()),
    stop: world.stop
  }
}

function realSecret(world: KeysWorld, secret: KeySecret): RealSecret<string> {
  const { harness } = world.subject
  const { id, scene, person } = secret
  const useKept = async (kept: string): Promise<void> => {
    const credential = scene.target.inspect(new SecretText(kept), scene.context)
    if (!(await harness.works(credential))) throw new Error(`${credential.principal} is refused`)
  }
  const keep = async (): Promise<string> => (await secret.read()).document.reveal()
  return {
    id,
    keep,
    useKept,
    use: async () => useKept(await keep()),
    acknowledge: () => acknowledge(secret),
    complaint: async () => {
      if (person !== undefined && !(await secret.live()).includes(person)) return 'G3: the person’s key is gone'
      const strays = await secret.strays()
      return strays.length > (harness.hasMarks ? 0 : 1) ? `G4: no stage names ${strays}` : undefined
    },
    makeRoom: async (refusal) => freed(world, secret, refusal)
  }
}

/** Without marks a key that a dead run left is named to a person. */
async function freed(world: KeysWorld, secret: KeySecret, refusal: unknown): Promise<boolean> {
  const { hasMarks } = world.subject.harness
  const [stray] = await secret.strays()
  if (hasMarks || stray === undefined || !hasCode(refusal, 'conflict/full') || !refusal.message.includes(stray)) return false
  await deleteStrays(world, secret, [stray])
  return true
}

interface Race {
  readonly name: string
  readonly wants: readonly [Want, Want]
  readonly isSame?: boolean
  /** The old key is to be retired. */
  readonly before: boolean
}

const RACES: readonly Race[] = [
  { name: 'two rotations', wants: ['rotate', 'rotate'], before: false },
  { name: 'one rotation, asked for twice', wants: ['rotate', 'rotate'], isSame: true, before: false },
  { name: 'a rotation beside a sweep', wants: ['rotate', 'sweep'], before: false },
  { name: 'two sweeps at a retirement', wants: ['sweep', 'sweep'], before: true },
  { name: 'a rotation beside a sweep at a retirement', wants: ['rotate', 'sweep'], before: true }
]

/** Two runs let go together, each request of theirs in flight beside the other's, with seeded delays. */
export function keysRaces(name: string, start: () => Promise<KeysSubject>, rounds = 20): void {
  describe(`two runs at once, ${rounds} rounds each: ${name}`, () => {
    const w = startedWorld(start)
    for (const race of RACES)
      it(`${race.name}: readers are served, one attempt takes effect, and nothing is left`, { timeout: 120_000 }, async () => {
        for (let seed = 1; seed <= rounds; seed++) await round(w(), race, seed)
      })
  })
}

async function round(world: KeysWorld, { wants, isSame = false, before }: Race, seed: number): Promise<void> {
  const { harness } = world.subject
  const secret = await world.fresh()
  if (before) {
    await asked(secret, 'rotate')
    world.advance(drainMs(secret))
    await acknowledge(secret)
  }
  const first = await secret.read()
  const token = newToken()
  const random = randomFrom(seed)
  const runs = wants.map((want) => asked(secret, want, isSame ? token : newToken(), delayed(secret.core, random)))
  const ends = await Promise.allSettled(runs)
  const said = `seed ${seed}: ${ends.map((e) => (e.status === 'fulfilled' ? e.value.phase : asKeyturnError(e.reason).code))}`
  for (const end of ends)
    if (end.status === 'rejected') expect(asKeyturnError(end.reason).code, said).toMatch(/^(busy|conflict|unavailable)\//)
  expect(await harness.works(await secret.read()), said).toBe(true)
  if (!before) expect(await harness.works(first), said).toBe(true)
  world.advance(OUTLIVED_MS)
  await asked(secret, 'sweep')
  world.advance(drainMs(secret))
  await acknowledge(secret)
  await atRest(world, secret)
  const facts = await secret.facts()
  expect(facts.pendings, said).toEqual([])
  expect(facts.spent.filter((t) => !t.includes('-end-')).length, `${said}: attempts that began`).toBeLessThanOrEqual(
    isSame ? 1 : 3
  )
  expect((await secret.strays()).length, said).toBeLessThanOrEqual(harness.hasMarks ? 0 : 1)
  expect(await harness.works(await secret.read()), said).toBe(true)
  if (secret.person !== undefined) expect(await secret.live(), said).toContain(secret.person)
}

/** Every call waits for a part of a turn before and after, as the seed says. */
function delayed(core: Core, random: () => number): Core {
  const wait = async (): Promise<void> => {
    for (let n = Math.floor(random() ** 2 * 12); n > 0; n--) await setImmediate()
  }
  const slow: Wire = {
    ...straightWire('delayed', () => instant(0)),
    call: async (_, effect) => {
      await wait()
      const answer = await effect(false)
      await wait()
      return answer
    }
  }
  return {
    ...core,
    store: proxiedStore(core.store, slow),
    targetFor: (document) => proxiedTarget(core.targetFor(document), slow, new Map())
  }
}
