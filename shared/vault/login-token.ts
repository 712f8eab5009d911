import { KeyturnError } from '../errors.ts'
import type { SecretText } from '../types.ts'
import { isHeader, type VaultLogin } from './login.ts'

/** A token that a person brings (VAULT_TOKEN). It is theirs: it is neither renewed nor revoked. Throws `invalid/config`. */
export function tokenLogin(token: SecretText): VaultLogin {
  if (!isHeader(token.reveal()))
    throw new KeyturnError('invalid/config', 'the Vault token is empty, or has characters that no header can carry')
  return {
    name: 'token',
    login: async () => ({ token, accessor: undefined, leaseMs: 0, borrowed: true })
  }
}
