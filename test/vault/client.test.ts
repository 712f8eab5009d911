import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CODES } from '../../shared/errors.ts'
import { SecretText } from '../../shared/types.ts'
import type { VaultClient, VaultRequest } from '../../shared/vault/client.ts'
import { tokenLogin } from '../../shared/vault/login-token.ts'
import { type FaultAnswer, startVaultErrors, type VaultErrors } from '../doubles/vault-errors.ts'
import { anyLogin, clientOf, expectSilent, failure, signal } from './vault-world.ts'

let vault: VaultErrors
let client: VaultClient
beforeEach(async () => {
  vault = await startVaultErrors()
  client = clientOf(vault.url)
})
afterEach(() => vault.close())

const READ: VaultRequest = { method: 'GET', path: 'secret/data/app' }
const WRITE: VaultRequest = { method: 'POST', path: 'secret/data/app', body: { data: { password: 'planted-value' } } }
const errors = (...texts: readonly string[]) => ({ errors: texts })
const times = (count: number, fault: FaultAnswer): readonly FaultAnswer[] => Array<FaultAnswer>(count).fill(fault)

/** Requests that were sent, without those of the login. */
const sent = (): readonly string[] =>
  vault.seen.filter(({ path }) => path.startsWith('/v1/secret')).map(({ method, path }) => `${method} ${path}`)

describe('one call', () => {
  test('answers the status, the parsed body and the server’s clock', async () => {
    const at = Date.UTC(2026, 1, 3, 4, 5, 6)
    const other = await startVaultErrors({ now: () => at })
    try {
      const answer = await clientOf(other.url).call(WRITE, signal())
      expect(answer).toEqual({ status: 200, body: { data: { version: 1 } }, date: at })
    } finally {
      await other.close()
    }
  })

  test('answers 404 with its body, which says whether there is nothing or a deleted version', async () => {
    expect(await client.call(READ, signal())).toMatchObject({ status: 404, body: { errors: [] } })
    const deleted = { data: { data: null, metadata: { deletion_time: '2026-01-01T00:00:00Z', version: 1 } } }
    vault.next({ status: 404, body: deleted })
    expect(await client.call(READ, signal())).toMatchObject({ status: 404, body: deleted })
  })

  test('says that it is keyturn’s, by the headers that a Vault proxy may insist on', async () => {
    await client.call(WRITE, signal())
    await clientOf(vault.url, { namespace: 'team/a' }).call(WRITE, signal())
    const [, plain, login, namespaced] = vault.seen
    expect(plain?.headers).toMatchObject({ 'x-vault-request': 'true', 'content-type': 'application/json' })
    expect(plain?.headers['x-vault-namespace']).toBeUndefined()
    expect([login, namespaced].map((one) => one?.headers['x-vault-namespace'])).toEqual(['team/a', 'team/a'])
  })

  test('lists by GET with list=true, which every proxy lets through', async () => {
    vault.next({ status: 200, body: { data: { keys: ['a'] } } })
    await client.call({ method: 'LIST', path: 'secret/metadata/app' }, signal())
    expect(sent()).toEqual(['GET /v1/secret/metadata/app?list=true'])
  })

  test('patches with the content type that it is given', async () => {
    const contentType = 'application/merge-patch+json'
    await client.call({ method: 'PATCH', path: 'secret/metadata/app', body: { a: 1 }, contentType }, signal())
    expect(vault.seen.at(-1)).toMatchObject({ method: 'PATCH', body: '{"a":1}', headers: { 'content-type': contentType } })
  })

  test('goes below the path of an address behind a proxy', async () => {
    vault.next({ status: 200, body: {} })
    const token = tokenLogin(new SecretText('s.person'))
    await clientOf(`${vault.url}/vault/`, { login: token }).call(READ, signal())
    expect(vault.seen.at(-1)?.path).toBe('/vault/v1/secret/data/app')
  })

  test.each(['/secret/a', 'secret/../sys/seal', 'secret/%2e%2E/sys', 'secret/a b', 'secret/ä', 'secret\\a', 'secret/a#b'])(
    'refuses the path %s before anything is sent',
    async (path) => {
      expect(await failure(client.call({ method: 'GET', path }, signal()))).toMatchObject({ code: 'invalid/request' })
      expect(sent()).toEqual([])
    }
  )

  test('of three that run one after another needs one connection', async () => {
    for (let n = 0; n < 3; n++) await client.call(READ, signal())
    expect(vault.connections()).toBe(1)
  })
})

describe('an answer that is no success', () => {
  const cas = errors('check-and-set parameter did not match the current version')
  test.each([
    ['400', { status: 400, body: errors('planted-value is no number') }, 'invalid/request', '400'],
    ['400 for a check-and-set', { status: 400, body: cas }, 'conflict/current-moved', 'check-and-set'],
    [
      '400 for OpenBao’s check-and-set of metadata',
      { status: 400, body: errors('metadata check-and-set parameter does not match the current version') },
      'conflict/metadata-changed',
      'metadata check-and-set'
    ],
    ['403', { status: 403, body: errors('permission denied') }, 'denied/store', '403'],
    [
      '404 for no mount',
      { status: 404, body: errors('no handler for route "x". route entry not found.') },
      'invalid/config',
      'no handler'
    ],
    ['404 for no namespace', { status: 404, body: errors('namespace not found') }, 'invalid/config', 'no namespace'],
    ['404 of a proxy’s', { status: 404, body: '<html>no such page</html>' }, 'unavailable/store', '404'],
    ['404 of another service’s', { status: 404, body: { message: 'not found' } }, 'unavailable/store', '404'],
    ['405', { status: 405, body: errors() }, 'unsupported/store', '405'],
    ['412', { status: 412, body: errors('required index state not present') }, 'unavailable/store', '412'],
    ['423', { status: 423, body: errors('API access to this namespace has been locked') }, 'denied/store', '423'],
    ['429', { status: 429, body: errors('rate limit quota exceeded') }, 'throttled/store', '429'],
    ['472', { status: 472, body: errors() }, 'unavailable/store', '472'],
    ['473', { status: 473, body: errors() }, 'unavailable/store', '473'],
    ['500', { status: 500, body: errors('internal error') }, 'unavailable/store', '500'],
    ['502', { status: 502, body: '<html>bad gateway</html>' }, 'unavailable/store', '502'],
    ['503', { status: 503, body: '<html>try later</html>' }, 'unavailable/store', '503'],
    ['503 while sealed', { status: 503, body: errors('Vault is sealed') }, 'unavailable/sealed', 'sealed'],
    ['599', { status: 599 }, 'unavailable/store', '599'],
    ['418', { status: 418, body: errors() }, 'invalid/request', '418'],
    ['200 that is no JSON', { status: 200, body: '<html>planted-value</html>' }, 'unavailable/store', '200']
  ] as const)('%s is %s', async (_, answer, code, vendor) => {
    vault.nextLogin({ client_token: 'planted-token' })
    vault.next(...times(4, answer))
    const error = await failure(client.call(WRITE, signal()))
    expect(error).toMatchObject({ code, vendor, retryable: CODES[code][0] })
    expect(error.message).toContain('Vault POST secret/data/app')
    expectSilent(error, 'planted-value', 'planted-token', 'planted-secret-id')
    expect(vault.effects).toEqual([])
  })
})

describe('a write', () => {
  test.each([
    ['429', { status: 429, body: errors('rate limit quota exceeded') }],
    ['412', { status: 412, body: errors('required index state not present') }],
    ['473', { status: 473, body: errors() }],
    ['503 while sealed', { status: 503, body: errors('Vault is sealed') }],
    ['307 to the active node', { status: 307, headers: { Location: 'https://active.example.com/v1/secret/data/app' } }]
  ])('is sent again after %s, because nothing can have happened', async (_, answer) => {
    vault.next(answer, answer)
    expect(await client.call(WRITE, signal())).toMatchObject({ status: 200 })
    expect(vault.effects).toEqual(['POST /v1/secret/data/app'])
    expect(sent()).toHaveLength(3)
  })

  test.each([
    ['the answer was lost', 'lost', 1],
    ['the answer was cut off', 'cut', 1],
    ['the connection broke before', 'before', 0],
    ['500', { status: 500, body: errors('internal error') }, 0],
    ['502', { status: 502 }, 0],
    ['503 of a proxy’s', { status: 503, body: 'no healthy upstream' }, 0]
  ] as const)('is not sent again where %s: whoever wrote looks', async (_, fault, effects) => {
    vault.next(fault)
    expect(await failure(client.call(WRITE, signal()))).toMatchObject({ code: 'unavailable/store', retryable: true })
    expect(sent()).toHaveLength(1)
    expect(vault.effects).toHaveLength(effects)
  })

  test('that does no harm twice may be sent again after a lost answer', async () => {
    vault.next('lost')
    await client.call({ ...WRITE, repeatable: true }, signal())
    expect(vault.effects).toHaveLength(2)
  })
})

describe('a read', () => {
  test.each([
    'lost',
    'cut',
    'before',
    { status: 500 },
    { status: 502 },
    { status: 503 },
    { status: 429 },
    { status: 412 }
  ] as const)('is sent again after %j', async (fault) => {
    await client.call(WRITE, signal())
    vault.next(fault, fault, fault)
    expect(await client.call(READ, signal())).toMatchObject({ status: 200, body: { data: WRITE.body } })
  })

  test('is given up after four times', async () => {
    vault.next(...times(9, { status: 500 }))
    expect(await failure(client.call(READ, signal()))).toMatchObject({ code: 'unavailable/store' })
    expect(sent()).toHaveLength(4)
  })

  test.each([472, 403, 405])('is not sent again after %i, which will not change', async (status) => {
    vault.next({ status, body: errors() })
    await failure(client.call(READ, signal()))
    expect(sent()).toHaveLength(1)
  })
})

describe('Retry-After', () => {
  test('is waited for as long as the signal lasts', async () => {
    vault.next({ status: 429, headers: { 'Retry-After': '5' } })
    expect(await failure(client.call(READ, AbortSignal.timeout(300)))).toMatchObject({ code: 'throttled/store' })
    // Without the header the millisecond of this client's own pause would have been enough to succeed.
    expect(sent()).toHaveLength(1)
  })

  test('of a minute is nothing that a function waits for', async () => {
    vault.next({ status: 429, headers: { 'Retry-After': '60' } })
    // Nothing else ends the wait here.
    expect(await failure(client.call(READ, new AbortController().signal))).toMatchObject({ code: 'throttled/store' })
    expect(sent()).toHaveLength(1)
  }, 10_000)
})

describe('a server that does not answer', () => {
  test('is unavailable after the time of one request', async () => {
    const impatient = clientOf(vault.url, { requestTimeoutMs: 50, pausesMs: [] })
    vault.next('silence')
    expect(await failure(impatient.call(WRITE, signal()))).toMatchObject({ code: 'unavailable/store' })
  })

  test('is unavailable when the signal ends first', async () => {
    await client.call(WRITE, signal())
    vault.next('silence')
    expect(await failure(client.call(READ, AbortSignal.timeout(50)))).toMatchObject({ code: 'unavailable/store' })
  })

  test('and is not even there is unavailable, after every repeat', async () => {
    const gone = await startVaultErrors()
    await gone.close()
    const error = await failure(clientOf(gone.url, { login: anyLogin() }).call(WRITE, signal()))
    expect(error).toMatchObject({ code: 'unavailable/store', vendor: 'ECONNREFUSED' })
  })
})

test('a redirect to another host is not followed: the token stays with the configured one', async () => {
  const other = await startVaultErrors()
  try {
    vault.next(...times(4, { status: 307, headers: { Location: `${other.url}/v1/secret/data/app` } }))
    const error = await failure(client.call(READ, signal()))
    expect(error).toMatchObject({ code: 'unavailable/store', vendor: '307' })
    expect(error.message).toContain('standby')
    expect(other.seen).toEqual([])
  } finally {
    await other.close()
  }
})
