import { openVault } from '../../shared/stores/vault-open.ts'
import type { Place, TokenFor } from './compose.ts'

/** HashiCorp Vault beside Azure. Throws `invalid/config`. The app's managed identity is what the logins `azure` and `jwt` prove. */
export function vaultPlace(environment: Readonly<Record<string, string | undefined>>, token: TokenFor | undefined): Place {
  const { store, enter } = openVault(environment, token && { azureToken: token, jwt: token })
  return { store, read: store.readCurrent, enter }
}
