import { adminIn } from '../../shared/admin.ts'
import { openVault } from '../../shared/stores/vault-open.ts'
import type { Place, Stored } from './stores.ts'

/** Vault or OpenBao, by VAULT_ADDR and VAULT_TOKEN as its own command line takes them, or by one of the logins. */
export async function vaultPlace({ environment }: Place): Promise<Stored> {
  const { store, enter } = openVault(environment)
  return { store, admin: adminIn(store.readCurrent), read: store.readCurrent, end: enter() }
}
