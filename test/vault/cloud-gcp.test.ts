import { describe, expect, test } from 'vitest'
import { SecretText } from '../../shared/types.ts'
import type { VaultLogin } from '../../shared/vault/login.ts'
import { type GcpLoginSettings, gcpLogin, type IamSignerSettings, iamSigner } from '../../shared/vault/login-gcp.ts'
import { startVaultErrors } from '../doubles/vault-errors.ts'
import { jwtKey } from '../doubles/vault-jwt.ts'
import type { GcpMount } from '../doubles/vault-login-gcp.ts'
import { LOOK, loggedIn, refused, start, vault } from './cloud-world.ts'
import { clientOf, expectSilent, failure, signal } from './vault-world.ts'

describe('the login gcp', () => {
  const account = 'rotation@project.iam.gserviceaccount.com'
  const google = jwtKey()
  const mount: GcpMount = {
    keys: { [account]: google, 'other@project.iam.gserviceaccount.com': jwtKey() },
    roles: { rotation: { boundServiceAccounts: [account] }, strict: { boundServiceAccounts: [account], maxJwtExpS: 301 } },
    accessTokens: ['planted-access-token']
  }
  const sign = async (claims: string) => new SecretText(google.jwt(JSON.parse(claims) as Record<string, unknown>))
  const login = (more: Partial<GcpLoginSettings> = {}): VaultLogin =>
    gcpLogin({ role: 'rotation', serviceAccount: account, sign, ...more })

  /** With Google's API, which answers on the address of the double. */
  const bySigner = async (more: Partial<IamSignerSettings> = {}) => {
    await start({ gcp: mount })
    const accessToken = async () => new SecretText('planted-access-token')
    const signer = iamSigner({ serviceAccount: account, accessToken, endpoint: vault.url, ...more })
    return clientOf(vault.url, { login: login({ sign: signer }) })
  }

  test('sends a JWT of the service account for the role, signed by Google', async () => {
    const client = await bySigner()
    expect(await client.call(LOOK, signal())).toMatchObject({ status: 200 })
    const [, payload = ''] = String(vault.logins[0]?.jwt).split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, number>
    expect(claims).toMatchObject({ sub: account, aud: 'vault/rotation' })
    expect(claims.exp).toBeLessThanOrEqual(Date.now() / 1000 + 900)
  })

  test('keeps within a role’s max_jwt_exp that is shorter than Vault’s own', async () => {
    await loggedIn(await start({ gcp: mount }), login({ role: 'strict' }))
  })

  test('is denied, and says signJwt, where Google denies it', async () => {
    const client = await bySigner({ accessToken: async () => new SecretText('planted-but-unknown') })
    const error = await failure(client.call(LOOK, signal()))
    expect(error).toMatchObject({ code: 'denied/store', vendor: 'signJwt 403' })
    expect(error.message).toContain('signJwt')
    expectSilent(error, 'planted-but-unknown')
    expect(vault.logins).toEqual([])
  })

  test('is unavailable where Google is', async () => {
    const google = await startVaultErrors()
    try {
      google.next({ status: 503, body: { error: { code: 503, status: 'UNAVAILABLE' } } })
      const client = await bySigner({ endpoint: google.url })
      expect(await failure(client.call(LOOK, signal()))).toMatchObject({ code: 'unavailable/store', vendor: 'signJwt 503' })
    } finally {
      await google.close()
    }
  })

  test.each([
    [
      'for another role',
      login({ sign: async () => sign(JSON.stringify({ sub: account, aud: 'vault/other', exp: Date.now() / 1000 + 300 })) })
    ],
    ['that lives too long', login({ now: () => Date.now() + 3600_000 })],
    ['that ended', login({ now: () => Date.now() - 3600_000 })],
    ['of an account that the role does not bind', login({ serviceAccount: 'other@project.iam.gserviceaccount.com' })],
    ['that somebody else signed', login({ sign: async (claims) => new SecretText(jwtKey().jwt(JSON.parse(claims))) })]
  ])('with a JWT %s is denied', async (_, wrong) => {
    expect(await refused(await start({ gcp: mount }), wrong)).toMatchObject({ code: 'denied/store', vendor: '400' })
  })
})
