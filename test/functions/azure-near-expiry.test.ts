import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CODES, type Code } from '../../shared/errors.ts'
import { findAzurite } from '../servers/azurite.ts'
import { type About, eventOf, vaultEventOf } from './azure-events.ts'
import type { Outcome } from './azure-host.ts'
import { type AzureWorld, HOUR, type Owned, startAzureWorld } from './azure-world.ts'
import { type BuiltFunction, builtFunction } from './lambda-runtime.ts'

/** Without Azurite there is no journal, and nothing is rotated. */
const rotates = findAzurite() !== undefined

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

const DONE: Outcome = { returned: undefined }
/** The host tells of an error its message only: the code, and what to do. */
const failed = (code: Code) => ({
  exception: { message: expect.stringMatching(new RegExp(`^${code}: .*${CODES[code][1].slice(0, 20)}`)) }
})

const NO_VERSION = 'ee059b2bb5bc48398a53b168c6cdcb10'
const NOBODY: Owned = { name: 'nobody', a: '', b: '' }

/** An event about this secret as it stands now. */
const about = (name: string, secret: Owned, own: Partial<About> = {}) =>
  vaultEventOf(name, {
    ...{ id: randomUUID(), secret: secret.name, vault: world.vault.url, at: world.now() },
    version: world.newestVersion(secret) || NO_VERSION,
    ...own
  })

const send = (event: unknown): Promise<Outcome> => world.app().message('near-expiry', JSON.stringify(event))

/** What the app logged while `work` ran. */
async function logged(work: () => Promise<unknown>) {
  const before = world.app().lines.length
  await work()
  const lines = world.app().lines.slice(before)
  return lines.map(({ level, category, message }) => ({ ...(JSON.parse(message) as object), level, category }))
}

describe('an event completes without an effect, and the log says why,', () => {
  const ignored = async (event: object, why: string, secret?: Owned) => {
    const versions = secret && world.vault.versions(secret.name)
    const lines = await logged(async () => expect(await send(event)).toEqual(DONE))
    expect(lines).toMatchObject([{ level: 'information', category: 'user', event: 'ignored', why }])
    if (secret) expect(world.vault.versions(secret.name)).toEqual(versions)
  }

  test('for a new version, which our own writes make', async () => {
    const secret = await world.secret()
    await ignored(about('new-version-created', secret), 'asks for nothing', secret)
  })

  test('for another vault, and ours is not asked', async () => {
    const calls = world.vault.calls.length
    await ignored(eventOf('near-expiry-of-another-vault'), 'another vault')
    expect(world.vault.calls).toHaveLength(calls)
  })

  test('for a secret that keyturn does not manage, because the subscription is the whole vault’s', async () => {
    const secret = await world.secret({ metadata: null })
    await ignored(about('near-expiry', secret), 'not managed by keyturn', secret)
  })

  test('for a version that is not the newest', async () => {
    const secret = await world.secret()
    await ignored(about('expired', secret, { version: NO_VERSION }), 'not the newest version', secret)
  })
})

describe('an event fails, so that the host delivers it again, and gives it to a person at last,', () => {
  test.each([7, true, 'hunter2 is no event', [], {}, { id: 'x' }])('for %j', async (message) => {
    const lines = await logged(async () => expect(await send(message)).toMatchObject(failed('invalid/request')))
    expect(lines).toMatchObject([{ level: 'error', category: 'user', event: 'failed', code: 'invalid/request' }])
    expect(world.output()).not.toContain('hunter2')
  })

  test('for a secret that is gone', async () => {
    expect(await send(about('near-expiry', NOBODY))).toMatchObject(failed('not-found/secret'))
  })
})

test('an event of a secret that a person holds is put off with a warning: the sweep comes by when the hold is over', async () => {
  const secret = await world.secret({ metadata: { hold: { reason: 'an audit' } } })
  const lines = await logged(async () => expect(await send(about('near-expiry', secret))).toEqual(DONE))
  expect(lines).toContainEqual(expect.objectContaining({ level: 'warning', event: 'put off', code: 'conflict/held' }))
})

if (rotates)
  describe('an event rotates', () => {
    test.each(['near-expiry', 'near-expiry-cloudevents', 'near-expiry-as-the-page-spells-it', 'expired'])(
      'the secret that it names, as %s',
      async (name) => {
        const secret = await world.secret()
        const lines = await logged(async () => expect(await send(about(name, secret))).toEqual(DONE))
        expect(await world.read(secret)).toMatchObject({ username: secret.b })
        expect(lines).toContainEqual(expect.objectContaining({ level: 'information', event: 'done', secret: secret.name }))
      }
    )

    test('as base64, where the host leaves that to the function', async () => {
      const secret = await world.secret()
      const text = Buffer.from(JSON.stringify(about('near-expiry', secret))).toString('base64')
      expect(await world.app().message('near-expiry', text)).toEqual(DONE)
      expect(await world.read(secret)).toMatchObject({ username: secret.b })
    })

    test('once, whatever else is told of the old version, and however late', async () => {
      const secret = await world.secret()
      const old = world.newestVersion(secret)
      await send(about('near-expiry', secret))
      const newest = world.newestVersion(secret)
      const late = about('near-expiry', secret, { at: new Date(world.now().getTime() - HOUR) })
      for (const event of [about('expired', secret, { version: old }), late]) expect(await send(event)).toEqual(DONE)
      expect(world.newestVersion(secret)).toBe(newest)
    })

    test('at the next delivery, where the vault did not answer', async () => {
      const secret = await world.secret()
      const event = about('near-expiry', secret)
      world.vault.setFault(() => 'before')
      expect(await send(event)).toMatchObject(failed('unavailable/store'))
      world.vault.setFault(undefined)
      expect(await send(event)).toEqual(DONE)
      expect(await world.read(secret)).toMatchObject({ username: secret.b })
    })

    test('also beside others of its message that fail, of which the worst is the message’s failure', async () => {
      const secret = await world.secret()
      const lines = await logged(async () => {
        const outcome = await send([{ id: 'x' }, about('near-expiry', NOBODY), about('near-expiry', secret)])
        expect(outcome).toMatchObject(failed('invalid/request'))
      })
      expect(await world.read(secret)).toMatchObject({ username: secret.b })
      const failures = lines.filter(({ level }) => level === 'error')
      expect(failures).toMatchObject([{ code: 'not-found/secret' }, { code: 'invalid/request' }])
    })
  })

if (rotates)
  test('what never succeeds is on the poison queue after five deliveries', async () => {
    const event = about('near-expiry', NOBODY)
    await world.queue().put(event)
    const outcomes = await world.queue().drain(world.app())
    expect(outcomes).toMatchObject(Array.from({ length: 5 }, () => failed('not-found/secret')))
    expect(await world.queue().poison()).toEqual([event])
  })
