import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { VaultClient, VaultRequest } from '../../shared/vault/client.ts'
import { startVaultErrors, type VaultErrors } from '../doubles/vault-errors.ts'
import { clientOf, failure, signal } from './vault-world.ts'

let vault: VaultErrors
let client: VaultClient
beforeEach(async () => {
  vault = await startVaultErrors()
  client = clientOf(vault.url)
})
afterEach(() => {
  vi.useRealTimers()
  return vault.close()
})

const READ: VaultRequest = { method: 'GET', path: 'secret/data/app' }
const WRITE: VaultRequest = { method: 'POST', path: 'secret/data/app', body: {} }
const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** `v1:<cluster>:<local>:<replicated>:<hmac>`, as Vault writes it, and OpenBao's JSON. */
const vaults = (local: number, replicated: number, cluster = 'a'): string => base64(`v1:${cluster}:${local}:${replicated}:beef`)
const baos = (value: string, cluster = 'a'): string => base64(JSON.stringify({ cluster, value }))

const required = (): unknown => vault.seen.at(-1)?.headers['x-vault-index']

/** A write that is answered with the index. */
async function write(index: string): Promise<void> {
  vault.next({ status: 200, body: {}, headers: { 'X-Vault-Index': index } })
  await client.call(WRITE, signal())
}

describe('what is read after a write', () => {
  test('is required to be as new as the write', async () => {
    await client.call(READ, signal())
    expect(required()).toBeUndefined()
    await write(vaults(7, 3))
    await client.call(READ, signal())
    expect(required()).toBe(vaults(7, 3))
  })

  test('is asked for again until the node has caught up', async () => {
    await write(vaults(7, 3))
    vault.next(
      { status: 412, body: { errors: ['required index state not present'] } },
      { status: 429 },
      { status: 200, body: { data: 1 } }
    )
    expect(await client.call(READ, signal())).toMatchObject({ body: { data: 1 } })
  })

  test('is unavailable where the node does not catch up', async () => {
    await write(vaults(7, 3))
    vault.next(...Array(4).fill({ status: 412, body: { errors: ['required index state not present'] } }))
    expect(await failure(client.call(READ, signal()))).toMatchObject({ code: 'unavailable/store', retryable: true })
  })

  test('need not be as new as what somebody else wrote', async () => {
    await write(vaults(7, 3))
    vault.next({ status: 200, body: {}, headers: { 'X-Vault-Index': vaults(99, 99) } })
    await client.call(READ, signal())
    await client.call(READ, signal())
    expect(required()).toBe(vaults(7, 3))
  })

  test('is not waited for any more after minutes: such a cluster will not catch up', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    await write(vaults(7, 3))
    vi.advanceTimersByTime(299_000)
    await client.call(READ, signal())
    expect(required()).toBe(vaults(7, 3))
    vi.advanceTimersByTime(2_000)
    await client.call(READ, signal())
    expect(required()).toBeUndefined()
  })

  test('needs the token to be there too: the login is a write', async () => {
    vault.nextAuth({
      status: 200,
      body: { auth: { client_token: 's.x', accessor: 'x', lease_duration: 60 } },
      headers: { 'X-Vault-Index': vaults(1, 1) }
    })
    vault.tokens.add('s.x')
    await client.call(READ, signal())
    expect(required()).toBe(vaults(1, 1))
  })
})

describe('of two writes whose answers come in any order', () => {
  test.each([
    ['the later of Vault’s', vaults(7, 3), vaults(6, 3), vaults(7, 3)],
    ['the later of Vault’s', vaults(6, 3), vaults(7, 3), vaults(7, 3)],
    ['the later of OpenBao’s, by number', baos('10'), baos('9'), baos('10')],
    ['the later of OpenBao’s, by number', baos('9'), baos('10'), baos('10')],
    ['the last, where neither is later', vaults(7, 3), vaults(6, 4), vaults(6, 4)],
    ['the last, of another cluster', vaults(7, 3), vaults(1, 1, 'b'), vaults(1, 1, 'b')],
    ['the last, of another cluster', baos('7'), baos('1', 'b'), baos('1', 'b')],
    ['the last, where it is no number', baos('0/16B3748'), baos('0/16B3700'), baos('0/16B3700')],
    ['the last, in a form that is not known', 'opaque-1', 'opaque-0', 'opaque-0']
  ])('%s is required', async (_, first, second, expected) => {
    await write(first)
    await write(second)
    await client.call(READ, signal())
    expect(required()).toBe(expected)
  })
})
