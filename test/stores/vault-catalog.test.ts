import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SecretCatalog } from '../../shared/ports/secret-store.ts'
import { vaultKv } from '../../shared/stores/vault-kv.ts'
import { SecretText } from '../../shared/types.ts'
import { vaultClient } from '../../shared/vault/client.ts'
import { tokenLogin } from '../../shared/vault/login-token.ts'
import { attemptFrom, type Bench, bench, fresh, look, PLANTED, planted, refusal, signal } from '../conformance/store-harness.ts'
import { places, startVault, storeAt, type VaultHarness } from './vault-harness.ts'

describe.each(places)('the catalog of Vault KV v2 on %s', (_, start) => {
  let vault: VaultHarness
  let b: Bench
  beforeAll(async () => {
    vault = await startVault(start, [])
    b = bench(vault)
  })
  afterAll(() => vault?.close())

  const owner = (method: string, path: string, body?: unknown) => vault.place.owner(method, path, body)
  const listed = async (store: SecretCatalog): Promise<readonly string[]> => {
    const found: string[] = []
    for await (const { id } of store.list(signal())) found.push(id)
    return found
  }

  test('metadata that Vault would not keep, or not for long, are refused before they are sent', async () => {
    const { id } = await fresh(b)
    await refusal(b.store.annotate(id, { owner: '' }, undefined, signal()), 'invalid/metadata')
    const custom = Object.fromEntries(Array.from({ length: 63 }, (_, n) => [`theirs-${n}`, 'v']))
    await owner('POST', `metadata/${id}`, { custom_metadata: { ...custom, 'keyturn:kind': 'postgres' } })
    await refusal(b.store.annotate(id, { owner: 'a' }, undefined, signal()), 'invalid/metadata')
    await b.store.annotate(id, { kind: 'api-key' }, undefined, signal())
    await b.store.annotate(id, { kind: null, owner: 'a' }, undefined, signal())
    expect((await look(b, id)).metadata).toEqual({ owner: 'a' })
  })

  test('metadata whose answer was lost are written again, because that does no harm', async () => {
    const { id } = await fresh(b)
    let count = 0
    vault.place.server.setFault(({ op }) => (op === 'PATCH metadata' && count++ === 0 ? 'lost' : undefined))
    await storeAt(vault.place, [1]).annotate(id, { owner: 'a' }, undefined, signal())
    vault.place.server.setFault(undefined)
    expect([count, (await look(b, id)).metadata.owner]).toEqual([2, 'a'])
  })

  test('finds secrets in every folder, also below the name of another secret, and never a pending value', async () => {
    const top = `top-${randomUUID().slice(0, 8)}`
    const ids = [top, `${top}/a b`, `${top}/a b/ü?`, `${top}/c/d/e/f`]
    for (const id of ids) await vault.create(id, `${PLANTED} first`, { kind: 'postgres' })
    for (const id of ids) await b.store.stage(id, attemptFrom('1'), planted('second'), signal())
    const found = await listed(b.store)
    expect(found.filter((id) => id.includes(top)).sort()).toEqual([...ids].sort())
    for (const id of found) expect((await look(b, id)).id).toBe(id)
  })

  test('leaves pending values out wherever they are kept', async () => {
    const { id, base } = await fresh(b)
    const { server, mount, token, openbao } = vault.place
    // Keyturn's own policy is for the default folder.
    const login = tokenLogin(new SecretText(openbao?.rootToken ?? token))
    const client = vaultClient({ address: server.url, login })
    const store = vaultKv({ client, mount, pendingFolder: 'elsewhere' })
    await store.stage(id, attemptFrom(base), planted('second'), signal())
    expect((await owner('GET', `data/elsewhere/${id}`)).status).toBe(200)
    await owner('PATCH', `metadata/elsewhere/${id}`, { custom_metadata: { 'keyturn:kind': 'postgres' } })
    expect((await listed(store)).filter((name) => name.endsWith(id))).toEqual([id])
    expect((await store.describe(id, signal()))?.pendings).toHaveLength(1)
    expect((await look(b, id)).pendings).toEqual([])
  })

  test('of a mount with nothing in it is empty', async () => {
    const empty = await startVault(start)
    expect(await listed(empty.store)).toEqual([])
    await empty.close()
  })
})
