import { afterAll, describe, expect, test } from 'vitest'
import { type Bound, type Explored, exploreAll, exploreSeed } from './interleave-explore.ts'
import { instance, SCENARIOS, type Scenario } from './interleave-scenarios.ts'
import type { StoreKind, TargetKind } from './interleave-world.ts'

/**
 * How far a systematic search goes by default: every schedule without a fault and with two switches between actors that
 * could both go on, and every schedule with one fault and one such switch; a fault is a call that is not sent, an answer
 * that is lost, an old answer, a lock that is lost, a kill. Where time passes too, stores without compare-and-set are
 * gone through without faults, and left to the seeded schedules with them. KEYTURN_INTERLEAVE=deep: one fault and two
 * switches everywhere, and ten times as many seeds.
 */
const isDeep = process.env.KEYTURN_INTERLEAVE === 'deep'
const FREE: Bound = { switches: 2, faults: 0 }
const ONE_FAULT: Bound = { switches: isDeep ? 2 : 1, faults: 1 }

const boundsOf = (scenario: Scenario, store: StoreKind): readonly Bound[] =>
  isDeep || !scenario.timePasses || store === 'labels' || store === 'cas' ? [FREE, ONE_FAULT] : [FREE]

/** Every scenario on these stores, with every target that it has. */
export function interleaveSuite(stores: readonly StoreKind[]): void {
  describe(`the interleave suite: ${stores.join(', ')}`, () => {
    const done: string[] = []
    for (const store of stores)
      for (const scenario of SCENARIOS.filter((s) => s.stores.includes(store) && !s.seededOnly))
        for (const target of scenario.targets)
          test(`${scenario.name}: ${store}, ${target}`, async () => {
            for (const bound of boundsOf(scenario, store)) {
              const found = await exploreAll(() => instance(scenario, store, target), bound)
              done.push(`${store} ${target} ${bound.faults} ${found.schedules}`)
              expect(told(found.violation)).toBeUndefined()
            }
          }, 600_000)
    afterAll(() => console.log(summary(stores, done)))
  })
}

function summary(stores: readonly StoreKind[], done: readonly string[]): string {
  const sum = (faults: number): number =>
    done.map((line) => line.split(' ')).reduce((total, [, , f, n]) => total + (f === `${faults}` ? Number(n) : 0), 0)
  const bounds = `${sum(0)} schedules with up to ${FREE.switches} switches, ${sum(1)} with up to ${ONE_FAULT.switches} and one fault`
  return `interleave, ${stores.join(' and ')}: ${bounds}; states met before are not gone on from`
}

/** Random schedules: any number of switches, up to two faults, also with more than two runs. */
export function seededSuite(seeds: number): void {
  const combinations = SCENARIOS.flatMap((scenario) =>
    scenario.stores.flatMap((store) => scenario.targets.map((target) => ({ scenario, store, target })))
  )
  const count = isDeep ? seeds * 10 : seeds
  describe(`the interleave suite: ${count} seeded schedules`, () => {
    for (const [at, { scenario, store, target }] of combinations.entries())
      test(`${scenario.name}: ${store}, ${target}`, async () => {
        for (let seed = at; seed < count; seed += combinations.length)
          expect(told(await seeded(scenario, store, target, seed), seed)).toBeUndefined()
      }, 600_000)
  })
}

const seeded = (scenario: Scenario, store: StoreKind, target: TargetKind, seed: number): Promise<Explored['violation']> =>
  exploreSeed(() => instance(scenario, store, target), seed, 2)

/** What a person needs to see of a violation: which guarantee, and the calls that led to it. */
export function told(found: Explored['violation'], seed?: number): string | undefined {
  if (!found) return undefined
  const lines = found.trace.map((line, n) => `${String(n + 1).padStart(4)}  ${line}`)
  return [found.what, seed === undefined ? 'the shortest trace found:' : `seed ${seed}:`, ...lines].join('\n')
}
