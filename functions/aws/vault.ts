import { adminIn } from '../../shared/admin.ts'
import { vaultKv } from '../../shared/stores/vault-kv.ts'
import { vaultClient } from '../../shared/vault/client.ts'
import { readVaultSettings } from '../../shared/vault/settings.ts'
import type { Place } from './compose.ts'

/** A token that could not be revoked ends by itself. */
const END_MS = 2_000

/** Vault beside AWS. Throws `invalid/config`. The role's own credentials, in the environment, are what the login `aws` proves. */
export function vaultPlace(environment: Readonly<Record<string, string | undefined>>): Place {
  const { mount, pendingFolder, ...settings } = readVaultSettings(environment)
  const client = vaultClient(settings)
  const store = vaultKv({ client, mount, pendingFolder })
  const end = () => client.end(AbortSignal.timeout(END_MS))
  return { store: () => store, admin: adminIn(store.readCurrent), takesSteps: false, end }
}
