import { writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SecretText } from '../../shared/types.ts'
import { fileText } from '../../shared/vault/login.ts'
import { jwtLogin } from '../../shared/vault/login-jwt.ts'
import { kubernetesLogin } from '../../shared/vault/login-kubernetes.ts'
import { jwtKey } from '../doubles/vault-jwt.ts'
import { startTokenReviews, type TokenReviews } from '../doubles/vault-kubernetes.ts'
import { serverFolder } from '../servers/folders.ts'
import { type OpenbaoWorld, startWorld, thisHour, WRITE } from './openbao-world.ts'
import { expectSilent, failure, signal } from './vault-world.ts'

/** The logins by what a platform says of its workload, against the real server. */
export function openbaoIdentities(): void {
  describe('on a real OpenBao', () => {
    let world: OpenbaoWorld
    let folder: string
    beforeAll(async () => {
      world = await startWorld()
      folder = serverFolder('vault-logins')
    })
    afterAll(async () => {
      await world.bao.close()
      await rm(folder, { recursive: true, force: true })
    })

    describe('the login jwt', () => {
      const provider = jwtKey()
      const claims = { sub: 'rotation', aud: 'vault', iss: 'https://issuer.example.com' }
      beforeAll(async () => {
        await world.bao.enableAuth('jwt')
        await world.bao.expect('POST', '/v1/auth/jwt/config', {
          jwt_validation_pubkeys: provider.publicPem,
          default_role: 'rotation'
        })
        const role = { role_type: 'jwt', user_claim: 'sub', bound_audiences: 'vault', bound_subject: 'rotation' }
        await world.bao.expect('POST', '/v1/auth/jwt/role/rotation', { ...role, token_policies: 'writer', token_ttl: '1h' })
      })
      const jwt = (more: object = {}): string => provider.jwt({ ...claims, ...thisHour(), ...more })

      test('works, and its token is revoked at the end', async () => {
        await world.worksAndEnds(jwtLogin({ role: 'rotation', jwt: async () => new SecretText(jwt()) }))
      })
      test('takes the mount’s default role', async () => {
        await world.worksAndEnds(jwtLogin({ jwt: async () => new SecretText(jwt()) }))
      })
      test('reads a file anew at each login', async () => {
        const path = join(folder, 'jwt')
        writeFileSync(path, `${jwt({ exp: 1 })}\n`)
        const vault = world.client(jwtLogin({ role: 'rotation', jwt: fileText(path) }))
        expect(await failure(vault.call(WRITE, signal()))).toMatchObject({ code: 'denied/store' })
        writeFileSync(path, `${jwt()}\n`)
        expect(await vault.call(WRITE, signal())).toMatchObject({ status: 200 })
        await vault.end(signal())
      })
      test.each([
        ['for another audience', () => jwt({ aud: 'other' })],
        ['that ended', () => jwt({ exp: 1_600_000_000 })],
        ['of somebody else', () => jwt({ sub: 'stranger' })],
        ['that somebody else signed', () => jwtKey().jwt({ ...claims, ...thisHour() })]
      ])('with a JWT %s is denied, and says nothing of it', async (_, make) => {
        const wrong = make()
        expectSilent(
          await world.denied(jwtLogin({ role: 'rotation', jwt: async () => new SecretText(wrong) })),
          ...wrong.split('.')
        )
      })
    })

    describe('the login kubernetes', () => {
      let cluster: TokenReviews
      const kubelet = jwtKey()
      const path = () => join(folder, 'service-account-token')
      beforeAll(async () => {
        cluster = await startTokenReviews()
        await world.bao.enableAuth('kubernetes')
        const api = { kubernetes_host: cluster.url, kubernetes_ca_cert: world.bao.caPem, disable_local_ca_jwt: true }
        await world.bao.expect('POST', '/v1/auth/kubernetes/config', {
          ...api,
          token_reviewer_jwt: kubelet.jwt({ sub: 'reviewer' })
        })
        const role = {
          bound_service_account_names: 'rotation',
          bound_service_account_namespaces: 'ops',
          token_policies: 'writer'
        }
        await world.bao.expect('POST', '/v1/auth/kubernetes/role/rotation', { ...role, token_ttl: '1h' })
      })
      afterAll(() => cluster.close())

      /** What the kubelet writes for a pod. */
      function mounted(namespace: string, name: string, isKnown = true): string {
        const of = { namespace, serviceaccount: { name, uid: `uid-of-${name}` } }
        const token = kubelet.jwt({ sub: `system:serviceaccount:${namespace}:${name}`, ...thisHour(), 'kubernetes.io': of })
        if (isKnown) cluster.accounts.set(token, `${namespace}/${name}`)
        else cluster.accounts.delete(token)
        writeFileSync(path(), token)
        return token
      }

      test('works, and its token is revoked at the end', async () => {
        mounted('ops', 'rotation')
        await world.worksAndEnds(kubernetesLogin({ role: 'rotation', tokenFile: path() }))
        expect(cluster.reviewed()).toBeGreaterThan(0)
      })
      test.each([
        ['of another namespace', () => mounted('dev', 'rotation')],
        ['of another name', () => mounted('ops', 'other')],
        ['that is gone', () => mounted('ops', 'rotation', false)]
      ])('of a service account %s is denied, and says nothing of it', async (_, mount) => {
        const token = mount()
        expectSilent(await world.denied(kubernetesLogin({ role: 'rotation', tokenFile: path() })), ...token.split('.'))
      })
      test('where no token is mounted is a wrong setting, which names the file', async () => {
        const tokenFile = join(folder, 'nothing')
        const error = await failure(world.client(kubernetesLogin({ role: 'rotation', tokenFile })).call(WRITE, signal()))
        expect(error).toMatchObject({ code: 'invalid/config' })
        expect(error.message).toContain(tokenFile)
      })
    })
  })
}
