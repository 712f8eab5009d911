import { afterAll, beforeAll, expect, it } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import { newFaults } from '../conformance/crash.ts'
import { newTurns } from '../conformance/turns.ts'
import { type AwsWorld, awsWorld, newToken, rotated, type Subject, stagesOf } from './crash-worlds.ts'

const SEEDS = 50
let world: AwsWorld
beforeAll(async () => {
  world = await awsWorld(newFaults())
})
afterAll(() => world?.stop())

let subject: Subject
let checked = 0
const turns = newTurns(async () => {
  checked++
  await subject.use()
})

/** What the one may be told because of the other. */
const POLITE = /^(busy|unavailable)\/|^conflict\/(inside-grace|current-moved|pending-other|token-spent)$/

async function oneSchedule(seed: number): Promise<void> {
  subject = await world.fresh()
  const kept = await subject.keep()
  world.setCold(seed % 2 === 0)
  world.stepsWith(turns.coreOf('service', world.core))
  const own = turns.coreOf('own', world.core)
  const ends = await turns.play(
    { service: () => world.rotateSecret(subject.id, newToken()), own: () => rotated(own, subject.id, 'rotate', newToken()) },
    seed
  )
  world.stepsWith(world.core)
  const trace = turns.trace().join('\n')
  if (ends.own instanceof Error) expect(ends.own instanceof KeyturnError && ends.own.code, trace).toMatch(POLITE)
  await subject.useKept(kept)
  expect(await subject.use(), trace).toBe(subject.pair[1])
  const left = Object.values(await stagesOf(world, subject.id)).filter(
    (s) => s.includes('AWSPENDING') && !s.includes('AWSCURRENT')
  )
  expect(left, `AWSPENDING is left behind\n${trace}`).toEqual([])
  await rotated(world.core, subject.id, 'rotate', newToken(), true)
  expect(await subject.use(), trace).toBe(subject.pair[0])
}

it(`the four steps beside a rotation of ours, call by call, in ${SEEDS} seeded schedules`, { timeout: 240_000 }, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) await oneSchedule(seed)
  // The reader was asked after every effect: schedules without one would prove nothing.
  expect(checked).toBeGreaterThan(2 * SEEDS)
})
