import { expect } from 'vitest'
import type { CrashCase, CrashFlow } from '../conformance/crash.ts'
import { type AwsWorld, HOUR, type Kept, newToken, rotated, type Subject, stagesOf, type World } from './crash-worlds.ts'

/** G1: the ordinary read logs in and passes the workload check, and so does what a client kept before. */
async function readersAreServed(subject: Subject, kept: Kept): Promise<void> {
  await subject.use()
  await subject.useKept(kept)
}

/** G4, G6: one more version than before, nothing pending, and a further rotation gets through. */
async function rotatedOnce(world: World, subject: Subject, kept: Kept): Promise<void> {
  await readersAreServed(subject, kept)
  expect(await subject.use(), 'the other half is current').toBe(subject.pair[1])
  await rotated(world.core, subject.id, 'sweep', newToken())
  const facts = await world.core.store.describe(subject.id, AbortSignal.timeout(5_000))
  expect(facts?.pendings, 'nothing is pending').toEqual([])
  expect(facts?.metadata.promoted?.version, 'the promotion is recorded').toBe(facts?.current)
  await rotated(world.core, subject.id, 'rotate', newToken(), true)
  expect(await subject.use(), 'a further rotation gets through').toBe(subject.pair[0])
}

/** A rotation by keyturn itself. */
export const ownRun = (name: string, worldOf: () => World): CrashFlow => ({
  name,
  prepare: async (): Promise<CrashCase> => {
    const world = worldOf()
    const subject = await world.fresh()
    const kept = await subject.keep()
    const token = newToken()
    const go = async () => void (await rotated(world.core, subject.id, 'rotate', token))
    return {
      run: go,
      recover: () => world.unlocked().then(go),
      check: (when) => (when === 'died' ? readersAreServed(subject, kept) : rotatedOnce(world, subject, kept))
    }
  }
})

/** The end of the old half: killed anywhere, it ends dead and proved, and current is never touched. */
export const retirement = (name: string, worldOf: () => World): CrashFlow => ({
  name,
  prepare: async (): Promise<CrashCase> => {
    const world = worldOf()
    const subject = await world.fresh()
    const old = await subject.keep()
    await rotated(world.core, subject.id, 'rotate', newToken())
    world.advance(2 * HOUR)
    const go = async () => void (await rotated(world.core, subject.id, 'retire', newToken()))
    return {
      run: go,
      recover: () => world.unlocked().then(go),
      check: async (when) => {
        await subject.use()
        if (when === 'died') return
        await expect(subject.useKept(old), 'the old password is dead').rejects.toMatchObject({ code: '28P01' })
        const facts = await world.core.store.describe(subject.id, AbortSignal.timeout(5_000))
        expect(facts?.metadata.retired, 'the proof is recorded').toMatchObject({ version: facts?.previous, refusal: '28P01' })
      }
    }
  }
})

/** Secrets Manager drives; after a failed step the service comes again with the same token. */
export const fourSteps = (name: string, worldOf: () => AwsWorld, cold: boolean): CrashFlow => ({
  name,
  prepare: async (): Promise<CrashCase> => {
    const aws = worldOf()
    aws.setCold(cold)
    const subject = await aws.fresh()
    const kept = await subject.keep()
    const token = newToken()
    return {
      run: async () => {
        const error = await aws.rotateSecret(subject.id, token)
        if (error) throw new Error('the rotation failed')
      },
      recover: async () => {
        await aws.unlocked()
        if (!(await stagesOf(aws, subject.id))[token]?.includes('AWSCURRENT')) await aws.retry(subject.id)
      },
      check: async (when) => {
        await readersAreServed(subject, kept)
        if (when === 'died') return
        expect((await stagesOf(aws, subject.id))[token], 'the token is current').toContain('AWSCURRENT')
        await rotatedOnce(aws, subject, kept)
      }
    }
  }
})
