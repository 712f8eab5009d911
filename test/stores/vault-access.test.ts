import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import { type VaultKv, vaultKv } from '../../shared/stores/vault-kv.ts'
import { SecretText } from '../../shared/types.ts'
import { vaultClient } from '../../shared/vault/client.ts'
import { tokenLogin } from '../../shared/vault/login-token.ts'
import { attemptFrom, PLANTED, planted, refusal, signal } from '../conformance/store-harness.ts'
import { startVaultKv } from '../doubles/vault-kv.ts'
import { findOpenbao, type Openbao, startOpenbao } from '../servers/openbao.ts'
import { placeOnOpenbao, policyOf, startVault, storeAt, tokenFor, type VaultHarness } from './vault-harness.ts'

describe('an id in Vault KV', () => {
  const client = vaultClient({ address: 'http://127.0.0.1:9', login: tokenLogin(new SecretText('nobodys')), pausesMs: [] })

  test.each([
    ['data/app/db', /without data\//],
    ['metadata/app/db', /without data\//],
    ['secret/data/app/db', /below the mount secret\//],
    ['keyturn/pending/app/db', /pending values/],
    ['keyturn/pending', /pending values/],
    ['', /single slashes/],
    ['/app', /single slashes/],
    ['app/', /single slashes/],
    ['app//db', /single slashes/],
    ['app/../db', /single slashes/],
    ['app/.', /single slashes/],
    ['app\ndb', /single slashes/],
    [`app/${'x'.repeat(300)}`, /single slashes/]
  ])('%j is refused before anything is asked', async (id, why) => {
    const store = vaultKv({ client })
    const calls = [
      store.describe(id, signal()),
      store.read(id, '1', signal()),
      store.claim(id, attemptFrom('1'), [], signal()),
      store.stage(id, attemptFrom('1'), planted('x'), signal()),
      store.promote(id, attemptFrom('1'), signal()),
      store.drop(id, 'token', signal()),
      store.annotate(id, {}, undefined, signal()),
      store.readCurrent(id, signal())
    ]
    for (const said of await Promise.all(calls.map((call) => call.catch((e: unknown) => e))))
      expect(said).toMatchObject({ code: 'invalid/request', message: expect.stringMatching(why) })
  })

  test('is below a mount that is a path itself', () => {
    for (const settings of [{ mount: '/secret' }, { mount: '' }, { pendingFolder: 'keyturn/' }])
      expect(() => vaultKv({ client, ...settings })).toThrow(KeyturnError)
  })

  test('is not found where nothing answers as KV version 2 does', async () => {
    const double = await startVaultKv({ mount: 'secret', keyturnToken: 'keyturns-token', ownerToken: 'owners' })
    double.setFault(({ op }) => (op === 'GET config' ? { status: 404, error: '' } : undefined))
    const store = storeAt({
      server: double,
      mount: 'secret',
      token: 'keyturns-token',
      owner: async () => ({ status: 0, body: '' }),
      close: double.close
    })
    await refusal(store.describe('app', signal()), 'unsupported/store')
    await double.close()
  })
})

if (findOpenbao())
  describe('who may do what, on OpenBao', () => {
    let openbao: Openbao
    let vault: VaultHarness
    beforeAll(async () => {
      openbao = await startOpenbao()
      vault = await startVault(() => placeOnOpenbao(openbao), [])
    })
    afterAll(async () => {
      await vault?.close()
      await openbao?.close()
    })

    const mount = (): string => vault.place.mount
    let count = 0
    /** The store of somebody whose policy this is. */
    const storeWith = async (policy: string): Promise<VaultKv> => {
      const name = `policy-${++count}`
      await openbao.writePolicy(name, policy)
      return storeAt({ ...vault.place, token: await tokenFor(openbao, name) }, [])
    }
    const create = (name: string) => vault.create(`${name}-${++count}`, `${PLANTED} first`, { kind: 'postgres' })

    /** Everything that the store does, up to what is denied. */
    async function everything(store: VaultKv, id: string): Promise<unknown> {
      const attempt = attemptFrom('1')
      const steps = [
        () => store.describe(id, signal()),
        () => store.claim(id, attempt, [], signal()),
        () => store.stage(id, attempt, planted('second'), signal()),
        () => store.promote(id, attempt, signal()),
        () => store.drop(id, attempt.token, signal()),
        () => store.annotate(id, { owner: 'a' }, undefined, signal())
      ]
      for (const step of steps) await step()
      for await (const _ of store.list(signal()));
      return 'done'
    }

    test('the policy that the documentation names is enough, and none of its lines is too much', async () => {
      const lines = policyOf(mount()).trim().split('\n')
      expect(await everything(await storeWith(lines.join('\n')), await create('all'))).toBe('done')
      await openbao.request('POST', `/v1/${mount()}/config`, { max_versions: 4 })
      const missing: Record<string, unknown> = {}
      for (const line of lines)
        for (const capability of JSON.parse(/\[.*\]/.exec(line)?.[0] ?? '[]') as string[]) {
          const without = line.replace(new RegExp(`"${capability}",? ?`), '')
          const store = await storeWith(lines.map((l) => (l === line ? without : l)).join('\n'))
          const id = await create('one')
          const said = await everything(store, id).catch((e: unknown) => e)
          const path = /"(.*?)"/.exec(line)?.[1] ?? ''
          missing[`${capability} ${path.replace(`${mount()}/`, '')}`] =
            said instanceof KeyturnError
              ? [said.code, said.message.split(';')[0]?.replace(id, 'ID').replace(`${mount()}/`, '')]
              : said
        }
      await openbao.request('POST', `/v1/${mount()}/config`, { max_versions: 0 })
      const needs = (what: string) => ['denied/store', `keyturn’s token needs ${what}`]
      expect(missing).toEqual({
        'read data/*': needs('read on data/ID'),
        'update data/*': needs('update on data/ID'),
        'read metadata/*': needs('read on metadata/ID'),
        'list metadata/*': needs('list on metadata/'),
        'patch metadata/*': needs('patch on metadata/ID'),
        'read data/keyturn/pending/*': needs('read on data/keyturn/pending/ID'),
        'update data/keyturn/pending/*': needs('update on data/keyturn/pending/ID'),
        'create metadata/keyturn/pending/*': needs('create and update on metadata/keyturn/pending/ID'),
        // For the attempt after one that died right after the first of its two calls.
        'update metadata/keyturn/pending/*': 'done',
        'read config': needs('read on config'),
        'update destroy/keyturn/pending/*': needs('update on destroy/keyturn/pending/ID')
      })
    })

    test('a folder that may not be listed is named, after all the others were given', async () => {
      const [open, closed] = [await create('folders/open/app'), await create('folders/closed/app')]
      const store = await storeWith(`${policyOf(mount())}path "${mount()}/metadata/folders/closed/*" { capabilities = ["deny"] }`)
      const found: string[] = []
      const walk = async () => {
        for await (const { name } of store.list(signal())) found.push(name)
      }
      await expect(walk()).rejects.toMatchObject({ code: 'denied/store', message: expect.stringContaining('list on ') })
      await expect(walk()).rejects.toThrow(`${mount()}/metadata/folders/closed/`)
      expect(found).toContain(open)
      expect(found).not.toContain(closed)
    })

    test('whoever may read every secret of an application cannot read its pending value', async () => {
      const id = await create('shop/db')
      await vault.store.stage(id, attemptFrom('1'), planted('second'), signal())
      await openbao.writePolicy('reader', `path "${mount()}/data/shop/*" { capabilities = ["read"] }`)
      const token = await tokenFor(openbao, 'reader')
      const read = (path: string) => openbao.request('GET', `/v1/${mount()}/data/${path}`, undefined, token)
      expect([(await read(id)).status, (await read(`keyturn/pending/${id}`)).status]).toEqual([200, 403])
    })

    test('an application reads a field with the vendor’s own program, before and after a rotation', async () => {
      const document = (password: string) => JSON.stringify({ username: 'app', password, port: 5432 })
      const id = await vault.create('cli/app db', document('the first one'), { kind: 'postgres' })
      const ca = join(dirname(openbao.auditPath), 'ca.pem')
      await writeFile(ca, openbao.caPem)
      const field = async (name: string) => {
        const env = { BAO_ADDR: openbao.url, BAO_TOKEN: openbao.rootToken, BAO_CACERT: ca, HOME: dirname(ca) }
        const args = ['kv', 'get', `-mount=${mount()}`, `-field=${name}`, id]
        return (await promisify(execFile)(findOpenbao() ?? '', args, { env })).stdout
      }
      expect([await field('password'), await field('port')]).toEqual(['the first one', '5432'])
      const attempt = attemptFrom('1')
      await vault.store.stage(id, attempt, new SecretText(document('the second one')), signal())
      expect(await field('password')).toBe('the first one')
      await vault.store.promote(id, attempt, signal())
      expect([await field('password'), await field('port')]).toEqual(['the second one', '5432'])
    })

    test('the store works over verified TLS, and on a mount of version 1 it says what that is', async () => {
      const id = await create('tls')
      const { token } = vault.place
      const client = vaultClient({ address: openbao.url, ca: openbao.caPem, login: tokenLogin(new SecretText(token)) })
      const attempt = attemptFrom('1')
      const store = vaultKv({ client, mount: mount() })
      await store.stage(id, attempt, planted('second'), signal())
      expect(await store.promote(id, attempt, signal())).toMatchObject({ version: '2' })
      await openbao.expect('POST', '/v1/sys/mounts/old', { type: 'kv', options: { version: '1' } })
      const root = tokenLogin(new SecretText(openbao.rootToken))
      const old = vaultKv({ client: vaultClient({ address: openbao.url, ca: openbao.caPem, login: root }), mount: 'old' })
      await refusal(old.describe('app', signal()), 'unsupported/store')
      const none = vaultKv({ client: vaultClient({ address: openbao.url, ca: openbao.caPem, login: root }), mount: 'none' })
      await refusal(none.describe('app', signal()), 'invalid/config')
    })

    test('while Vault is sealed nothing is promoted; the same call does it afterwards', async () => {
      const id = await create('sealed')
      const attempt = attemptFrom('1')
      await vault.store.stage(id, attempt, planted('second'), signal())
      await openbao.seal()
      const said = await vault.store.promote(id, attempt, signal()).catch((e: unknown) => e)
      await openbao.unseal()
      expect(said).toMatchObject({ code: 'unavailable/sealed' })
      await vault.store.promote(id, attempt, signal())
      expect(await vault.ordinaryRead(id)).toBe(`${PLANTED} second`)
    })
  })
