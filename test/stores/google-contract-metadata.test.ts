import { Compute, GoogleAuth, OAuth2Client } from 'google-auth-library'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type GoogleMetadataDouble, type IdTokenClaims, type Signer, startGoogleMetadata } from '../doubles/google-metadata.ts'
import { type GoogleSecretsDouble, startGoogleSecrets } from '../doubles/google-secrets.ts'
import { PROJECT } from './google-contract-subject.ts'

const AUDIENCE = 'https://keyturn.example.run.app'
const EMAIL = 'keyturn@keyturn-test.iam.gserviceaccount.com'

describe('the double of Cloud Run’s metadata server', () => {
  let metadata: GoogleMetadataDouble
  let secrets: GoogleSecretsDouble
  const before = { ...process.env }
  beforeEach(async () => {
    secrets = await startGoogleSecrets({
      principals: [{ name: EMAIL, may: { '*': ['roles/secretmanager.viewer'] } }]
    })
    metadata = await startGoogleMetadata({ issued: secrets.accept })
    process.env.GCE_METADATA_HOST = metadata.host
    process.env.METADATA_SERVER_DETECTION = 'assume-present'
    // What a developer's machine may have.
    for (const name of ['GOOGLE_APPLICATION_CREDENTIALS', 'GOOGLE_CLOUD_PROJECT', 'GCLOUD_PROJECT']) delete process.env[name]
  })
  afterEach(async () => {
    process.env = { ...before }
    await metadata.close()
    await secrets.close()
  })

  const ask = (path: string, headers: Record<string, string> = { 'Metadata-Flavor': 'Google' }) =>
    fetch(`${metadata.url}/computeMetadata/v1${path}`, { headers })

  it('gives Google’s library an access token that the double of Secret Manager accepts', async () => {
    const client = new Compute()
    const { data } = await client.request<{ totalSize?: number }>({ url: `${secrets.url}/v1/${PROJECT}/secrets` })
    expect(data).toEqual({})
    expect(secrets.calls.map((c) => [c.op, c.principal, c.status])).toEqual([['ListSecrets', EMAIL, 200]])
    const seen = await client.request({ url: `${secrets.url}/v1/${PROJECT}/secrets/a/versions/1:access` }).catch((e) => e.status)
    expect(seen).toBe(403)
  })

  it('is found by application default credentials, with the project', async () => {
    const auth = new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' })
    expect(await auth.getClient()).toBeInstanceOf(Compute)
    expect(await auth.getProjectId()).toBe('keyturn-test')
  })

  it('gives the same access token until five minutes before it expires', async () => {
    await metadata.close()
    let now = Date.UTC(2030, 0, 1)
    const given: number[] = []
    metadata = await startGoogleMetadata({
      now: () => now,
      issued: (_, email, expiresAt) => given.push(email.length, expiresAt - now)
    })
    const token = async () =>
      (await ask('/instance/service-accounts/default/token')).json() as Promise<{ access_token: string; expires_in: number }>
    const first = await token()
    now += 3_300_000
    const same = await token()
    now += 1
    const next = await token()
    expect([first.expires_in, same.expires_in, next.expires_in]).toEqual([3600, 300, 3600])
    expect([same.access_token === first.access_token, next.access_token === first.access_token]).toEqual([true, false])
    expect(given).toEqual([EMAIL.length, 3_600_000, EMAIL.length, 3_600_000])
  })

  it('wants the Metadata-Flavor header, sends it back, and refuses what was forwarded', async () => {
    const seen = []
    for (const headers of [{}, { 'Metadata-Flavor': 'Google', 'X-Forwarded-For': '10.0.0.1' }, { 'Metadata-Flavor': 'Google' }]) {
      const response = await ask('/project/project-id', headers as Record<string, string>)
      seen.push([response.status, response.headers.get('metadata-flavor')])
    }
    expect(seen).toEqual([
      [403, 'Google'],
      [403, 'Google'],
      [200, 'Google']
    ])
    expect(await (await ask('/project/numeric-project-id')).text()).toBe('123456789012')
    expect((await ask('/instance/service-accounts/other@example.com/token')).status).toBe(404)
    expect(metadata.calls.at(-1)).toEqual({ path: '/computeMetadata/v1/instance/service-accounts/other@example.com/token' })
  })

  it('gives an ID token for an audience, with the e-mail address only where format=full asks for it', async () => {
    const claims = async (query: string) => {
      const response = await ask(`/instance/service-accounts/default/identity${query}`)
      if (response.status !== 200) return response.status
      const { aud, email } = JSON.parse(Buffer.from((await response.text()).split('.')[1] ?? '', 'base64url').toString())
      return [aud, email]
    }
    expect(await claims(`?audience=${AUDIENCE}&format=full`)).toEqual([AUDIENCE, EMAIL])
    expect(await claims(`?audience=${AUDIENCE}`)).toEqual([AUDIENCE, undefined])
    expect(await claims('')).toBe(400)
    const token = await new Compute().fetchIdToken(AUDIENCE)
    const ticket = await new OAuth2Client({ endpoints: metadata.endpoints }).verifyIdToken({ idToken: token, audience: AUDIENCE })
    expect(ticket.getPayload()).toMatchObject({ email: EMAIL, email_verified: true })
  })
})

describe('an ID token of the double, for Google’s own verifier', () => {
  let metadata: GoogleMetadataDouble
  beforeAll(async () => {
    metadata = await startGoogleMetadata()
  })
  afterAll(() => metadata.close())

  const seconds = (offset: number) => Math.floor(Date.now() / 1000) + offset
  /** The payload, or the first words of the refusal: the rest of the library's message is the token itself. */
  const verify = async (claims: IdTokenClaims = {}, signer?: Signer) => {
    const client = new OAuth2Client({ endpoints: metadata.endpoints })
    const idToken = metadata.idToken({ aud: AUDIENCE, ...claims }, signer)
    return client.verifyIdToken({ idToken, audience: AUDIENCE }).then(
      (ticket) => ticket.getPayload(),
      (e: Error) => e.message.split(/[,:]/)[0]
    )
  }

  it('is valid as Cloud Scheduler sends it', async () => {
    expect(await verify()).toMatchObject({
      iss: 'https://accounts.google.com',
      aud: AUDIENCE,
      email: 'scheduler@keyturn-test.iam.gserviceaccount.com',
      email_verified: true
    })
    expect(metadata.calls).toEqual([{ path: '/oauth2/v1/certs' }])
  })

  it('is refused when it is expired, too early, of another issuer or for another audience', async () => {
    expect(await verify({ iat: seconds(-7200), exp: seconds(-3600) })).toBe('Token used too late')
    expect(await verify({ iat: seconds(3600), exp: seconds(7200) })).toBe('Token used too early')
    expect(await verify({ iss: 'https://accounts.example.com' })).toBe('Invalid issuer')
    expect(await verify({ aud: 'https://other.example.run.app' })).toBe('Wrong recipient')
    expect(await verify({ exp: undefined })).toBe('No expiration time in token')
  })

  it('is refused when it is unsigned or signed by another key under the same key id', async () => {
    expect(await verify({}, 'nobody')).toBe('Invalid token signature')
    expect(await verify({}, 'stranger')).toBe('Invalid token signature')
  })

  it('is let through with an e-mail address that is not verified, or none: that is the caller’s to check', async () => {
    expect(await verify({ email_verified: false })).toMatchObject({ email_verified: false })
    expect(await verify({ email: undefined, email_verified: undefined })).not.toHaveProperty('email')
  })

  it('has its key in both of Google’s formats', async () => {
    const { oauth2FederatedSignonPemCertsUrl: pem, oauth2FederatedSignonJwkCertsUrl: jwk } = metadata.endpoints
    const certificates = (await (await fetch(pem)).json()) as Record<string, string>
    const { keys } = (await (await fetch(jwk)).json()) as { keys: { kid: string; alg: string }[] }
    expect(Object.keys(certificates)).toEqual(keys.map((k) => k.kid))
    expect(Object.values(certificates)[0]).toContain('-----BEGIN CERTIFICATE-----')
    expect((await fetch(pem)).headers.get('cache-control')).toContain('max-age=')
  })
})
