import { openVault } from '../../shared/stores/vault-open.ts'
import type { Place } from './compose.ts'

/** Vault beside AWS. Throws `invalid/config`. The role's own credentials, in the environment, are what the login `aws` proves. */
export function vaultPlace(environment: Readonly<Record<string, string | undefined>>): Place {
  const { store, enter } = openVault(environment)
  return { store: () => store, read: store.readCurrent, takesSteps: false, enter }
}
