import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findAzurite } from '../servers/azurite.ts'
import { eventOf, vaultEventOf } from './azure-events.ts'
import type { Outcome } from './azure-host.ts'
import { ADMIN_PASSWORD, type AzureWorld, DAY, HOUR, NO_JOURNAL, type Owned, startAzureWorld } from './azure-world.ts'
import { type BuiltFunction, builtFunction } from './lambda-runtime.ts'

const DONE: Outcome = { returned: undefined }

let built: BuiltFunction
let world: AzureWorld
beforeAll(async () => {
  built = await builtFunction('azure/rotate-database')
  world = await startAzureWorld(built.folder)
})
afterAll(async () => {
  await world.close()
  built.remove()
})

const nearExpiry = (secret: Owned) =>
  vaultEventOf('near-expiry', {
    ...{ id: randomUUID(), secret: secret.name, version: world.newestVersion(secret), vault: world.vault.url, at: world.now() }
  })
const sweep = () => world.app().timer('sweep', eventOf('timer'))

test('without its journal the built bundle changes nothing', async () => {
  const secret = await world.secret()
  const before = await world.read(secret)
  await world.restart({ KEYTURN_JOURNAL_URL: NO_JOURNAL })
  const outcome = await world.app().message('near-expiry', JSON.stringify(nearExpiry(secret)))
  expect(outcome).toMatchObject({ exception: { message: expect.stringMatching(/^unavailable\/store: /) } })
  expect([await world.read(secret), await world.login(before)]).toEqual([before, 'in'])
  await world.restart()
})

if (findAzurite() !== undefined)
  describe('the built bundle, as the host drives it', () => {
    /** What the app said it did to a secret since a line of its log. */
    const doneSince = (line: number, { name }: Owned) =>
      world
        .app()
        .lines.slice(line)
        .map(({ message }) => JSON.parse(message) as { event: string; secret: string })
        .filter(({ event, secret }) => event === 'done' && secret === name)

    test('an event delivered five times is one rotation, which no client notices; after the grace the timer retires the old login', async () => {
      const secret = await world.secret()
      const before = await world.read(secret)
      const clients = startClients(world, secret)
      await clients.haveRead()
      const event = nearExpiry(secret)
      for (let i = 0; i < 5; i++) await world.queue().put(event)
      const outcomes = await world.queue().drain(world.app())
      expect(outcomes.filter((outcome) => !('exception' in outcome))).toHaveLength(5)
      expect(await world.queue().poison()).toEqual([])
      await clients.haveRead()
      const after = await world.read(secret)
      expect([after.username, world.vault.versions(secret.name).length]).toEqual([secret.b, 2])

      world.advance(23 * HOUR)
      expect(await sweep()).toEqual(DONE)
      await clients.haveRead()
      expect(await world.login(before)).toBe('in')
      world.advance(2 * HOUR)
      const line = world.app().lines.length
      expect(await sweep()).toEqual(DONE)
      await clients.haveRead()
      const { errors, logins } = await clients.stop()
      expect([errors, logins > 20]).toEqual([[], true])
      expect(doneSince(line, secret)).toMatchObject([{ phase: 'settled', steps: [`retire ${secret.a}`] }])
      expect([await world.login(before), await world.login(after)]).toEqual(['28P01', 'in'])
      expect(world.vault.versions(secret.name).at(-1)?.tags['keyturn-state']).toMatch(/retired=\w+\/[^/]+\/28P01/)
      expect(await sweep()).toEqual(DONE)
    })

    test('a timer that is late, and that knows nothing of its last run, sweeps all the same', async () => {
      const secret = await world.secret()
      world.advance(31 * DAY)
      expect(await world.app().timer('sweep', eventOf('timer-past-due'))).toEqual(DONE)
      expect(await world.read(secret)).toMatchObject({ username: secret.b })
    })

    test('a sweep in which one secret fails goes on with the others, and fails as a whole', async () => {
      const [bad, good] = [await world.secret({ more: { masterarn: 'nobody' } }), await world.secret()]
      world.advance(31 * DAY)
      expect(await sweep()).toMatchObject({
        exception: {
          message: expect.stringMatching(new RegExp(`^not-found/admin-secret: 1 of \\d+ secrets failed: ${bad.name}`))
        }
      })
      expect(await world.read(good)).toMatchObject({ username: good.b })
    })

    test('a process that is killed in the middle leaves the rotation to the next delivery', async () => {
      const secret = await world.secret()
      await world.queue().put(nearExpiry(secret))
      world.vault.setFault(({ op, name }) => {
        if (op !== 'SetSecret' || name !== secret.name) return undefined
        void world.app().stop()
        return 'lost'
      })
      const [first] = await world.queue().deliver(world.app())
      world.vault.setFault(undefined)
      expect(world.vault.versions(`${secret.name}-pending`).at(-1)?.tags['keyturn-state']).toContain('state=pending')
      expect(first).toMatchObject({ exception: { message: expect.stringMatching(/^the worker ended/) } })
      const outcomes = await world.queue().drain(await world.restart())
      expect(outcomes.at(-1)).toEqual(DONE)
      const now = await world.read(secret)
      expect([now.username, await world.login(now), world.vault.versions(secret.name).length]).toEqual([secret.b, 'in', 2])
      expect(world.vault.versions(`${secret.name}-pending`).at(-1)?.tags['keyturn-state']).toContain('state=ended')
    })

    test('its identity is asked for a token twice, for the vault and for the journal', async () => {
      await world.restart()
      const before = world.identity.calls.length
      const secret = await world.secret()
      await world.app().message('near-expiry', JSON.stringify(nearExpiry(secret)))
      const asked = world.identity.calls.slice(before).map(({ resource }) => resource)
      expect(asked.toSorted()).toEqual(['https://storage.azure.com', 'https://vault.azure.net'])
    })

    test('no password, verifier, token or header of the identity is in anything that a process wrote', async () => {
      const secret = await world.secret()
      await world.app().message('near-expiry', JSON.stringify(nearExpiry(secret)))
      await world.app().message('near-expiry', JSON.stringify(nearExpiry(secret)))
      const passwords = world.vault.reveal(secret.name).map((text) => (JSON.parse(text) as { password: string }).password)
      const verifiers = await world.server.query<{ rolpassword: string | null }>('SELECT rolpassword FROM pg_authid')
      const planted = [
        ...passwords,
        ...verifiers.flatMap(({ rolpassword }) => rolpassword ?? []),
        ...[ADMIN_PASSWORD, 'SCRAM-SHA-256$', world.identity.env.IDENTITY_HEADER, 'eyJ', 'Bearer ']
      ]
      expect(planted.filter((text) => world.output().includes(text))).toHaveLength(0)
      expect(world.output()).toContain('conflict/inside-grace')
    })
  })

/** Applications: each reads the secret by its name and logs in with what it read, over and over. */
function startClients(world: AzureWorld, secret: Owned) {
  const errors: string[] = []
  const waiting: (() => void)[] = []
  let rounds = 0
  let stopped = false
  const client = async (): Promise<void> => {
    while (!stopped) {
      const login = await world.read(secret).catch((e: Error) => e.name)
      const said = typeof login === 'string' ? login : await world.login(login).catch((e: Error) => e.name)
      if (said !== 'in') errors.push(said)
      rounds++
      for (const resume of waiting.splice(0)) resume()
    }
  }
  const running = [client(), client(), client()]
  return {
    /** Each of them at least once from now on, from its read to its login. */
    haveRead: async () => {
      const until = rounds + 2 * running.length
      while (rounds < until) await new Promise<void>((resume) => void waiting.push(resume))
    },
    stop: async () => {
      stopped = true
      await Promise.all(running)
      return { errors, logins: rounds }
    }
  }
}
