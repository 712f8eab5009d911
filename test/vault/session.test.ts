import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SecretText } from '../../shared/types.ts'
import type { VaultClient, VaultRequest } from '../../shared/vault/client.ts'
import type { VaultLogin } from '../../shared/vault/login.ts'
import { tokenLogin } from '../../shared/vault/login-token.ts'
import { startVaultErrors, type VaultErrors } from '../doubles/vault-errors.ts'
import { anyLogin, clientOf, expectSilent, failure, signal } from './vault-world.ts'

let vault: VaultErrors
let client: VaultClient
beforeEach(async () => {
  vault = await startVaultErrors()
  client = clientOf(vault.url)
})
afterEach(() => vault.close())

const READ: VaultRequest = { method: 'GET', path: 'secret/data/app' }
const WRITE: VaultRequest = { method: 'POST', path: 'secret/data/app', body: {} }
const sent = (path: string): number => vault.seen.filter((one) => one.path === `/v1/${path}`).length
const logins = (): number => sent('auth/approle/login')

describe('a login', () => {
  test('is made at the first call, and serves those after it', async () => {
    expect(vault.seen).toEqual([])
    for (let n = 0; n < 3; n++) await client.call(READ, signal())
    expect(logins()).toBe(1)
  })

  test('is shared by calls that run at once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => client.call(READ, signal())))
    expect(logins()).toBe(1)
  })

  test('goes on for the others when the one who asked first runs out of time', async () => {
    let answer = (): void => {}
    const login: VaultLogin = {
      name: 'slow',
      login: async (post, within) => {
        await new Promise<void>((resolve) => {
          answer = resolve
        })
        return anyLogin().login(post, within)
      }
    }
    const slow = clientOf(vault.url, { login })
    const first = new AbortController()
    const given = failure(slow.call(READ, first.signal))
    const second = slow.call(READ, signal())
    first.abort()
    expect(await given).toMatchObject({ code: 'unavailable/store' })
    answer()
    expect(await second).toMatchObject({ status: 404 })
    expect(logins()).toBe(1)
  })

  test('is not begun by a call whose time is over', async () => {
    let begun = 0
    const login: VaultLogin = {
      name: 'counted',
      login: async (...a) => {
        begun += 1
        return anyLogin().login(...a)
      }
    }
    const counted = clientOf(vault.url, { login })
    expect(await failure(counted.call(READ, AbortSignal.abort()))).toMatchObject({ code: 'unavailable/store' })
    expect(begun).toBe(0)
  })

  test('that failed is tried anew by the next call', async () => {
    vault.nextAuth({ status: 500 })
    expect(await failure(client.call(READ, signal()))).toMatchObject({ code: 'unavailable/store' })
    expect(await client.call(READ, signal())).toMatchObject({ status: 404 })
  })

  test('is made anew before its token ends', async () => {
    // A life of nothing has been used up when the next call comes.
    vault.nextLogin({ lease_duration: 0.000001 })
    await client.call(READ, signal())
    await client.call(READ, signal())
    await client.call(READ, signal())
    expect(logins()).toBe(2)
    expect(sent('auth/token/lookup-self')).toBe(0)
  })

  test('is never made anew for a token without an end', async () => {
    vault.nextLogin({ lease_duration: 0 })
    for (let n = 0; n < 3; n++) await client.call(READ, signal())
    expect(logins()).toBe(1)
  })

  test.each([
    [400, 'denied/store'],
    [403, 'denied/store'],
    [404, 'unavailable/store'],
    [429, 'throttled/store'],
    [500, 'unavailable/store']
  ] as const)('that is answered %i is %s, and says which login it was', async (status, code) => {
    vault.nextAuth(...Array(4).fill({ status, body: status === 404 ? 'no JSON' : { errors: ['planted-secret-id'] } }))
    const error = await failure(client.call(READ, signal()))
    expect(error.code).toBe(code)
    expect(error.message).toContain('approle')
    expectSilent(error, 'planted-secret-id')
  })

  test.each([
    [{ client_token: '', mfa_requirement: { mfa_request_id: 'x' } }, 'denied/store'],
    [{ client_token: undefined }, 'unavailable/store'],
    [{ client_token: 'planted-token\nX-Other: 1' }, 'unavailable/store'],
    [{ lease_duration: 'long' }, 'unavailable/store']
  ] as const)('whose answer is %j is %s', async (auth, code) => {
    vault.nextLogin(auth)
    const error = await failure(client.call(READ, signal()))
    expect(error.code).toBe(code)
    expectSilent(error, 'planted-token')
  })

  test('whose proof the platform does not give is unavailable, without what the platform said', async () => {
    const login: VaultLogin = { name: 'jwt', login: () => Promise.reject(new TypeError('planted-by-an-sdk')) }
    const error = await failure(clientOf(vault.url, { login }).call(READ, signal()))
    expect(error).toMatchObject({ code: 'unavailable/store', vendor: 'TypeError' })
    expect(error.message).toContain('jwt')
    expectSilent(error, 'planted-by-an-sdk')
  })
})

describe('403', () => {
  test('for a token that Vault does not know any more is a reason to log in again, once', async () => {
    await client.call(READ, signal())
    vault.tokens.clear()
    await client.call(WRITE, signal())
    expect([logins(), vault.effects.length]).toEqual([2, 1])
  })

  test('for a token that lives is what the policies say', async () => {
    await client.call(READ, signal())
    vault.next({ status: 403, body: { errors: ['permission denied'] } })
    expect(await failure(client.call(READ, signal()))).toMatchObject({ code: 'denied/store' })
    expect([logins(), sent('auth/token/lookup-self')]).toEqual([1, 1])
  })

  test('for a token that was got for this very call needs no look', async () => {
    vault.next({ status: 403, body: { errors: ['permission denied'] } })
    expect(await failure(client.call(READ, signal()))).toMatchObject({ code: 'denied/store' })
    expect([logins(), sent('auth/token/lookup-self')]).toEqual([1, 0])
  })

  test('cannot be told from a dead token while Vault does not answer the look', async () => {
    await client.call(READ, signal())
    vault.next({ status: 403, body: { errors: ['permission denied'] } })
    vault.nextAuth(...Array(4).fill({ status: 500 }))
    expect(await failure(client.call(READ, signal()))).toMatchObject({ code: 'unavailable/store' })
  })

  test('of many calls at once is one login', async () => {
    await client.call(READ, signal())
    vault.tokens.clear()
    await Promise.all(Array.from({ length: 8 }, () => client.call(READ, signal())))
    expect(logins()).toBe(2)
  })

  test('for a person’s own token is denied: there is nothing to log in with', async () => {
    vault.tokens.add('s.ends-soon')
    const own = clientOf(vault.url, { login: tokenLogin(new SecretText('s.ends-soon')) })
    await own.call(READ, signal())
    vault.tokens.clear()
    const error = await failure(own.call(READ, signal()))
    expect(error).toMatchObject({ code: 'denied/store' })
    expect(vault.seen).toHaveLength(2)
    expectSilent(error, 's.ends-soon')
  })
})

describe('the end', () => {
  test('revokes the token, and a later call logs in again', async () => {
    await client.call(READ, signal())
    expect(vault.tokens.size).toBe(1)
    await client.end(signal())
    expect(vault.tokens.size).toBe(0)
    await client.call(READ, signal())
    expect([logins(), vault.tokens.size, sent('auth/token/lookup-self')]).toEqual([2, 1, 0])
  })

  test('revokes the tokens before the last one too, as long as they may live', async () => {
    vault.nextLogin({ lease_duration: 3600 }, { lease_duration: 3600 })
    await client.call(READ, signal())
    // Vault denies the look as well: the policy default may be missing.
    vault.next({ status: 403 })
    vault.nextAuth({ status: 403 })
    await client.call(READ, signal())
    expect(vault.tokens.size).toBe(2)
    await client.end(signal())
    expect(vault.tokens.size).toBe(0)
  })

  test('is tried again where the connection broke', async () => {
    await client.call(READ, signal())
    vault.nextAuth('before', 'lost')
    await client.end(signal())
    expect([vault.tokens.size, sent('auth/token/revoke-self')]).toEqual([0, 3])
  })

  test('waits for a login that is under way', async () => {
    const reading = client.call(READ, signal()).catch(() => undefined)
    await client.end(signal())
    await reading
    expect([logins(), vault.tokens.size]).toEqual([1, 0])
  })

  test('does not wait for a login longer than its signal lasts', async () => {
    vault.nextAuth('silence')
    const reading = failure(client.call(READ, AbortSignal.timeout(100)))
    await client.end(AbortSignal.timeout(50))
    await reading
  }, 10_000)

  test('before anything is nothing', async () => {
    await client.end(signal())
    expect(vault.seen).toEqual([])
  })

  test('leaves a batch token alone, which has no accessor and cannot be revoked', async () => {
    vault.nextLogin({ accessor: '', client_token: 'b.batch' })
    await client.call(READ, signal())
    await client.end(signal())
    expect(sent('auth/token/revoke-self')).toBe(0)
  })

  test('leaves a person’s own token alone', async () => {
    vault.tokens.add('s.person')
    const own = clientOf(vault.url, { login: tokenLogin(new SecretText('s.person')) })
    await own.call(READ, signal())
    await own.end(signal())
    expect([...vault.tokens]).toEqual(['s.person'])
  })

  test.each(['before', 'silence', { status: 500 }, { status: 403 }] as const)(
    'is quiet where Vault answers %j',
    async (fault) => {
      await client.call(READ, signal())
      vault.nextAuth(...Array(4).fill(fault))
      await client.end(AbortSignal.timeout(100))
    }
  )
})
