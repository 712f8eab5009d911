import { inspect } from 'node:util'
import { expect } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import { SecretText } from '../../shared/types.ts'
import { type VaultClient, type VaultSettings, vaultClient } from '../../shared/vault/client.ts'
import { appRoleLogin } from '../../shared/vault/login-approle.ts'

export const signal = (): AbortSignal => AbortSignal.timeout(30_000)

/** A client of the double of failures, which does not wait long before a repeat. */
export const clientOf = (address: string, settings: Partial<VaultSettings> = {}): VaultClient =>
  vaultClient({ address, login: anyLogin(), pausesMs: [1, 1, 1], ...settings })

/** A login that is never wrong. */
export const anyLogin = () => appRoleLogin({ roleId: 'role', secretId: async () => new SecretText('planted-secret-id') })

/** The error that the work ended with; a test fails where it did not. */
export async function failure(work: Promise<unknown>): Promise<KeyturnError> {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e
  )
  expect(error, 'it did not fail').toBeInstanceOf(KeyturnError)
  return error as KeyturnError
}

/** None of the secrets is in the error, in whatever way it is printed. */
export function expectSilent(error: unknown, ...secrets: readonly string[]): void {
  const shown = [
    String(error),
    (error as Error).stack ?? '',
    JSON.stringify(error),
    inspect(error, { depth: 20, showHidden: true })
  ]
  for (const secret of secrets) {
    expect(secret.length, 'nothing to look for').toBeGreaterThan(7)
    for (const text of shown) expect(text).not.toContain(secret)
  }
}
