import { expect } from 'vitest'
import { asKeyturnError, hasCode } from '../../shared/errors.ts'
import type { Credential } from '../../shared/ports/target.ts'
import { type CrashCase, type CrashFlow, crashSuite, newFaults } from './crash.ts'
import {
  acknowledge,
  asked,
  atRest,
  deleteStrays,
  drainMs,
  type KeySecret,
  type KeysSubject,
  type KeysWorld,
  newToken,
  OUTLIVED_MS,
  startedWorld
} from './keys-crash-world.ts'

/** A rotation and a retirement of a minted key, killed at every call to the store and to the provider. */
export function keysCrash(name: string, start: () => Promise<KeysSubject>): void {
  const faults = newFaults()
  const w = startedWorld(start, { faults })
  crashSuite(`file store and ${name}`, () => faults, [() => rotation(w), () => retirement(w)])
}

const rotation = (w: () => KeysWorld): CrashFlow => ({
  name: 'a rotation of a key',
  prepare: async (): Promise<CrashCase> => {
    const world = w()
    const secret = await world.fresh()
    const first = await secret.read()
    const token = newToken()
    return {
      run: async () => void (await asked(secret, 'rotate', token)),
      recover: async () => {
        await again(secret, token)
        world.advance(OUTLIVED_MS)
        await again(secret, token)
        await freed(world, secret)
        if ((await secret.read()).principal === first.principal) await asked(secret, 'rotate')
        world.advance(OUTLIVED_MS)
        await asked(secret, 'sweep')
        await asked(secret, 'sweep')
      },
      check: async (when) => {
        await readersAreServed(world, secret, first)
        if (when === 'recovered') await rotatedOnce(world, secret, first)
      }
    }
  }
})

/** The same request, delivered again. What it may be answered is that it is too early, or that its attempt ended. */
async function again(secret: KeySecret, token: string): Promise<void> {
  try {
    await asked(secret, 'rotate', token)
  } catch (e) {
    const { code, message } = asKeyturnError(e)
    if (!AGAIN.includes(code)) throw new Error(`asked again: ${code}: ${message}`)
  }
}

const AGAIN = ['busy/claimed', 'conflict/token-spent', 'conflict/full', 'conflict/inside-grace', 'conflict/not-retired']

/** Without marks, what a dead run left may take the last room, and is named to a person. */
async function freed(world: KeysWorld, secret: KeySecret): Promise<void> {
  if (world.subject.harness.hasMarks) return
  const before = await secret.strays()
  const refusal = await asked(secret, 'rotate').catch((e: unknown) => e)
  if (!hasCode(refusal, 'conflict/full')) return
  expect(before, 'one stray key').toHaveLength(1)
  expect(refusal.message).toContain(before[0])
  await deleteStrays(world, secret, before)
}

/** G1: the ordinary read works, and so does what a client kept before; G3: so does the person's key. */
async function readersAreServed({ subject: { harness } }: KeysWorld, secret: KeySecret, kept: Credential): Promise<void> {
  expect(await harness.works(await secret.read()), 'the ordinary read works').toBe(true)
  expect(await harness.works(kept), 'what was read before works').toBe(true)
  if (secret.person !== undefined) expect(await secret.live(), 'the person’s key').toContain(secret.person)
}

/** G4, G6: one new key is current, nothing is pending and nothing unnamed; and when the old one is retired the next rotation gets through. */
async function rotatedOnce(world: KeysWorld, secret: KeySecret, first: Credential): Promise<void> {
  const { harness, reusesNames } = world.subject
  const current = await secret.read()
  expect(current.principal, 'another key is current').not.toBe(first.principal)
  const facts = await secret.facts()
  expect(facts.pendings, 'nothing is pending').toEqual([])
  expect(facts.metadata.promoted?.version, 'the promotion is recorded').toBe(facts.current)
  expect((await secret.strays()).length, 'keys that no stage names').toBeLessThanOrEqual(harness.hasMarks ? 0 : 1)
  world.advance(drainMs(secret))
  await acknowledge(secret)
  await atRest(world, secret)
  expect(await harness.works(first), 'the old key is dead').toBe(false)
  expect(await harness.works(current), 'current lives').toBe(true)
  await freed(world, secret)
  if ((await secret.read()).principal === current.principal) await asked(secret, 'rotate')
  const next = await secret.read()
  expect(next.principal, 'a further rotation gets through').not.toBe(current.principal)
  if (!reusesNames) expect(next.principal).not.toBe(first.principal)
  expect(await harness.works(next)).toBe(true)
  if (secret.person !== undefined) expect(await secret.live(), 'the person’s key').toContain(secret.person)
}

/** The end of the old key by sweeps: killed anywhere, it ends dead, proved and recorded, and current is never touched. */
const retirement = (w: () => KeysWorld): CrashFlow => ({
  name: 'a retirement of a key',
  prepare: async (): Promise<CrashCase> => {
    const world = w()
    const secret = await world.fresh()
    const old = await secret.read()
    await asked(secret, 'rotate')
    const current = await secret.read()
    world.advance(drainMs(secret))
    await acknowledge(secret)
    return {
      run: async () => void (await atRest(world, secret)),
      recover: async () => {
        world.advance(OUTLIVED_MS)
        await atRest(world, secret)
      },
      check: async (when) => {
        const { harness, reusesNames } = world.subject
        expect((await secret.read()).principal, 'current is what it was').toBe(current.principal)
        expect(await harness.works(current), 'current works').toBe(true)
        if (when === 'died') return
        expect(await harness.works(old), 'the old key is dead').toBe(false)
        const { metadata, previous, pendings } = await secret.facts()
        expect(metadata.retired, 'the proof is recorded').toMatchObject({
          version: previous,
          refusal: expect.stringMatching(/./)
        })
        expect([metadata.disabled, metadata.acknowledged, pendings]).toEqual([undefined, undefined, []])
        if (!reusesNames) expect(await secret.live()).not.toContain(old.principal)
        if (secret.person !== undefined) expect(await secret.live(), 'the person’s key').toContain(secret.person)
      }
    }
  }
})
