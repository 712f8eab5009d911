import { afterEach, describe, expect, test, vi } from 'vitest'
import { SecretText } from '../../shared/types.ts'
import { vaultClient } from '../../shared/vault/client.ts'
import { startVaultErrors, type VaultErrors } from '../doubles/vault-errors.ts'
import {
  expiredIdentity,
  type Identity,
  localIdentity,
  sharedAuthority,
  strangerIdentity,
  wrongHostIdentity
} from '../servers/certificates.ts'
import { anyLogin, clientOf, expectSilent, failure, signal } from './vault-world.ts'

const started: VaultErrors[] = []
afterEach(async () => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  for (const vault of started.splice(0)) await vault.close()
})
async function start(tls?: Identity): Promise<VaultErrors> {
  const vault = await startVaultErrors(tls ? { tls } : {})
  started.push(vault)
  return vault
}

const READ = { method: 'GET', path: 'secret/data/app' } as const

describe('TLS', () => {
  test('is trusted by the CA that is given', async () => {
    const vault = await start(await localIdentity())
    const client = clientOf(vault.url, { ca: (await sharedAuthority()).caPem })
    expect(await client.call(READ, signal())).toMatchObject({ status: 404 })
    await client.call(READ, signal())
    expect(vault.connections()).toBe(1)
  })

  test.each([
    ['of another authority', strangerIdentity],
    ['for another host', wrongHostIdentity],
    ['that ended', expiredIdentity]
  ])('with a certificate %s is refused before anything is sent, whatever the environment says', async (_, identity) => {
    const vault = await start(await identity())
    const client = clientOf(vault.url, { ca: (await sharedAuthority()).caPem })
    for (const lax of [undefined, '0']) {
      vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', lax)
      const error = await failure(client.call(READ, signal()))
      expect(error).toMatchObject({ code: 'invalid/tls', retryable: false })
      expectSilent(error, 'planted-secret-id')
    }
    expect(vault.seen).toEqual([])
  })

  test('without a CA is trusted by Node’s own store only', async () => {
    const vault = await start(await localIdentity())
    expect(await failure(clientOf(vault.url).call(READ, signal()))).toMatchObject({ code: 'invalid/tls' })
  })

  test('is not given up for a server that speaks none', async () => {
    const vault = await start()
    const client = clientOf(vault.url.replace('http:', 'https:'))
    expect(await failure(client.call(READ, signal()))).toMatchObject({ code: 'invalid/tls' })
    expect(vault.seen).toEqual([])
  })

  test('wants a client certificate whose key is its own', async () => {
    const [one, two] = [await localIdentity(), await strangerIdentity()]
    const clientCertificate = { cert: one.cert, key: new SecretText(two.key) }
    const error = await failure((async () => clientOf('https://vault.example.com', { clientCertificate }))())
    expect(error).toMatchObject({ code: 'invalid/config' })
    expectSilent(error, ...two.key.split('\n').slice(1, 3))
  })
})

describe('the address', () => {
  test.each([
    'vault.example.com',
    'http://vault.example.com:8200',
    'http://127.0.0.1.example.com',
    'ftp://vault.example.com',
    'https://planted-user:planted-password@vault.example.com',
    'https://vault.example.com/?token=planted-password',
    'https://vault.example.com/#planted-password'
  ])('%s is refused', async (address) => {
    const error = await failure((async () => vaultClient({ address, login: anyLogin() }))())
    expect(error).toMatchObject({ code: 'invalid/config' })
    expectSilent(error, 'planted-password', 'planted-user')
  })

  test.each([
    'https://vault.example.com',
    'https://vault.example.com:8200/',
    'https://proxy.example.com/vault/',
    'http://localhost:8200',
    'http://127.0.0.1:8200',
    'http://[::1]:8200'
  ])('%s is taken', (address) => {
    expect(() => vaultClient({ address, login: anyLogin() })).not.toThrow()
  })

  test('has a namespace that a header can carry', () => {
    const wrong = () => vaultClient({ address: 'https://vault.example.com', login: anyLogin(), namespace: 'team\r\nX-Other: 1' })
    expect(wrong).toThrow(expect.objectContaining({ code: 'invalid/config' }))
  })
})

describe('a connection', () => {
  test('that may have died while the function was frozen is not used again', async () => {
    const vault = await start()
    const client = clientOf(vault.url)
    await client.call(READ, signal())
    await client.call(READ, signal())
    expect(vault.connections()).toBe(1)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
    await client.call(READ, signal())
    expect(vault.connections()).toBe(2)
  })

  test('is not taken from a request that still uses it', async () => {
    const vault = await start()
    const client = clientOf(vault.url, { pausesMs: [] })
    await client.call(READ, signal())
    vault.next('silence')
    const slow = client.call(READ, AbortSignal.timeout(200))
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
    await client.call(READ, signal())
    // Ended by its own signal, and not by the other request.
    expect(await failure(slow)).toMatchObject({ vendor: 'ABORT_ERR' })
  })

  test('that the server closed meanwhile costs a read nothing', async () => {
    const vault = await start()
    const client = clientOf(vault.url)
    for (let n = 0; n < 5; n++) {
      await client.call(READ, signal())
      vault.endIdle()
    }
  })

  test('does not take more than 32 MiB', async () => {
    const vault = await start()
    vault.next({ status: 200, body: `"${'x'.repeat(33 * 2 ** 20)}"` })
    const client = clientOf(vault.url, { pausesMs: [] })
    expect(await failure(client.call(READ, signal()))).toMatchObject({ code: 'unavailable/store', vendor: 'too big' })
  })
})
