import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import type { SecretId } from '../../shared/types.ts'
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
import { places, startVault, storeAt, type VaultHarness } from './vault-harness.ts'

describe.each(places)('settings that take values from readers, on %s', (_, start) => {
  let vault: VaultHarness
  let b: Bench
  beforeAll(async () => {
    vault = await startVault(start)
    b = bench(vault)
  })
  afterAll(() => vault?.close())

  const owner = (method: string, path: string, body?: unknown) => vault.place.owner(method, path, body)
  /** The mount with other settings for a while, and a process that has not seen it before. */
  async function under(config: object, work: (b: Bench) => Promise<void>): Promise<void> {
    await owner('POST', 'config', config)
    try {
      await work(bench({ ...vault, store: vault.another() }))
    } finally {
      await owner('POST', 'config', { max_versions: 0, delete_version_after: '0s' })
    }
  }
  /** The code and the message of what is refused. */
  const said = (work: Promise<unknown>): Promise<readonly [string, string]> =>
    work.then(
      () => ['done', ''],
      (e: unknown) => (e instanceof KeyturnError ? [e.code, e.message] : [String(e), ''])
    )
  const nothingIsPending = async (id: SecretId) => expect((await owner('GET', `data/keyturn/pending/${id}`)).status).toBe(404)

  test('the mount’s delete_version_after is refused by every look, with the command that ends it', async () => {
    const { id, base } = await fresh(b)
    await under({ delete_version_after: '1h' }, async ({ store }) => {
      const stage = () => store.stage(id, attemptFrom(base), planted('x'), signal())
      for (const work of [() => store.describe(id, signal()), stage]) {
        const [code, message] = await said(work())
        expect(code).toBe('unsupported/store')
        expect(message).toContain(`vault write ${vault.place.mount}/config delete_version_after=0s`)
      }
      await nothingIsPending(id)
    })
    await b.store.stage(id, attemptFrom(base), planted('x'), signal())
  })

  test('a path’s is refused before anything is staged, and the list says it after all others', async () => {
    const { id, base } = await fresh(b)
    const { id: other } = await fresh(b)
    await owner('POST', `metadata/${id}`, { delete_version_after: '90s' })
    const [code, message] = await said(b.store.stage(id, attemptFrom(base), planted('x'), signal()))
    expect([code, message]).toEqual(['unsupported/store', expect.stringContaining(`-delete-version-after=0s ${id}`)])
    await nothingIsPending(id)
    const found: string[] = []
    const walk = async () => {
      for await (const { name } of b.store.list(signal())) found.push(name)
    }
    await refusal(walk(), 'unsupported/store')
    expect(found).toContain(other)
    expect(found).not.toContain(id)
    await owner('POST', `metadata/${id}`, { delete_version_after: '0s' })
    await b.store.stage(id, attemptFrom(base), planted('x'), signal())
  })

  test('a path’s is refused before anything is promoted, also where a look brought the value along', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    await b.store.stage(id, attempt, planted('x'), signal())
    await owner('POST', `metadata/${id}`, { delete_version_after: '90s' })
    const store = vault.another()
    expect((await store.describe(id, signal()))?.pendings).toHaveLength(1)
    await refusal(store.promote(id, attempt, signal()), 'unsupported/store')
    expect(await vault.ordinaryRead(id)).toBe(`${PLANTED} first`)
    await owner('POST', `metadata/${id}`, { delete_version_after: '0s' })
  })

  test('a path’s is nothing where the mount’s is negative: then no version is ever deleted', async () => {
    const { id, base } = await fresh(b)
    await owner('POST', `metadata/${id}`, { delete_version_after: '90s' })
    await under({ delete_version_after: '-1s' }, async ({ store }) => {
      await store.stage(id, attemptFrom(base), planted('x'), signal())
    })
    await owner('POST', `metadata/${id}`, { delete_version_after: '0s' })
  })

  test('the mount’s, set after this process read it, shows in the answer of the stage: nothing is promoted', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    await owner('POST', 'config', { delete_version_after: '1h' })
    await refusal(b.store.stage(id, attempt, planted('second'), signal()), 'unsupported/store')
    await refusal(b.store.promote(id, attempt, signal()), 'unsupported/store')
    expect(await vault.ordinaryRead(id)).toBe(`${PLANTED} first`)
    await owner('POST', 'config', { delete_version_after: '0s' })
    await b.store.promote(id, attempt, signal())
    expect(await look(b, id)).toMatchObject({ currentToken: attempt.token, previous: base })
  })

  test('the mount’s, set between stage and promote, is said by the promote and by every look until it is undone', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    await b.store.stage(id, attempt, planted('second'), signal())
    await owner('POST', 'config', { delete_version_after: '1h' })
    const [code, message] = await said(b.store.promote(id, attempt, signal()))
    expect([code, message]).toEqual(['unsupported/store', expect.stringContaining(`-versions=2 ${id}`)])
    await owner('POST', 'config', { delete_version_after: '0s' })
    for (const again of [b.store, vault.another()]) await refusal(again.describe(id, signal()), 'unsupported/store')
    await owner('POST', `undelete/${id}`, { versions: [2] })
    expect(await look(b, id)).toMatchObject({ currentToken: attempt.token, previous: base })
  })

  test('fewer than three versions are refused, whoever limits them; of two limits the greater counts', async () => {
    const { id, base } = await fresh(b)
    const limits = async (path: number, mount: number): Promise<string> => {
      await owner('POST', `metadata/${id}`, { max_versions: path })
      let code = ''
      await under({ max_versions: mount }, async ({ store }) => {
        const attempt = attemptFrom(base)
        ;[code] = await said(store.stage(id, attempt, planted(attempt.token), signal()))
        if (code === 'done') await store.drop(id, attempt.token, signal())
      })
      return code
    }
    const refused = [await limits(2, 0), await limits(0, 2), await limits(1, 2)]
    expect(refused).toEqual(['unsupported/store', 'unsupported/store', 'unsupported/store'])
    expect([await limits(3, 0), await limits(0, 3), await limits(1, 3), await limits(0, 0)]).toEqual(Array(4).fill('done'))
  })

  test('a current version that was destroyed is disabled, an older one that was deleted has no value', async () => {
    const { id, base, current } = await rotated(b)
    await owner('POST', `delete/${id}`, { versions: [Number(base)] })
    expect(await b.store.read(id, base, signal())).toBeUndefined()
    expect((await look(b, id)).current).toBe(current)
    await owner('POST', `destroy/${id}`, { versions: [Number(current)] })
    await refusal(vault.another().read(id, current, signal()), 'disabled/secret')
    await refusal(b.store.describe(id, signal()), 'disabled/secret')
    await refusal(vault.store.readCurrent(id, signal()), 'disabled/secret')
    const others = await fresh(b)
    const listed: string[] = []
    const walk = async () => {
      for await (const { name } of b.store.list(signal())) listed.push(name)
    }
    // Its readers find nothing: that must not be a secret which simply is not there.
    await refusal(walk(), 'disabled/secret')
    expect([listed.includes(id), listed.includes(others.id)]).toEqual([false, true])
    await owner('POST', `metadata/${id}`, { custom_metadata: {} })
  })

  test('a path that has metadata and no version yet is no secret', async () => {
    const id = `empty-${randomUUID().slice(0, 8)}`
    await owner('POST', `metadata/${id}`, { custom_metadata: { 'keyturn:kind': 'postgres' } })
    expect(await b.store.describe(id, signal())).toBeUndefined()
    await refusal(b.store.claim(id, attemptFrom('1'), [], signal()), 'not-found/secret')
    await refusal(vault.store.readCurrent(id, signal()), 'not-found/secret')
    for await (const { name } of b.store.list(signal())) expect(name).not.toBe(id)
  })

  test('a mount that is not there is said', async () => {
    const nowhere = { ...vault.place, mount: 'nowhere' }
    await refusal(storeAt(nowhere).describe('app', signal()), 'invalid/config', 'denied/store')
  })
})
