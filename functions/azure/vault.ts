import { adminIn } from '../../shared/admin.ts'
import { vaultKv } from '../../shared/stores/vault-kv.ts'
import { SecretText } from '../../shared/types.ts'
import { vaultClient } from '../../shared/vault/client.ts'
import { readVaultSettings } from '../../shared/vault/settings.ts'
import type { Place } from './compose.ts'
import { type ManagedIdentitySettings, managedIdentity } from './credential.ts'

/** A token that could not be revoked ends by itself. */
const END_MS = 2_000

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
  const { mount, pendingFolder, ...settings } = readVaultSettings(environment, token ? { azureToken: token, jwt: token } : {})
  const client = vaultClient(settings)
  const store = vaultKv({ client, mount, pendingFolder })
  return { store, admin: adminIn(store.readCurrent), end: () => client.end(AbortSignal.timeout(END_MS)) }
}
