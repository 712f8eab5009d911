import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findAzurite } from '../servers/azurite.ts'
import { vaultEventOf } from './azure-events.ts'
import type { FunctionApp, Outcome } from './azure-host.ts'
import { type AzureKeyWorld, startAzureKeyWorld } from './azure-key-world.ts'
import { about, describeDeployment, describeKeys, ownKey } from './key-world-suite.ts'
import { type BuiltFunction, builtFunction } from './lambda-runtime.ts'

const DONE: Outcome = { returned: undefined }
const DAY = 24 * 3_600_000

let built: readonly BuiltFunction[]
let host: AzureKeyWorld
beforeAll(async () => {
  const [keys, databases] = await Promise.all([builtFunction('azure/rotate-api-key'), builtFunction('azure/rotate-database')])
  built = [keys, databases]
  host = await startAzureKeyWorld({ keys: keys.folder, databases: databases.folder })
})
afterAll(async () => {
  await host.close()
  for (const one of built) one.remove()
})

const nearExpiry = (name: string) =>
  vaultEventOf('near-expiry', {
    ...{ id: randomUUID(), secret: name, version: host.world.newestVersion({ name }), vault: host.world.vault.url },
    at: host.world.now()
  })

/** What an app answers to an event of the vault’s, and the lines that it logged meanwhile. */
async function sent(app: FunctionApp, event: object) {
  const before = app.lines.length
  const outcome = await app.message('near-expiry', JSON.stringify(event))
  const lines = app.lines.slice(before).map(({ message }) => JSON.parse(message) as Readonly<Record<string, unknown>>)
  return { outcome, lines }
}

// Without Azurite there is no journal, and nothing is rotated.
if (findAzurite() !== undefined)
  describe('the built bundle of rotate-api-key, as the host drives it', () => {
    describeKeys(
      'entra-client-secret',
      () => host,
      () => host.entra
    )
    describeKeys(
      'http-api-key',
      () => host,
      () => host.acme
    )

    test('a storage key is made anew beside the one in use, and the old one lives until a person says that nobody uses it', async () => {
      const { name, first } = await ownKey(host, host.storage)
      const report = about(await host.ask({ action: 'rotate', secretId: name }), name)
      const second = await host.read(name)
      expect(report).toMatchObject({ ok: true, phase: 'draining', current: 'key2', previous: 'key1' })
      expect([host.storage.works(second), host.storage.works(first)]).toEqual([true, true])
      host.advance(8 * DAY)
      const swept = about(await host.ask({ action: 'sweep' }), name)
      expect(swept).toMatchObject({ phase: 'draining', done: [] })
      expect(swept.waitsFor.join()).toContain('nobody can tell')
      expect(await host.ask({ action: 'retire', secretId: name })).toMatchObject({ code: 'conflict/unacknowledged' })
      const retired = about(await host.ask({ action: 'retire', secretId: name, endSessions: true }), name)
      expect(retired.done).toMatchObject([{ step: 'retire', principal: 'key1', proof: { refusal: host.storage.refusal } }])
      expect([host.storage.works(second), host.storage.works(first)]).toEqual([true, false])
    })

    test('Key Vault’s event of a key that ends rotates it once, however often it comes', async () => {
      const { name, first } = await ownKey(host, host.entra)
      const event = nearExpiry(name)
      for (let i = 0; i < 3; i++) expect((await sent(host.world.app(), event)).outcome).toEqual(DONE)
      const second = await host.read(name)
      expect([host.entra.works(second), host.entra.works(first), host.versions(name)]).toEqual([true, true, 2])
    })

    test('an event of the other app’s secret is ignored by both, and is no failure', async () => {
      const { name: key } = await ownKey(host, host.entra)
      const database = await host.database()
      for (const [app, name] of [
        [host.world.app(), database],
        [host.databases(), key]
      ] as const) {
        const { outcome, lines } = await sent(app, nearExpiry(name))
        expect(outcome).toEqual(DONE)
        expect(lines).toMatchObject([{ event: 'ignored', why: 'another function’s' }])
        expect(host.versions(name)).toBe(1)
      }
    })

    test('without the right to make secrets nothing is changed, and it is said which one is missing', async () => {
      const { name, first } = await ownKey(host, host.entra)
      host.graph.setFault(({ op }) =>
        op === 'application_addPassword'
          ? { status: 403, body: { error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges.' } } }
          : undefined
      )
      const said = await host.ask({ action: 'rotate', secretId: name })
      host.graph.setFault(undefined)
      expect(said).toMatchObject({ code: 'denied/provider' })
      expect([await host.read(name), host.entra.works(first)]).toEqual([first, true])
      expect(await host.output()).toMatch(/"code":"denied\/provider","message":"[^"]*Application\./)
    })

    describeDeployment(
      () => host,
      () => [host.entra, host.acme, host.storage]
    )
  })
