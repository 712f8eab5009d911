import { openVault } from '../../shared/stores/vault-open.ts'
import type { Place } from './compose.ts'
import type { ServiceAccount } from './service-account.ts'

/** HashiCorp Vault beside Google Cloud. Throws `invalid/config`. The service account is what the logins `gcp` and `jwt` prove. */
export function vaultPlace(environment: Readonly<Record<string, string | undefined>>, account: ServiceAccount): Place {
  const { store, enter } = openVault(environment, { jwt: account.idToken, googleAccessToken: account.accessToken })
  // Events of Secret Manager are about other secrets than Vault's.
  return { store, read: store.readCurrent, foreign: async () => 'the store of this function is Vault', enter }
}
