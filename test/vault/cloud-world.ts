import { expect } from 'vitest'
import type { KeyturnError } from '../../shared/errors.ts'
import type { VaultLogin } from '../../shared/vault/login.ts'
import type { VaultLogins } from '../doubles/vault-logins.ts'
import { clientOf, failure, signal } from './vault-world.ts'

/** What every token may do. */
export const LOOK = { method: 'GET', path: 'auth/token/lookup-self' } as const

/** Logs in, uses the token, and ends: nothing is left behind. */
export async function loggedIn(vault: VaultLogins, login: VaultLogin): Promise<void> {
  const client = clientOf(vault.url, { login })
  expect(await client.call(LOOK, signal())).toMatchObject({ status: 200 })
  expect(vault.tokens.size).toBe(1)
  await client.end(signal())
  expect(vault.tokens.size).toBe(0)
}

export async function refused(vault: VaultLogins, login: VaultLogin): Promise<KeyturnError> {
  const error = await failure(clientOf(vault.url, { login }).call(LOOK, signal()))
  expect(vault.tokens.size).toBe(0)
  return error
}
