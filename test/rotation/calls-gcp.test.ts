import { afterAll, beforeAll, expect, test } from 'vitest'
import { newFaults } from '../conformance/crash.ts'
import { HOUR, newToken, rotated } from './crash-worlds.ts'
import { type GcpWorld, gcpWorld } from './worlds-gcp.ts'

let gcp: GcpWorld
beforeAll(async () => {
  gcp = await gcpWorld(newFaults())
})
afterAll(() => gcp?.stop())

test('one rotation by keyturn, from its request to its end, makes twelve calls, the admin secret’s among them', async () => {
  const { id, use, pair } = await gcp.fresh()
  const core = gcp.coreOn(gcp.place.store())
  await rotated(core, id, 'rotate', newToken())
  gcp.advance(2 * HOUR)
  await rotated(core, id, 'retire', newToken())
  const calls = await gcp.place.calls(() => rotated(core, id, 'rotate', newToken()))
  expect(await use()).toBe(pair[0])
  expect(calls).toEqual([
    // The first look: the newest is what it was; its value.
    'GetSecret',
    'AccessSecretVersion',
    'AccessSecretVersion',
    // The admin secret.
    'AccessSecretVersion',
    // The look inside the hold.
    'GetSecret',
    'AccessSecretVersion',
    // Stage.
    'UpdateSecret',
    'AddSecretVersion',
    // Promote: nobody was there.
    'AccessSecretVersion',
    'AddSecretVersion',
    'UpdateSecret',
    // Drop.
    'DestroySecretVersion'
  ])
  expect(calls).toHaveLength(12)
})

test('a process that never saw the secret makes the same calls', async () => {
  const { id } = await gcp.fresh()
  await rotated(gcp.core, id, 'rotate', newToken())
  gcp.advance(2 * HOUR)
  await rotated(gcp.core, id, 'retire', newToken())
  const { core } = gcp
  expect(await gcp.place.calls(() => rotated(core, id, 'rotate', newToken()))).toHaveLength(12)
})

test('the first one of a secret also asks where its versions end and whether the sibling is somebody’s, and makes it', async () => {
  const { id } = await gcp.fresh()
  const { core } = gcp
  const calls = await gcp.place.calls(() => rotated(core, id, 'rotate', newToken()))
  const extra = { GetSecretVersion: 1, AccessSecretVersion: 1, AddSecretVersion: 1, CreateSecret: 1 }
  expect(calls).toHaveLength(12 + Object.values(extra).reduce((a, b) => a + b))
  expect(calls.filter((op) => op === 'GetSecretVersion')).toHaveLength(1)
  expect(calls.filter((op) => op === 'CreateSecret')).toHaveLength(1)
})

test('a sweep of a secret at rest looks once: its annotations, where its versions end, and the value', async () => {
  const { id } = await gcp.fresh()
  await rotated(gcp.core, id, 'rotate', newToken())
  gcp.advance(2 * HOUR)
  await rotated(gcp.core, id, 'retire', newToken())
  const { core } = gcp
  const calls = await gcp.place.calls(() => rotated(core, id, 'sweep', newToken()))
  expect(calls).toEqual(['GetSecret', 'AccessSecretVersion', 'AccessSecretVersion'])
})
