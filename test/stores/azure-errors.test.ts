import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KeyturnError } from '../../shared/errors.ts'
import { journalRefusal } from '../../shared/stores/azure-errors.ts'
import {
  attemptFrom,
  type Bench,
  bench,
  expectSilence,
  fresh,
  look,
  PLANTED,
  planted,
  refusal,
  signal
} from '../conformance/store-harness.ts'
import type { VendorFault } from '../doubles/key-vault.ts'
import { startBlobs } from './azure-blobs.ts'
import { type AzureHarness, nameOf, startAzure } from './azure-harness.ts'

describe('what Azure says', () => {
  let blobs: Awaited<ReturnType<typeof startBlobs>>
  let azure: AzureHarness
  let b: Bench
  beforeAll(async () => {
    blobs = await startBlobs()
    azure = await startAzure({ blobs: async () => blobs })
    b = bench(azure)
  })
  afterAll(() => azure?.close())
  const thrown = async (work: Promise<unknown>): Promise<KeyturnError> => (await work.catch((e: unknown) => e)) as KeyturnError

  const READS: readonly (readonly [fault: VendorFault, code: string, says: RegExp])[] = [
    [
      { error: 'Forbidden', inner: 'ForbiddenByRbac' },
      'denied/store',
      /vaults\/secrets\/getSecret\/action \(access policy: get\)/
    ],
    [{ error: 'Forbidden', inner: 'ForbiddenByPolicy' }, 'denied/store', /access policy: get/],
    [{ error: 'Forbidden', inner: 'ForbiddenByFirewall' }, 'denied/store', /firewall/],
    [{ error: 'Forbidden', inner: 'ForbiddenByConnection' }, 'denied/store', /private endpoint/],
    [{ error: 'Forbidden', inner: 'SomethingNew' }, 'denied/store', /getSecret/],
    [{ error: 'Forbidden', inner: 'SecretDisabled' }, 'disabled/secret', /enable it/],
    [{ error: 'BadParameter' }, 'invalid/request', /BadParameter/],
    [{ error: 'Unauthorized' }, 'denied/store', /token/],
    // Only SecretNotFound is the vault's word that there is no such secret.
    [{ error: 'NotFound', status: 404 }, 'invalid/config', /NotFound/],
    [{ error: 'Throttled', retryAfterSeconds: 0 }, 'throttled/store', /Throttled/],
    [{ error: 'InternalServerError', status: 500 }, 'unavailable/store', /InternalServerError/],
    [{ error: 'SomethingNew', status: 418 }, 'bug/internal', /SomethingNew/]
  ]
  test.each(READS)('to a read, %j, is %s', async (fault, code, says) => {
    const { id } = await fresh(b)
    azure.setFault(() => fault)
    const said = await thrown(b.store.describe(id, signal()))
    azure.setFault(undefined)
    expect(said).toMatchObject({ code, message: expect.stringMatching(says), vendor: fault.inner ?? fault.error })
    expect(said.message).not.toContain('by the fault hook')
  })

  test.each([
    ['SetSecret', /setSecret\/action \(access policy: set\)/],
    ['UpdateSecret', /update\/action \(access policy: set\)/],
    ['GetSecrets', /readMetadata\/action \(access policy: list\)/],
    ['GetSecretVersions', /readMetadata\/action \(access policy: list\)/]
  ])('of a missing permission for %s names the permission', async (op, says) => {
    const { id, base } = await fresh(b)
    await azure.owner.setSecret(nameOf(id), `${PLANTED} a person was here`, { tags: { keyturn: 'kind=postgres' } })
    azure.setFault((call) => (call.op === op ? { error: 'Forbidden', inner: 'ForbiddenByRbac' } : undefined))
    const work = async () => {
      await azure.another().describe(id, signal())
      await azure.another().stage(id, attemptFrom(base), planted('x'), signal())
      await azure.another().annotate(id, { owner: 'a' }, undefined, signal())
      for await (const _ of azure.another().list(signal()));
    }
    const said = await thrown(work())
    azure.setFault(undefined)
    expect(said).toMatchObject({ code: 'denied/store', message: expect.stringMatching(says) })
  })

  test('while a failover makes the vault read-only is that it cannot be reached, never that something is gone', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    azure.double.setReadOnly(true)
    expect((await look(b, id)).current).toBe(base)
    await refusal(b.store.stage(id, attempt, planted('second'), signal()), 'unavailable/store')
    await refusal(b.store.annotate(id, { owner: 'a' }, undefined, signal()), 'unavailable/store')
    azure.double.setReadOnly(false)
    await azure.blobs.advance(10_000)
    await b.store.stage(id, attempt, planted('second'), signal())
    azure.double.setReadOnly(true)
    await refusal(b.store.promote(id, attempt, signal()), 'unavailable/store')
    azure.double.setReadOnly(false)
    expect((await look(b, id)).pendings).toMatchObject([{ token: attempt.token }])
  })

  test.each(['lost', 'before', { error: 'ServiceUnavailable' }] as const)(
    'to a write is asked once: %j, and it is not sent again, nor taken for not done',
    async (fault) => {
      const { id, base } = await fresh(b)
      const attempt = attemptFrom(base)
      await b.store.stage(id, attempt, planted('second'), signal())
      azure.setFault(({ op, name }) => (op === 'SetSecret' && name === nameOf(id) ? fault : undefined))
      const sent = await azure.calls(() => refusal(b.store.promote(id, attempt, signal()), 'unavailable/store'))
      azure.setFault(undefined)
      expect(sent.filter((call) => call === `SetSecret ${nameOf(id)}`)).toHaveLength(1)
      await azure.blobs.advance(10_000)
      await b.store.promote(id, attempt, signal())
      expect(azure.double.versions(nameOf(id))).toHaveLength(2)
      expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} second`)
    }
  )

  test('of a write that was throttled was not done, and it is sent again, after the pause that the vault names or one of ours', async () => {
    const { id, base } = await fresh(b)
    for (const fault of [{ error: 'Throttled', retryAfterSeconds: 0 }, { error: 'Throttled' }]) {
      const attempt = attemptFrom((await look(b, id)).current ?? base)
      await b.store.stage(id, attempt, planted(attempt.token), signal())
      let isFirst = true
      azure.setFault(({ op }) => {
        if (!isFirst || op !== 'SetSecret') return undefined
        isFirst = false
        return fault
      })
      await b.store.promote(id, attempt, signal())
      await b.store.drop(id, attempt.token, signal())
      azure.setFault(undefined)
    }
    expect(azure.double.versions(nameOf(id))).toHaveLength(3)
  })

  test('of a refused write frees the journal: nobody waits for what was not done', async () => {
    const { id, base } = await fresh(b)
    azure.setFault(({ op }) => (op === 'SetSecret' ? { error: 'Forbidden', inner: 'ForbiddenByRbac' } : undefined))
    await refusal(b.store.stage(id, attemptFrom(base), planted('second'), signal()), 'denied/store')
    azure.setFault(undefined)
    const next = attemptFrom(base)
    await b.store.stage(id, next, planted('second'), signal())
    expect((await look(b, id)).pendings).toMatchObject([{ token: next.token }])
  })

  test('nothing, in the time that a request has, is no answer', async () => {
    const { id, base } = await fresh(b)
    let go = (): void => {}
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    azure.setFault(() => gate.then(() => 'before' as const))
    const impatient = azure.another({ requestTimeoutMs: 100 })
    await refusal(impatient.describe(id, signal()), 'unavailable/store')
    await refusal(impatient.annotate(id, { owner: 'a' }, undefined, signal()), 'unavailable/store')
    azure.setFault(undefined)
    go()
    expect(await look(b, id)).toMatchObject({ current: base, metadata: { kind: 'postgres' } })
  })

  test('nothing, because there is no token, is denied, for the vault and for the journal', async () => {
    const { id, base } = await fresh(b)
    const none = {
      getToken: async () => {
        throw Object.assign(new Error('planted-7f3a9c'), { name: 'CredentialUnavailableError' })
      }
    }
    await refusal(azure.another({ credential: none }).describe(id, signal()), 'denied/store')
    const { containerUrl } = azure.blobs
    const journal = { containerUrl, credential: none }
    await refusal(azure.another({ journal }).stage(id, attemptFrom(base), planted('x'), signal()), 'denied/store')
  })

  test.each([
    [409, 'SomethingNew', 'unavailable/store'],
    [412, 'ConditionNotMet', 'unavailable/store'],
    [409, 'BlobImmutableDueToPolicy', 'invalid/config'],
    [409, 'LeaseAlreadyPresent', 'busy/claimed'],
    [503, 'ServerBusy', 'throttled/store'],
    [418, 'SomethingNew', 'bug/internal']
  ])('of the journal with %i %s is %s, and never that a secret is disabled', (status, vendor, code) => {
    const said = journalRefusal(status, vendor, 'vault/app.json')
    expect(said).toMatchObject({ code, vendor, message: expect.stringContaining('the journal vault/app.json') })
  })

  test('of the journal’s missing role names the role', async () => {
    const { id, base } = await fresh(b)
    blobs.deny('keyturn', true)
    const said = await thrown(b.store.stage(id, attemptFrom(base), planted('x'), signal()))
    const again = await thrown(b.store.promote(id, attemptFrom(base), signal()))
    blobs.deny('keyturn', false)
    for (const e of [said, again])
      expect(e).toMatchObject({ code: 'denied/store', message: expect.stringContaining('Storage Blob Data Contributor') })
  })

  test('never gets into an error of ours with a value in it', async () => {
    expectSilence(b.heard)
    expect(b.heard.length).toBeGreaterThan(10)
    expect(inspect(azure.store, { depth: 5, showHidden: true })).not.toContain(PLANTED)
  })
})
