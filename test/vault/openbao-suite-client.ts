import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SecretText } from '../../shared/types.ts'
import { type VaultClient, type VaultSettings, vaultClient } from '../../shared/vault/client.ts'
import type { VaultLogin } from '../../shared/vault/login.ts'
import { appRoleLogin } from '../../shared/vault/login-approle.ts'
import { tokenLogin } from '../../shared/vault/login-token.ts'
import { type Openbao, startOpenbao } from '../servers/openbao.ts'
import type { OpenbaoAdmin } from '../servers/openbao-admin.ts'
import { expectSilent, failure, signal } from './vault-world.ts'

const POLICY = 'path "secret/*" { capabilities = ["create", "update", "read", "list", "delete", "patch"] }'

/** What the double of failures is taken from, on the real server. */
export function openbaoClient(): void {
  describe('a client of a real OpenBao', () => {
    let bao: Openbao
    let login: VaultLogin
    let client: VaultClient
    beforeAll(async () => {
      bao = await startOpenbao()
      login = await roleIn(bao)
      client = of(login)
    })
    afterAll(() => bao.close())

    const of = (by: VaultLogin, more: Partial<VaultSettings> = {}): VaultClient =>
      vaultClient({ address: bao.url, ca: bao.caPem, login: by, pausesMs: [1, 1, 1], ...more })
    const write = (cas: number, word = 'planted-value', by = client) =>
      by.call({ method: 'POST', path: 'secret/data/app', body: { options: { cas }, data: { word } } }, signal())
    const accessors = async (): Promise<readonly string[]> => {
      const { body } = await bao.request('LIST', '/v1/auth/token/accessors')
      return (body as { data: { keys: string[] } }).data.keys
    }

    test('writes, reads, patches, lists and deletes', async () => {
      expect(await write(0)).toMatchObject({ status: 200, body: { data: { version: 1 } } })
      const read = await client.call({ method: 'GET', path: 'secret/data/app' }, signal())
      expect(read).toMatchObject({ status: 200, body: { data: { data: { word: 'planted-value' }, metadata: { version: 1 } } } })
      expect(Math.abs(read.date - Date.now())).toBeLessThan(60_000)
      const contentType = 'application/merge-patch+json'
      const metadata = {
        method: 'PATCH',
        path: 'secret/metadata/app',
        body: { custom_metadata: { kind: 'x' } },
        contentType
      } as const
      expect((await client.call(metadata, signal())).status).toBeLessThan(300)
      const listed = await client.call({ method: 'LIST', path: 'secret/metadata' }, signal())
      expect(listed.body).toMatchObject({ data: { keys: ['app'] } })
      const deleted = await client.call({ method: 'DELETE', path: 'secret/data/app' }, signal())
      expect(deleted).toMatchObject({ status: 204, body: undefined })
    })

    test('gets 404 with the metadata of a version that was deleted, and without for nothing', async () => {
      const gone = await client.call({ method: 'GET', path: 'secret/data/app' }, signal())
      expect(gone).toMatchObject({ status: 404, body: { data: { data: null, metadata: { version: 1 } } } })
      const none = await client.call({ method: 'GET', path: 'secret/data/none' }, signal())
      expect(none).toMatchObject({ status: 404, body: { errors: [] } })
      const empty = await client.call({ method: 'LIST', path: 'secret/metadata/none' }, signal())
      expect(empty).toMatchObject({ status: 404, body: { errors: [] } })
    })

    test('knows a check-and-set that failed from every other 400', async () => {
      const error = await failure(write(0, 'planted-again'))
      expect(error).toMatchObject({ code: 'conflict/current-moved', vendor: 'check-and-set' })
      expectSilent(error, 'planted-again')
      const wrong = { method: 'POST', path: 'secret/data/app', body: { options: { cas: 'planted-text' }, data: {} } } as const
      const other = await failure(client.call(wrong, signal()))
      expect(other).toMatchObject({ code: 'invalid/request', vendor: '400' })
      expectSilent(other, 'planted-text')
      const stale = {
        method: 'POST',
        path: 'secret/metadata/app',
        body: { metadata_cas: 99, custom_metadata: { a: 'b' } }
      } as const
      expect(await failure(client.call(stale, signal()))).toMatchObject({ code: 'conflict/metadata-changed' })
    })

    test('is told what is mounted nowhere from what is not there', async () => {
      const root = of(tokenLogin(new SecretText(bao.rootToken)))
      const error = await failure(root.call({ method: 'GET', path: 'nowhere/data/app' }, signal()))
      expect(error).toMatchObject({ code: 'invalid/config', vendor: 'no handler' })
      const lost = of(tokenLogin(new SecretText(bao.rootToken)), { namespace: 'nowhere' })
      expect(await failure(lost.call({ method: 'GET', path: 'secret/data/app' }, signal()))).toMatchObject({
        code: 'invalid/config'
      })
      const accessor = { method: 'POST', path: 'auth/token/lookup-accessor', body: { accessor: 'none' } } as const
      expect(await failure(root.call(accessor, signal()))).toMatchObject({ code: 'invalid/request', vendor: 'invalid accessor' })
      expect(await failure(root.call({ method: 'DELETE', path: 'sys/seal-status' }, signal()))).toMatchObject({
        code: 'unsupported/store'
      })
    })

    test('is denied what its policies do not allow, and keeps its token', async () => {
      await client.call({ method: 'GET', path: 'secret/data/app' }, signal())
      const before = await accessors()
      for (const path of ['sys/mounts', 'other/data/app', 'secretive/data/app'])
        expect(await failure(client.call({ method: 'GET', path }, signal()))).toMatchObject({ code: 'denied/store' })
      expect(await accessors()).toEqual(before)
    })

    test('logs in again when its token was revoked meanwhile, for a write too', async () => {
      const own = of(login)
      const before = await accessors()
      await own.call({ method: 'GET', path: 'secret/data/app' }, signal())
      const [accessor] = (await accessors()).filter((one) => !before.includes(one))
      await bao.expect('POST', '/v1/auth/token/revoke-accessor', { accessor })
      expect(await write(1, 'after', own)).toMatchObject({ status: 200 })
      await own.end(signal())
      expect(await accessors()).toEqual(before)
    })

    test('does not mind that its token is gone already at the end', async () => {
      const own = of(login)
      await own.call({ method: 'GET', path: 'secret/data/app' }, signal())
      await own.call({ method: 'POST', path: 'auth/token/revoke-self' }, signal())
      await own.end(signal())
    })

    test('may be used up by its number of uses, and logs in again', async () => {
      const twice = await roleIn(bao, { token_num_uses: 2 })
      const own = of(twice)
      for (let n = 0; n < 5; n++)
        expect(await own.call({ method: 'GET', path: 'secret/data/app' }, signal())).toMatchObject({ status: 200 })
      await own.end(signal())
    })

    test('is slowed down by a quota, and waits', async () => {
      await bao.mountKv('narrow')
      await bao.expect('POST', '/v1/sys/quotas/rate-limit/narrow', { path: 'narrow/', rate: 1, interval: '3600s' })
      const root = of(tokenLogin(new SecretText(bao.rootToken)))
      const look = () => root.call({ method: 'GET', path: 'narrow/data/app' }, signal())
      expect(await look()).toMatchObject({ status: 404 })
      expect(await failure(look())).toMatchObject({ code: 'throttled/store' })
      await bao.expect('DELETE', '/v1/sys/quotas/rate-limit/narrow')
      expect(await look()).toMatchObject({ status: 404 })
    })

    test('works in a namespace, and in no other', async () => {
      const team = await bao.createNamespace('team')
      const inside = of(await roleIn(team), { namespace: 'team' })
      expect(await write(0, 'inside', inside)).toMatchObject({ status: 200 })
      expect((await team.request('GET', '/v1/secret/data/app')).status).toBe(200)
      const outside = of(await roleIn(team))
      expect(await failure(write(0, 'outside', outside))).toMatchObject({ code: 'denied/store' })
      await inside.end(signal())
    })

    test('is told that Vault is sealed, and goes on when it is not any more', async () => {
      await client.call({ method: 'GET', path: 'secret/data/app' }, signal())
      await bao.seal()
      expect(await failure(write(2))).toMatchObject({ code: 'unavailable/sealed', retryable: true })
      expect(await failure(of(login).call({ method: 'GET', path: 'secret/data/app' }, signal()))).toMatchObject({
        code: 'unavailable/sealed'
      })
      await client.end(AbortSignal.timeout(1_000))
      await bao.unseal()
      expect(await client.call({ method: 'GET', path: 'secret/data/app' }, signal())).toMatchObject({ status: 200 })
    })
  })
}

let roles = 0

/** An AppRole that may work in the mount `secret`, which it makes where there is none. */
async function roleIn(admin: OpenbaoAdmin, more: object = {}): Promise<VaultLogin> {
  const name = `role-${++roles}`
  const methods = (await admin.request('GET', '/v1/sys/auth')).body as { data: object }
  if (!('approle/' in methods.data)) {
    await admin.enableAuth('approle')
    await admin.mountKv('secret')
    await admin.writePolicy('writer', POLICY)
  }
  const at = `/v1/auth/approle/role/${name}`
  await admin.expect('POST', at, { token_policies: 'writer', token_ttl: '1h', ...more })
  const [role, secret] = [await admin.request('GET', `${at}/role-id`), await admin.request('POST', `${at}/secret-id`)]
  const { role_id: roleId } = (role.body as { data: { role_id: string } }).data
  const { secret_id: secretId } = (secret.body as { data: { secret_id: string } }).data
  return appRoleLogin({ roleId, secretId: async () => new SecretText(secretId) })
}
