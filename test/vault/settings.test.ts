import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import { SecretText } from '../../shared/types.ts'
import { vaultClient } from '../../shared/vault/client.ts'
import { readVaultSettings, VAULT_SETTINGS } from '../../shared/vault/settings.ts'
import { LOGINS, type VaultPlatform } from '../../shared/vault/settings-login.ts'
import { jwtKey } from '../doubles/vault-jwt.ts'
import { startVaultLogins } from '../doubles/vault-logins.ts'
import { localIdentity, sharedAuthority } from '../servers/certificates.ts'
import { expectSilent, signal } from './vault-world.ts'

type Env = Readonly<Record<string, string>>

const ADDRESS = { VAULT_ADDR: 'https://vault.example.com:8200' }
let folder: string
const file = (name: string): string => join(folder, name)
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-vault-settings-'))
  const { cert, key } = await localIdentity()
  writeFileSync(file('ca.pem'), (await sharedAuthority()).caPem)
  writeFileSync(file('client.pem'), cert)
  writeFileSync(file('client.key'), key)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function refusal(environment: Env, platform?: VaultPlatform): KeyturnError {
  try {
    readVaultSettings(environment, platform)
  } catch (e) {
    expect(e).toBeInstanceOf(KeyturnError)
    expect(e).toMatchObject({ code: 'invalid/config' })
    return e as KeyturnError
  }
  throw new Error('nothing was refused')
}

const everything: VaultPlatform = {
  jwt: async () => new SecretText('x'),
  awsCredentials: async () => ({ accessKeyId: 'AKIA', secretAccessKey: new SecretText('x') }),
  azureToken: async () => new SecretText('x'),
  googleAccessToken: async () => new SecretText('x')
}
const role = { KEYTURN_VAULT_ROLE: 'rotation' }
const COMPLETE: Readonly<Record<(typeof LOGINS)[number], Env>> = {
  token: { VAULT_TOKEN: 's.person' },
  approle: { KEYTURN_VAULT_ROLE_ID: 'role', KEYTURN_VAULT_SECRET_ID_FILE: '/run/secret-id' },
  jwt: { ...role, KEYTURN_VAULT_JWT_AUDIENCE: 'vault' },
  cert: role,
  aws: { ...role, AWS_REGION: 'eu-central-1' },
  azure: role,
  gcp: { ...role, KEYTURN_VAULT_GCP_SERVICE_ACCOUNT: 'rotation@project.iam.gserviceaccount.com' },
  kubernetes: role
}

describe('the settings of Vault', () => {
  test.each(LOGINS)('are enough for the login %s', (login) => {
    const identity = login === 'cert' ? { VAULT_CLIENT_CERT: file('client.pem'), VAULT_CLIENT_KEY: file('client.key') } : {}
    const environment = { ...ADDRESS, ...identity, KEYTURN_VAULT_LOGIN: login, ...COMPLETE[login] }
    const settings = readVaultSettings(environment, everything)
    expect(settings).toMatchObject({ address: ADDRESS.VAULT_ADDR, login: { name: login }, requestTimeoutMs: 10_000 })
    expect(() => vaultClient(settings)).not.toThrow()
  })

  test('are those of Vault’s own command line for a person', () => {
    const environment = { ...ADDRESS, VAULT_TOKEN: 's.person\n', VAULT_NAMESPACE: 'team', VAULT_CACERT: file('ca.pem') }
    const settings = readVaultSettings(environment)
    expect(settings).toMatchObject({ namespace: 'team', login: { name: 'token' } })
    expect(settings.ca).toContain('BEGIN CERTIFICATE')
  })

  test('that are missing or wrong are listed all at once', () => {
    const wrong = {
      VAULT_CACERT: file('nothing.pem'),
      VAULT_CLIENT_CERT: file('client.pem'),
      VAULT_SKIP_VERIFY: 'true',
      KEYTURN_VAULT_LOGIN: 'aws',
      KEYTURN_VAULT_MOUNT: '/auth/aws/',
      KEYTURN_VAULT_REQUEST_TIMEOUT: 'soon',
      KEYTURN_VAULT_ROLL: 'rotation'
    }
    const { message } = refusal(wrong)
    for (const name of ['VAULT_ADDR', 'VAULT_CLIENT_KEY', 'KEYTURN_VAULT_AWS_REGION', 'AWS credentials', ...Object.keys(wrong)])
      if (name !== 'KEYTURN_VAULT_LOGIN') expect(message).toContain(name)
  })

  test.each(LOGINS)('that the login %s lacks are named', (login) => {
    const { message } = refusal({ ...ADDRESS, KEYTURN_VAULT_LOGIN: login })
    const named = login === 'cert' ? 'VAULT_CLIENT_CERT' : `the Vault login ${login}`
    expect(message).toContain(named)
  })

  test('name no login that there is not', () => {
    expect(refusal({ ...ADDRESS, KEYTURN_VAULT_LOGIN: 'ldap' }).message).toContain('KEYTURN_VAULT_LOGIN must be one of approle')
  })

  test.each([
    [{ VAULT_ADDR: 'http://vault.example.com', VAULT_TOKEN: 'planted-token' }, 'https://'],
    [{ VAULT_ADDR: 'https://me:planted-password@vault.example.com', VAULT_TOKEN: 'planted-token' }, 'no user'],
    [{ ...ADDRESS, VAULT_TOKEN: 'planted-token and more' }, 'no header can carry'],
    [{ ...ADDRESS, VAULT_TOKEN: 'planted-token', VAULT_CACERT: '/dev/null' }, 'holds no CERTIFICATE'],
    [{ ...ADDRESS, KEYTURN_VAULT_LOGIN: 'aws', ...COMPLETE.aws, KEYTURN_VAULT_AWS_REGION: 'planted' }, 'the region of AWS STS'],
    [{ ...ADDRESS, KEYTURN_VAULT_LOGIN: 'azure', ...role, KEYTURN_VAULT_AZURE_RESOURCE_ID: 'planted-app' }, 'Azure resource id']
  ])('%j are refused, and their secrets not quoted', (environment, says) => {
    const error = refusal(environment as Env, everything)
    expect(error.message).toContain(says)
    expectSilent(error, 'planted-token', 'planted-password')
  })

  test('give a function on Lambda the credentials of its role, without an SDK', async () => {
    const arn = 'arn:aws:iam::123456789012:role/rotation'
    const key = { secretAccessKey: 'planted-secret-key', sessionToken: 'planted-session', arn }
    const mount = {
      stsEndpoint: 'https://sts.eu-central-1.amazonaws.com',
      stsRegion: 'eu-central-1',
      roles: { rotation: arn },
      keys: { ASIA: key }
    }
    const vault = await startVaultLogins({ aws: mount })
    try {
      const given = {
        AWS_ACCESS_KEY_ID: 'ASIA',
        AWS_SECRET_ACCESS_KEY: 'planted-secret-key',
        AWS_SESSION_TOKEN: 'planted-session'
      }
      const environment = { VAULT_ADDR: vault.url, KEYTURN_VAULT_LOGIN: 'aws', ...COMPLETE.aws, ...given }
      const client = vaultClient(readVaultSettings(environment))
      expect(await client.call({ method: 'GET', path: 'auth/token/lookup-self' }, signal())).toMatchObject({ status: 200 })
    } finally {
      await vault.close()
    }
  })

  test('give Google’s signer the access token of the platform', () => {
    const environment = { ...ADDRESS, KEYTURN_VAULT_LOGIN: 'gcp', ...COMPLETE.gcp }
    expect(readVaultSettings(environment, everything).login.name).toBe('gcp')
    expect(refusal(environment).message).toContain('service account')
  })

  test.each([
    ['KEYTURN_VAULT_JWT', (jwt: string) => jwt],
    [
      'KEYTURN_VAULT_JWT_FILE',
      (jwt: string) => {
        writeFileSync(file('jwt'), `${jwt}\n`)
        return file('jwt')
      }
    ]
  ])('take a JWT from %s', async (name, given) => {
    const jwt = jwtKey().jwt({ sub: 'rotation' })
    const environment = { ...ADDRESS, KEYTURN_VAULT_LOGIN: 'jwt', [name]: given(jwt) }
    let sent: unknown
    const post = async ({ body }: { body: Readonly<Record<string, unknown>> }) => {
      sent = body
      return { auth: { client_token: 's.x', accessor: 'a', lease_duration: 60 } }
    }
    await readVaultSettings(environment).login.login(post, signal())
    expect(sent).toEqual({ jwt })
  })

  test('are all told in a table for the README', () => {
    expect(VAULT_SETTINGS.filter(({ says }) => says === '')).toEqual([])
    expect(VAULT_SETTINGS.find(({ name }) => name === 'KEYTURN_VAULT_REQUEST_TIMEOUT')?.fallback).toBe('10s')
    expect(VAULT_SETTINGS.find(({ name }) => name === 'VAULT_ADDR')?.fallback).toBe('–')
  })
})
