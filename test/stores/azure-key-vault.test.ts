import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { azureKeyVault } from '../../shared/stores/azure-key-vault.ts'
import { storeSuite } from '../conformance/store.ts'
import {
  attemptFrom,
  type Bench,
  bench,
  fresh,
  look,
  PLANTED,
  planted,
  refusal,
  rotated,
  signal
} from '../conformance/store-harness.ts'
import { azureCredential } from '../doubles/azure-credential.ts'
import { type AzureHarness, nameOf, startAzure } from './azure-harness.ts'

storeSuite('Azure Key Vault', () => startAzure())

describe('Azure Key Vault', () => {
  let azure: AzureHarness
  let b: Bench
  beforeAll(async () => {
    azure = await startAzure()
    b = bench(azure)
  })
  afterAll(() => azure?.close())

  describe('an id', () => {
    test('may be a name, in either case, or an address with or without a version, and is given back as the address', async () => {
      const { id, base } = await fresh(b)
      for (const written of [id, nameOf(id), nameOf(id).toUpperCase(), `${id}/${base}`])
        expect((await look(b, written)).id).toBe(id)
    })

    test('of another vault, or that is none, is refused before anything is asked', async () => {
      const bad = [
        'https://other.vault.azure.net/secrets/app',
        'app/db',
        'app_db',
        '',
        `${azure.double.url}/keys/app`,
        'http://a/secrets/b'
      ]
      const asked = await azure.calls(async () => {
        for (const id of bad) await refusal(b.store.describe(id, signal()), 'invalid/request')
      })
      expect(asked).toEqual([])
    })

    test('is too long where its sibling’s name would be, and the refusal says how long it may be', async () => {
      expect(await b.store.describe('a'.repeat(119), signal())).toBeUndefined()
      const said = await b.store.describe('a'.repeat(120), signal()).catch((e: unknown) => e)
      expect(said).toMatchObject({ code: 'invalid/name', message: expect.stringContaining('119') })
      await refusal(b.store.describe('a'.repeat(128), signal()), 'invalid/request')
    })

    test('of an address without TLS never gets a token', () => {
      const settings = { credential: azureCredential('keyturn'), journal: { containerUrl: azure.blobs.containerUrl } }
      for (const vaultUrl of ['http://127.0.0.1:1', 'keyturn.vault.azure.net', ''])
        expect(() => azureKeyVault({ ...settings, vaultUrl })).toThrow(expect.objectContaining({ code: 'invalid/config' }))
      const journal = { containerUrl: 'http://127.0.0.1/journal' }
      expect(() => azureKeyVault({ ...settings, vaultUrl: azure.double.url, journal })).toThrow(/journal/)
    })

    test('of a journal is a container’s, without a shared access signature, which would be cut into the addresses of blobs', () => {
      const settings = { credential: azureCredential('keyturn'), vaultUrl: azure.double.url }
      for (const rest of ['', '/', '/journal?sv=2021-12-02&sig=x', '/journal#x']) {
        const journal = { containerUrl: `https://account.blob.core.windows.net${rest}` }
        expect(() => azureKeyVault({ ...settings, journal })).toThrow(expect.objectContaining({ code: 'invalid/config' }))
      }
      expect(azureKeyVault({ ...settings, journal: { containerUrl: 'https://a.blob.core.windows.net/journal/' } })).toBeDefined()
    })

    test('may come with a request timeout of half a lease at most: with more no commit could begin', () => {
      const journal = { containerUrl: azure.blobs.containerUrl }
      const settings = { credential: azureCredential('keyturn'), vaultUrl: azure.double.url, journal }
      for (const requestTimeoutMs of [0, -1, Number.NaN, 30_001, 60_000])
        expect(() => azureKeyVault({ ...settings, requestTimeoutMs })).toThrow(
          expect.objectContaining({ code: 'invalid/config', message: expect.stringContaining('requestTimeoutMs') })
        )
      expect(azureKeyVault({ ...settings, requestTimeoutMs: 30_000 })).toBeDefined()
    })
  })

  describe('a promotion', () => {
    test('carries the owner’s tags and the content type over, and sets no notBefore', async () => {
      const { id, base } = await fresh(b)
      const tags = { keyturn: ' kind = postgres ; owner = platform;', team: 'shop', 'keyturn-like': 'mine' }
      await azure.owner.updateSecretProperties(nameOf(id), base, { tags, contentType: 'application/json' })
      const attempt = attemptFrom(base)
      await b.store.stage(id, attempt, planted('second'), signal())
      await b.store.promote(id, attempt, signal())
      const { properties } = await azure.owner.getSecret(nameOf(id))
      expect(properties).toMatchObject({ contentType: 'application/json', enabled: true, notBefore: undefined })
      expect(properties.tags).toEqual({
        team: 'shop',
        'keyturn-like': 'mine',
        keyturn: 'kind=postgres;owner=platform',
        'keyturn-state': expect.stringMatching(`^token=${attempt.token};base=${base};ticket=\\d+$`)
      })
    })

    test('expires 30 days after the next rotation is due, so that SecretNearExpiry is fired then and not by our own write', async () => {
      const { id, base } = await fresh(b)
      await b.store.annotate(id, { periodMs: 10 * DAY_MS, graceMs: 2 * DAY_MS }, undefined, signal())
      const attempt = attemptFrom(base)
      await b.store.stage(id, attempt, planted('second'), signal())
      const promoted = await b.store.promote(id, attempt, signal())
      const { properties } = await azure.owner.getSecret(nameOf(id))
      expect(Math.abs((properties.expiresOn?.getTime() ?? 0) - (promoted?.at ?? 0) - 40 * DAY_MS)).toBeLessThan(2_000)
      for (const { exp, nbf } of azure.double.versions(`${nameOf(id)}-pending`))
        expect([exp, nbf]).toEqual([undefined, undefined])
    })

    test('of a period that ends after 2038 expires in 2038: the SDK would write a time before 1970', async () => {
      const { id, base } = await fresh(b)
      await b.store.annotate(id, { periodMs: 40 * 365 * DAY_MS }, undefined, signal())
      const attempt = attemptFrom(base)
      await b.store.stage(id, attempt, planted('second'), signal())
      await b.store.promote(id, attempt, signal())
      expect(azure.double.versions(nameOf(id)).at(-1)?.exp).toBe(2 ** 31 - 1)
    })

    test('is not begun where a grace does not fit in its period', async () => {
      const { id, base } = await fresh(b)
      await b.store.annotate(id, { periodMs: DAY_MS, graceMs: DAY_MS }, undefined, signal())
      await refusal(b.store.stage(id, attemptFrom(base), planted('second'), signal()), 'invalid/grace')
      expect(azure.double.versions(`${nameOf(id)}-pending`)).toEqual([])
    })

    test('takes the value that was looked at, and not one that got into the sibling since', async () => {
      const { id, base } = await fresh(b)
      const attempt = attemptFrom(base)
      await azure.another().stage(id, attempt, planted('second'), signal())
      await look(b, id)
      const sibling = await azure.owner.getSecret(`${nameOf(id)}-pending`)
      await azure.owner.setSecret(sibling.name, `${PLANTED} late`, { tags: sibling.properties.tags ?? {} })
      await refusal(b.store.promote(id, attempt, signal()), 'conflict/pending-other')
      expect((await look(b, id)).current).toBe(base)
      await b.store.promote(id, attempt, signal())
      expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} late`)
    })

    test('holds nobody up, although it was not dropped yet', async () => {
      const { id, base } = await fresh(b)
      const first = attemptFrom(base)
      await b.store.stage(id, first, planted('second'), signal())
      const promoted = await b.store.promote(id, first, signal())
      const next = attemptFrom(promoted?.version ?? '')
      await b.store.stage(id, next, planted('third'), signal())
      expect(await b.store.drop(id, first.token, signal())).toBeUndefined()
      expect((await look(b, id)).pendings).toMatchObject([{ token: next.token }])
    })

    test('that was made already, under a newer version of a person’s, changes nothing', async () => {
      const { id, attempt } = await rotated(b)
      await azure.owner.setSecret(nameOf(id), `${PLANTED} a person was here`)
      const before = azure.double.versions(nameOf(id)).length
      expect(await b.store.promote(id, attempt, signal())).toBeUndefined()
      expect(azure.double.versions(nameOf(id))).toHaveLength(before)
    })

    test('of an attempt beside which another one is pending may be tried again; with nothing pending it has ended', async () => {
      const { id, base } = await fresh(b)
      const [first, other] = [attemptFrom(base), attemptFrom(base)]
      await b.store.stage(id, first, planted('second'), signal())
      await b.store.drop(id, first.token, signal())
      await refusal(b.store.promote(id, first, signal()), 'not-found/version')
      await b.store.claim(id, other, [], signal())
      await refusal(b.store.promote(id, first, signal()), 'conflict/pending-other')
      await b.store.stage(id, other, planted('third'), signal())
      await refusal(b.store.promote(id, first, signal()), 'conflict/pending-other')
      expect((await look(b, id)).current).toBe(base)
    })

    test('from a base that is no longer the newest is refused, as far as a look can tell', async () => {
      const { id, base } = await fresh(b)
      const attempt = attemptFrom(base)
      await b.store.stage(id, attempt, planted('second'), signal())
      await azure.owner.setSecret(nameOf(id), `${PLANTED} a person was here`)
      await refusal(b.store.promote(id, attempt, signal()), 'conflict/current-moved')
      expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} a person was here`)
    })
  })

  describe('the sibling', () => {
    test('is never deleted, never disabled, never managed, and says how the attempt ended', async () => {
      const { id, base, attempt, current } = await rotated(b)
      const versions = azure.double.versions(`${nameOf(id)}-pending`)
      expect(versions.map((v) => v.enabled)).toEqual([true, true])
      expect(versions.map((v) => v.tags)).toEqual([
        { 'keyturn-state': expect.stringMatching(`^state=pending;token=${attempt.token};base=${base};ticket=\\d+$`) },
        {
          'keyturn-state': expect.stringMatching(
            `^state=ended;token=${attempt.token};base=${base};became=${current};ticket=\\d+$`
          )
        }
      ])
      expect(azure.double.reveal(`${nameOf(id)}-pending`).at(-1)).not.toContain(PLANTED)
    })

    test('of that name that somebody else made is left alone', async () => {
      const { id, base } = await fresh(b)
      await azure.owner.setSecret(`${nameOf(id)}-pending`, 'a person’s', { tags: { keyturn: 'kind=postgres' } })
      expect((await look(b, id)).pendings).toEqual([])
      await refusal(b.store.stage(id, attemptFrom(base), planted('second'), signal()), 'conflict/pending-foreign')
      await refusal(b.store.claim(id, attemptFrom(base), [], signal()), 'conflict/pending-foreign')
      expect(azure.double.reveal(`${nameOf(id)}-pending`)).toEqual(['a person’s'])
    })

    test('that a person wrote over is read from before that, and the attempt goes on', async () => {
      const { id, base } = await fresh(b)
      const attempt = attemptFrom(base)
      await b.store.stage(id, attempt, planted('second'), signal())
      await azure.owner.setSecret(`${nameOf(id)}-pending`, 'what is this?')
      expect((await look(b, id)).pendings).toMatchObject([{ token: attempt.token, base }])
      await b.store.promote(id, attempt, signal())
      expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} second`)
      await b.store.drop(id, attempt.token, signal())
      expect((await look(b, id)).pendings).toEqual([])
    })

    test('that was deleted is to be recovered or purged, by its name', async () => {
      const { id, current } = await rotated(b)
      await (await azure.owner.beginDeleteSecret(`${nameOf(id)}-pending`)).pollUntilDone()
      await azure.blobs.advance(10_000)
      const said = await b.store.stage(id, attemptFrom(current), planted('third'), signal()).catch((e: unknown) => e)
      expect(said).toMatchObject({ code: 'disabled/secret', message: expect.stringMatching(/-pending.*recover it, or purge it/) })
      await azure.owner.purgeDeletedSecret(`${nameOf(id)}-pending`)
      await b.store.stage(id, attemptFrom(current), planted('third'), signal())
    })
  })

  test('a secret that was deleted and can be recovered is not one that is not there', async () => {
    const { id } = await fresh(b)
    await (await azure.owner.beginDeleteSecret(nameOf(id))).pollUntilDone()
    await refusal(b.store.describe(id, signal()), 'disabled/secret')
    // Who may not ask for deleted ones is told what the vault says of live ones.
    azure.setFault(({ op }) => (op === 'GetDeletedSecret' ? { error: 'Forbidden', inner: 'ForbiddenByRbac' } : undefined))
    expect(await b.store.describe(id, signal())).toBeUndefined()
    azure.setFault(undefined)
    await azure.owner.purgeDeletedSecret(nameOf(id))
    expect(await b.store.describe(id, signal())).toBeUndefined()
  })

  test('an admin secret is read in one call, whatever its name is', async () => {
    const name = `admin-${'a'.repeat(121)}`
    await azure.create(name, planted('admin').reveal(), {})
    expect(
      await azure.calls(async () => {
        const found = await azure.store.readCurrent(name, signal())
        expect([found.id, found.text.reveal()]).toEqual([`${azure.double.url}/secrets/${name}`, `${PLANTED} admin`])
      })
    ).toEqual([`GetSecret ${name}`])
    await refusal(azure.store.readCurrent('never-made', signal()), 'not-found/secret')
  })

  test('a value that a look brought along is given to the read that follows it, and to no other', async () => {
    const { id, base } = await fresh(b)
    await look(b, id)
    const read = () => azure.calls(async () => void (await b.store.read(id, base, signal())))
    expect(await read()).toEqual([])
    expect(await read()).toEqual([`GetSecret ${nameOf(id)}`])
    await look(b, id)
    let steady = 0
    const other = azure.another({ steadyMs: () => steady })
    await other.describe(id, signal())
    steady += 60_001
    expect(await azure.calls(() => other.read(id, base, signal()))).toHaveLength(1)
  })
})

const DAY_MS = 86_400_000
