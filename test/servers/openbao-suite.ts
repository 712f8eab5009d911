import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Openbao, startOpenbao } from './openbao.ts'
import type { OpenbaoCaller } from './openbao-admin.ts'
import { clientAuthority } from './openbao-certificates.ts'

/** What the tests rely on in OpenBao. */
export function openbaoSuite(): void {
  describe('OpenBao', () => {
    let bao: Openbao
    beforeAll(async () => {
      bao = await startOpenbao()
    })
    afterAll(() => bao.close())

    test('keeps versions in KV v2, and writes them by compare-and-set', async () => {
      await bao.mountKv('kv', { max_versions: 5, cas_required: true })
      const write = (cas: number, word: string) =>
        bao.request('POST', '/v1/kv/data/app', { options: { cas }, data: { word } }).then(({ status }) => status)
      expect([await write(0, 'one'), await write(1, 'two'), await write(1, 'three')]).toEqual([200, 200, 400])
      expect(await bao.request('GET', '/v1/kv/data/app?version=1')).toMatchObject({
        status: 200,
        body: { data: { data: { word: 'one' } } }
      })
      expect(await bao.request('GET', '/v1/kv/data/app')).toMatchObject({
        body: { data: { data: { word: 'two' }, metadata: { version: 2 } } }
      })
    })
    test('answers 503 while it is sealed, and what it kept afterwards', async () => {
      await bao.mountKv('sealed')
      await bao.request('POST', '/v1/sealed/data/app', { data: { word: 'kept' } })
      await bao.seal()
      expect((await bao.request('GET', '/v1/sealed/data/app')).status).toBe(503)
      await bao.unseal()
      expect(await bao.request('GET', '/v1/sealed/data/app')).toMatchObject({
        status: 200,
        body: { data: { data: { word: 'kept' } } }
      })
    })
    test('keeps a namespace apart from the others', async () => {
      const team = await bao.createNamespace('team')
      await team.mountKv('own')
      await team.request('POST', '/v1/own/data/app', { data: { word: 'inside' } })
      expect((await bao.request('GET', '/v1/own/data/app')).status).toBe(404)
      expect((await bao.request('GET', '/v1/team/own/data/app')).status).toBe(200)
    })
    test('lets a client in by a certificate of its authority, and by no other', async () => {
      const [trusted, stranger] = [await clientAuthority('clients'), await clientAuthority('clients')]
      await bao.enableAuth('cert')
      await bao.writePolicy('reader', 'path "kv/data/*" { capabilities = ["read"] }')
      await bao.request('POST', '/v1/auth/cert/certs/app', {
        certificate: trusted.caPem,
        allowed_common_names: 'app',
        token_policies: 'reader'
      })
      const login = async (caller: OpenbaoCaller) =>
        await bao.request('POST', '/v1/auth/cert/login', {}, { token: '', ...caller })
      expect(await login({ identity: await trusted.issue('app') })).toMatchObject({
        status: 200,
        body: { auth: { policies: ['default', 'reader'] } }
      })
      expect((await login({ identity: await trusted.issue('another') })).status).toBe(400)
      expect((await login({ identity: await stranger.issue('app') })).status).toBe(400)
      expect((await login({})).status).toBe(400)
    })
    test('writes every request to the audit file, and no value', async () => {
      await bao.mountKv('audited')
      await bao.request('POST', '/v1/audited/data/app', { data: { word: 'not to be seen' } })
      const lines = readFileSync(bao.auditPath, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { request?: { path?: string } })
      expect(lines.filter(({ request }) => request?.path === 'audited/data/app')).toHaveLength(2)
      expect(readFileSync(bao.auditPath, 'utf8')).not.toContain('not to be seen')
      expect(readFileSync(bao.auditPath, 'utf8')).not.toContain(bao.rootToken)
    })
    test('answers over plain HTTP too', async () => {
      expect((await fetch(`${bao.plainUrl}/v1/sys/health`)).status).toBe(200)
    })
  })
}
