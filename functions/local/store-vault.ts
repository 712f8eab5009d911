import { adminIn } from '../../shared/admin.ts'
import { vaultKv } from '../../shared/stores/vault-kv.ts'
import { vaultClient } from '../../shared/vault/client.ts'
import { readVaultSettings } from '../../shared/vault/settings.ts'
import type { Place, Stored } from './stores.ts'

/** A token that could not be revoked ends by itself. */
const END_MS = 2_000

/** Vault or OpenBao, by VAULT_ADDR and VAULT_TOKEN as its own command line takes them, or by one of the logins. */
export async function vaultPlace({ environment }: Place): Promise<Stored> {
  const { mount, pendingFolder, ...settings } = readVaultSettings(environment)
  const client = vaultClient(settings)
  const store = vaultKv({ client, mount, pendingFolder })
  return { store, admin: adminIn(store.readCurrent), end: () => client.end(AbortSignal.timeout(END_MS)) }
}
