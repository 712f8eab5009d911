import { adminIn } from '../../shared/admin.ts'
import { openVault } from '../../shared/stores/vault-open.ts'
import { SecretText } from '../../shared/types.ts'
import type { Place } from './compose.ts'
import { type ManagedIdentitySettings, managedIdentity } from './credential.ts'

/** HashiCorp Vault beside Azure. Throws `invalid/config`. The app's managed identity is what the logins `azure` and `jwt` prove. */
export function vaultPlace(
  environment: Readonly<Record<string, string | undefined>>,
  identity: ManagedIdentitySettings | undefined
): Place {
  const credential = identity && managedIdentity(identity)
  const token =
    credential &&
    (async (resource: string, abortSignal: AbortSignal) =>
      new SecretText((await credential.getToken(resource, { abortSignal }))?.token ?? ''))
  const { store, enter } = openVault(environment, token && { azureToken: token, jwt: token })
  return { store, admin: adminIn(store.readCurrent), read: store.readCurrent, enter }
}
