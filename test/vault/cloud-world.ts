import { afterEach, expect } from 'vitest'
import type { KeyturnError } from '../../shared/errors.ts'
import type { VaultLogin } from '../../shared/vault/login.ts'
import { startVaultLogins, type VaultLogins, type VaultLoginsOptions } from '../doubles/vault-logins.ts'
import { clientOf, failure, signal } from './vault-world.ts'

/** The one that was started last; all are closed after each test. */
export let vault: VaultLogins
const started: VaultLogins[] = []
afterEach(async () => {
  for (const one of started.splice(0)) await one.close()
})
export async function start(options: VaultLoginsOptions): Promise<VaultLogins> {
  vault = await startVaultLogins(options)
  started.push(vault)
  return vault
}

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
