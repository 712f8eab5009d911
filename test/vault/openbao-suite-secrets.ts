import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SecretText } from '../../shared/types.ts'
import { appRoleLogin } from '../../shared/vault/login-approle.ts'
import { certLogin } from '../../shared/vault/login-cert.ts'
import { tokenLogin } from '../../shared/vault/login-token.ts'
import { askHttps } from '../servers/cloud-https.ts'
import { clientAuthority } from '../servers/openbao-certificates.ts'
import { type OpenbaoWorld, startWorld, WRITE } from './openbao-world.ts'
import { expectSilent, failure, signal } from './vault-world.ts'

/** The logins by something that somebody keeps, against the real server. */
export function openbaoSecrets(): void {
  describe('on a real OpenBao', () => {
    let world: OpenbaoWorld
    beforeAll(async () => {
      world = await startWorld()
    })
    afterAll(() => world.bao.close())

    describe('the login approle', () => {
      const text = (value: string) => async () => new SecretText(value)
      let roleId: string
      beforeAll(async () => {
        await world.bao.enableAuth('approle')
        await world.bao.expect('POST', '/v1/auth/approle/role/rotation', { token_policies: 'writer', token_ttl: '1h' })
        roleId = (await world.dataOf('GET', 'auth/approle/role/rotation/role-id')).role_id ?? ''
      })
      const secretId = async () => (await world.dataOf('POST', 'auth/approle/role/rotation/secret-id')).secret_id ?? ''
      const wrapped = async (path: string, body: unknown = {}): Promise<string> => {
        const headers = { 'x-vault-token': world.bao.rootToken, 'x-vault-wrap-ttl': '60s' }
        const question = {
          method: 'POST',
          url: `${world.bao.url}/v1/${path}`,
          headers,
          body: JSON.stringify(body),
          caPem: world.bao.caPem
        }
        return (JSON.parse((await askHttps(question)).text) as { wrap_info: { token: string } }).wrap_info.token
      }

      test('works, and its token is revoked at the end', async () => {
        await world.worksAndEnds(appRoleLogin({ roleId, secretId: text(await secretId()) }))
      })
      test('works at another mount', async () => {
        await world.bao.enableAuth('approle', 'teams/approle')
        const at = 'auth/teams/approle/role/rotation'
        await world.bao.expect('POST', `/v1/${at}`, {
          token_policies: 'writer',
          bind_secret_id: false,
          secret_id_bound_cidrs: '127.0.0.1/32'
        })
        const { role_id: other = '' } = await world.dataOf('GET', `${at}/role-id`)
        await world.worksAndEnds(appRoleLogin({ roleId: other, mount: 'teams/approle' }))
      })
      test('with a wrong secret_id is denied, and says nothing of it', async () => {
        expectSilent(await world.denied(appRoleLogin({ roleId, secretId: text('planted-secret-id') })), 'planted-secret-id')
      })
      test('opens a wrapped secret_id once, and keeps it for the next login', async () => {
        const token = await wrapped('auth/approle/role/rotation/secret-id')
        const login = appRoleLogin({ roleId, secretId: text(token), isWrapped: true })
        await world.worksAndEnds(login)
        await world.worksAndEnds(login)
      })
      test('with a wrapping token that was opened before is denied: the secret_id may have leaked', async () => {
        const token = await wrapped('auth/approle/role/rotation/secret-id')
        await world.bao.request('POST', '/v1/sys/wrapping/unwrap', {}, token)
        const error = await world.denied(appRoleLogin({ roleId, secretId: text(token), isWrapped: true }))
        expect(error.message).toContain('leaked')
        expectSilent(error, token)
      })
      test('does not open a wrapping token that something else made', async () => {
        const planted = await wrapped('sys/wrapping/wrap', { secret_id: await secretId() })
        const error = await world.denied(appRoleLogin({ roleId, secretId: text(planted), isWrapped: true }))
        expect(error.message).toContain('find out who')
        expectSilent(error, planted)
      })
      test('may give a batch token, which is used and left to end', async () => {
        await world.bao.expect('POST', '/v1/auth/approle/role/batch', {
          token_policies: 'writer',
          token_ttl: '1h',
          token_type: 'batch'
        })
        const { role_id: batch = '' } = await world.dataOf('GET', 'auth/approle/role/batch/role-id')
        const { secret_id: secret = '' } = await world.dataOf('POST', 'auth/approle/role/batch/secret-id')
        const vault = world.client(appRoleLogin({ roleId: batch, secretId: text(secret) }))
        expect(await vault.call(WRITE, signal())).toMatchObject({ status: 200 })
        await vault.end(signal())
      })
      test('where nothing is mounted is denied like a wrong secret_id, so the message names the mount', async () => {
        const error = await world.denied(appRoleLogin({ roleId, mount: 'nowhere' }))
        expect(error.message).toMatch(/auth\/nowhere\/login.*mount/)
      })
    })

    describe('the login cert', () => {
      const authority = clientAuthority('keyturn clients')
      const stranger = clientAuthority('strangers')
      beforeAll(async () => {
        await world.bao.enableAuth('cert')
        const role = { certificate: (await authority).caPem, allowed_common_names: 'rotation', token_policies: 'writer' }
        await world.bao.expect('POST', '/v1/auth/cert/certs/rotation', { ...role, token_ttl: '1h' })
      })
      const certificate = async (by = authority, name = 'rotation') => {
        const { cert, key } = await (await by).issue(name)
        return { clientCertificate: { cert, key: new SecretText(key) } }
      }

      test('works, and its token is revoked at the end', async () => {
        await world.worksAndEnds(certLogin({ role: 'rotation' }), await certificate())
      })
      test('takes the first role that the certificate matches', async () => {
        await world.worksAndEnds(certLogin(), await certificate())
      })
      test('with another name in the certificate is denied', async () => {
        await world.denied(certLogin({ role: 'rotation' }), await certificate(authority, 'other'))
      })
      test('with a certificate of another authority is denied', async () => {
        await world.denied(certLogin({ role: 'rotation' }), await certificate(stranger))
      })
      test('without a certificate is a wrong setting', () => {
        expect(() => world.client(certLogin())).toThrow(expect.objectContaining({ code: 'invalid/config' }))
      })
      test('with a key that is not the certificate’s is a wrong setting, and says nothing of it', async () => {
        const [one, two] = [await certificate(), await certificate()]
        const mixed = { clientCertificate: { cert: one.clientCertificate.cert, key: two.clientCertificate.key } }
        const error = await failure((async () => world.client(certLogin(), mixed))())
        expect(error).toMatchObject({ code: 'invalid/config' })
        expectSilent(error, ...two.clientCertificate.key.reveal().split('\n').slice(1, 3))
      })
    })

    describe('a person’s own token', () => {
      test('is used as it is, and lives on after the end', async () => {
        const made = await world.bao.request('POST', '/v1/auth/token/create', { policies: ['writer'], ttl: '1h' })
        const { client_token: own } = (made.body as { auth: { client_token: string } }).auth
        const vault = world.client(tokenLogin(new SecretText(own)))
        expect(await vault.call(WRITE, signal())).toMatchObject({ status: 200 })
        await vault.end(signal())
        expect((await world.bao.request('GET', '/v1/auth/token/lookup-self', undefined, own)).status).toBe(200)
      })
      test.each(['', 'two words', 'planted-token\n'])('%j is a wrong setting', (text) => {
        expect(() => tokenLogin(new SecretText(text))).toThrow(expect.objectContaining({ code: 'invalid/config' }))
      })
    })
  })
}
