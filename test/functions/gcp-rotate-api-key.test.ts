import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { messagePublished } from './gcp-events.ts'
import { builtGcpFunction } from './gcp-framework.ts'
import { type GcpKeyWorld, startGcpKeyWorld } from './gcp-key-world.ts'
import { ACKNOWLEDGED, AGAIN, binary } from './gcp-world.ts'
import { describeDeployment, describeKeys, ownKey } from './key-world-suite.ts'
import type { BuiltFunction } from './lambda-runtime.ts'

let built: readonly BuiltFunction[]
let host: GcpKeyWorld
beforeAll(async () => {
  const [keys, databases] = await Promise.all([builtGcpFunction('rotate-api-key'), builtGcpFunction('rotate-database')])
  built = [keys, databases]
  host = await startGcpKeyWorld({ keys: keys.folder, databases: databases.folder })
})
afterAll(async () => {
  await host.close()
  for (const one of built) one.remove()
})

/** Secret Manager’s SECRET_ROTATE as Eventarc sends it. */
const secretRotate = (secret: string, messageId = secret) => binary(messagePublished('secret-rotate', { secret, messageId }))

describe('the built bundle of rotate-api-key in functions-framework', () => {
  describeKeys(
    'gcp-service-account-key',
    () => host,
    () => host.serviceAccount
  )
  describeKeys(
    'http-api-key',
    () => host,
    () => host.acme
  )

  test('Secret Manager’s SECRET_ROTATE rotates a key once, however often it is delivered', async () => {
    const { name, first } = await ownKey(host, host.serviceAccount)
    for (let i = 0; i < 3; i++) expect(await host.world.sent(secretRotate(name), host.events)).toMatchObject(ACKNOWLEDGED)
    const second = await host.read(name)
    const { works } = host.serviceAccount
    expect([works(second), works(first), host.versions(name)]).toEqual([true, true, 2])
  })

  test('an event of the other function’s secret is acknowledged by both, and is no failure', async () => {
    const { name: key } = await ownKey(host, host.serviceAccount)
    const database = await host.database()
    for (const [to, name] of [
      [host.events, database],
      [host.databaseEvents, key]
    ] as const) {
      const said = await host.world.sent(secretRotate(name), to)
      expect(said).toMatchObject(ACKNOWLEDGED)
      expect(said.lines.filter(({ severity }) => severity === 'ERROR')).toEqual([])
      expect(said.lines).toContainEqual(expect.objectContaining({ event: 'ignored', code: 'conflict/other-function' }))
      expect(host.versions(name)).toBe(1)
    }
  })

  test('an event of a secret that is nobody’s is acknowledged, whatever it holds', async () => {
    await host.put('a-text', { plain: 'no key and no database' }, {})
    const said = await host.world.sent(secretRotate('a-text'), host.events)
    expect(said).toMatchObject(ACKNOWLEDGED)
    expect(said.lines).toContainEqual(expect.objectContaining({ severity: 'INFO', event: 'ignored', code: 'conflict/unmanaged' }))
  })

  test('a provider that is not there at first is asked again at the next delivery, and then there is one new key', async () => {
    const { name, first } = await ownKey(host, host.serviceAccount)
    host.iam.setFault(({ op }) => (op === 'ListServiceAccountKeys' ? { status: 503 } : undefined))
    expect(await host.world.sent(secretRotate(name), host.events)).toMatchObject(AGAIN)
    host.iam.setFault(undefined)
    expect(await host.world.sent(secretRotate(name), host.events)).toMatchObject(ACKNOWLEDGED)
    expect([host.versions(name), host.iam.shelf.of(String(first.client_email)).length]).toEqual([2, 2])
  })

  describeDeployment(
    () => host,
    () => [host.serviceAccount, host.acme]
  )
})
