import { adminIn } from '../../shared/admin.ts'
import { vaultKv } from '../../shared/stores/vault-kv.ts'
import { vaultClient } from '../../shared/vault/client.ts'
import { readVaultSettings } from '../../shared/vault/settings.ts'
import type { Place } from './compose.ts'
import type { ServiceAccount } from './service-account.ts'

/** A token that could not be revoked ends by itself. */
const END_MS = 2_000

/** HashiCorp Vault beside Google Cloud. Throws `invalid/config`. The service account is what the logins `gcp` and `jwt` prove. */
export function vaultPlace(environment: Readonly<Record<string, string | undefined>>, account: ServiceAccount): Place {
  const platform = { jwt: account.idToken, googleAccessToken: account.accessToken }
  const { mount, pendingFolder, ...settings } = readVaultSettings(environment, platform)
  const client = vaultClient(settings)
  const store = vaultKv({ client, mount, pendingFolder })
  // Events of Secret Manager are about other secrets than Vault's.
  const isSwept = async () => false
  return { store, admin: adminIn(store.readCurrent), isSwept, end: () => client.end(AbortSignal.timeout(END_MS)) }
}
