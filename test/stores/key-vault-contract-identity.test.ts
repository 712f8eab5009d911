import { ManagedIdentityCredential } from '@azure/identity'
import { SecretClient } from '@azure/keyvault-secrets'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { claimsOf, principalOf } from '../doubles/azure-credential.ts'
import { type ManagedIdentityDouble, type ManagedIdentityOptions, startManagedIdentity } from '../doubles/managed-identity.ts'
import { subjects } from './key-vault-contract.ts'

const VAULT = 'https://vault.azure.net'
const CLIENT_ID = '9eba17f1-0000-4000-8000-000000000001'

describe('the double of the managed identity of App Service and Functions, to the genuine credential', () => {
  // msal-node 7 keeps the endpoint, the header and every token for the whole process: one double, and no resource twice.
  let identity: ManagedIdentityDouble
  const subject = subjects()
  beforeAll(async () => {
    identity = await startManagedIdentity({ userAssigned: { [CLIENT_ID]: 'keyturn' } })
    for (const [name, value] of Object.entries(identity.env)) vi.stubEnv(name, value)
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await identity.close()
  })
  afterEach(() => identity.setFault(undefined))

  it('gives a token by which a vault knows the app', async () => {
    const { double, client } = await subject()
    await client.setSecret('app', 'one')
    const app = new SecretClient(double.url, new ManagedIdentityCredential(), {
      disableChallengeResourceVerification: true,
      tlsOptions: { ca: double.caPem }
    })
    expect((await app.getSecret('app')).value).toBe('one')
    expect(double.calls.map((c) => c.principal)).toEqual(['owner', 'app'])
    expect(identity.calls).toEqual([{ resource: VAULT }])
  })

  it('gives the token of a user-assigned identity to whoever names its client id', async () => {
    const credential = new ManagedIdentityCredential({ clientId: CLIENT_ID })
    const { token } = await credential.getToken('https://storage.azure.com/.default')
    expect(principalOf(token, 'https://storage.azure.com')).toBe('keyturn')
    expect(identity.calls.at(-1)).toEqual({ resource: 'https://storage.azure.com', clientId: CLIENT_ID })
  })

  it('refuses so that the credential is unavailable', async () => {
    identity.setFault(() => ({ status: 401, message: 'The X-IDENTITY-HEADER is missing or wrong.' }))
    const token = new ManagedIdentityCredential({ retryOptions: { maxRetries: 0 } }).getToken(
      'https://graph.microsoft.com/.default'
    )
    expect(await token.catch((e: Error) => e.name)).toBe('CredentialUnavailableError')
  })
})

describe('the double of the managed identity of App Service and Functions', () => {
  const open: ManagedIdentityDouble[] = []
  afterEach(async () => {
    for (const double of open.splice(0)) await double.close()
  })

  async function start(options: ManagedIdentityOptions = {}): Promise<ManagedIdentityDouble> {
    const double = await startManagedIdentity(options)
    open.push(double)
    return double
  }

  async function ask(double: ManagedIdentityDouble, query: Readonly<Record<string, string>>, header?: string) {
    const headers = { 'X-IDENTITY-HEADER': header ?? double.env.IDENTITY_HEADER }
    const answer = await fetch(`${double.env.IDENTITY_ENDPOINT}?${new URLSearchParams(query)}`, { headers })
    return { status: answer.status, body: (await answer.json()) as Record<string, string> }
  }

  it('answers in the form of api-version 2019-08-01, the expiry in seconds as a string', async () => {
    const double = await start({ lifetimeMs: 3_600_000 })
    const { status, body } = await ask(double, { resource: VAULT, 'api-version': '2019-08-01' })
    expect([status, Object.keys(body).sort()]).toEqual([
      200,
      ['access_token', 'client_id', 'expires_on', 'resource', 'token_type']
    ])
    expect([body.resource, body.token_type]).toEqual([VAULT, 'Bearer'])
    expect(body.expires_on).toBe(String(claimsOf(body.access_token ?? '')?.exp))
  })

  it('refuses a header that is wrong or missing, and gives no token', async () => {
    const double = await start()
    const wrong = await ask(double, { resource: VAULT, 'api-version': '2019-08-01' }, 'wrong')
    expect([wrong.status, Object.keys(wrong.body).sort()]).toEqual([401, ['correlationId', 'message', 'statusCode']])
    const missing = await fetch(`${double.env.IDENTITY_ENDPOINT}?resource=${VAULT}&api-version=2019-08-01`)
    expect(missing.status).toBe(401)
  })

  it('refuses what names no resource, an older protocol, or an identity that the app does not have', async () => {
    const double = await start({ systemAssigned: null })
    const current = { 'api-version': '2019-08-01' }
    const queries = [
      current,
      { resource: VAULT },
      { resource: VAULT, 'api-version': '2017-09-01' },
      { ...current, resource: VAULT },
      { ...current, resource: VAULT, client_id: 'other' }
    ]
    const statuses = []
    for (const query of queries) statuses.push((await ask(double, query)).status)
    expect(statuses).toEqual([400, 400, 400, 400, 400])
    expect((await ask(double, { ...current, resource: VAULT })).body.message).toContain(
      'No User Assigned or Delegated Managed Identity found'
    )
  })

  it('fails as the fault hook says, and never writes down a header or a token', async () => {
    const double = await start()
    const query = { resource: VAULT, 'api-version': '2019-08-01' }
    double.setFault((_, index) => (index === 0 ? { status: 503, message: 'later' } : 'before'))
    expect((await ask(double, query)).status).toBe(503)
    await expect(ask(double, query)).rejects.toThrow('fetch failed')
    double.setFault(undefined)
    expect((await ask(double, query)).status).toBe(200)
    expect(double.calls).toEqual([{ resource: VAULT }, { resource: VAULT }, { resource: VAULT }])
  })
})
