import { afterAll, beforeAll, expect, test } from 'vitest'
import { newFaults } from '../conformance/crash.ts'
import { HOUR, newToken, rotated } from './crash-worlds.ts'
import { asOneProcess, type VaultWorld, vaultWorld } from './worlds-vault.ts'

let vault: VaultWorld
beforeAll(async () => {
  vault = await vaultWorld(newFaults())
})
afterAll(() => vault?.stop())

/** Vault's calls of the work, the admin secret's read included. */
async function callsOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  const { calls } = vault.place.server
  const before = calls.length
  await work()
  return calls.slice(before).map(({ op, path }) => (path === 'admin' ? `${op} (admin)` : op))
}

/** A secret that was rotated, whose other half was retired. */
async function settled(world: VaultWorld): Promise<string> {
  const { id } = await world.fresh()
  await rotated(world.core, id, 'rotate', newToken())
  world.advance(2 * HOUR)
  await rotated(world.core, id, 'retire', newToken())
  return id
}

const ROTATION = [
  'GET data pending',
  'GET data',
  'GET data (admin)',
  'GET data pending',
  'GET metadata',
  'POST data pending',
  'POST data',
  'POST data pending'
]

test('a rotation by a process that has rotated before makes eight calls', async () => {
  const warm = asOneProcess(vault)
  const id = await settled(warm)
  expect(await callsOf(() => rotated(warm.core, id, 'rotate', newToken()))).toEqual(ROTATION)
})

test('a rotation by a new process makes nine: it reads the mount’s settings once', async () => {
  const id = await settled(vault)
  const calls = await callsOf(() => rotated(vault.core, id, 'rotate', newToken()))
  expect(calls).toEqual([ROTATION[0], 'GET config', ...ROTATION.slice(1)])
})

test('a secret’s first rotation makes one more, for the place of its pending values', async () => {
  const { id } = await vault.fresh()
  const calls = await callsOf(() => rotated(vault.core, id, 'rotate', newToken()))
  expect(calls).toEqual([ROTATION[0], 'GET config', ...ROTATION.slice(1, 5), 'POST metadata pending', ...ROTATION.slice(5)])
})

test('a sweep that finds nothing to do makes two', async () => {
  const warm = asOneProcess(vault)
  const id = await settled(warm)
  expect(await callsOf(() => rotated(warm.core, id, 'sweep', newToken()))).toEqual(['GET data pending', 'GET data'])
})
