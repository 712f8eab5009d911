import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newFaults } from '../conformance/crash.ts'
import { HOUR, newToken, rotated } from './crash-worlds.ts'
import { type AzureWorld, azureWorld } from './worlds-azure.ts'

describe('a rotation on Azure, in a process that is warm', () => {
  let world: AzureWorld
  beforeAll(async () => {
    world = await azureWorld(newFaults(), { isOneProcess: true })
  })
  afterAll(() => world?.stop())

  test('costs ten calls of Key Vault, the admin’s secret included, and eight of the journal', async () => {
    const { id } = await world.fresh()
    const name = id.split('/').at(-1) ?? ''
    await rotated(world.core, id, 'rotate', newToken())
    world.advance(2 * HOUR)
    await rotated(world.core, id, 'retire', newToken())
    const made = await world.azure.calls(() => rotated(world.core, id, 'rotate', newToken()))
    const [look, look2] = [`GetSecret ${name}-pending`, `GetSecret ${name}`]
    expect(made.filter((call) => !call.endsWith(' journal'))).toEqual([
      ...[look, look2],
      'GetSecret admin',
      ...[look, look2],
      `SetSecret ${name}-pending`,
      ...[look, look2, `SetSecret ${name}`],
      `SetSecret ${name}-pending`
    ])
    expect(made.filter((call) => call.endsWith(' journal'))).toEqual([
      ...['read journal', 'write journal'],
      ...['acquire journal', 'read journal', 'write journal', 'release journal'],
      ...['read journal', 'write journal']
    ])
  })

  test('costs one more when the newest version is a person’s, or the first: its past is asked once a process', async () => {
    const { id } = await world.fresh()
    const made = await world.azure.calls(() => rotated(world.core, id, 'rotate', newToken()))
    const vault = made.filter((call) => !call.endsWith(' journal'))
    expect(vault.filter((call) => call.startsWith('GetSecretVersions'))).toHaveLength(1)
    expect(vault).toHaveLength(11)
  })
})
