import { adminIn } from '../../shared/admin.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { azureKeyVault } from '../../shared/stores/azure-key-vault.ts'
import type { Place, Stored } from './stores.ts'

/**
 * Azure Key Vault, as whoever is signed in: the environment, a managed identity, or `az login` (DefaultAzureCredential).
 * It needs the same container of leases as the functions do: two runs that do not see each other's could both commit.
 */
export async function azurePlace({ environment }: Place): Promise<Stored> {
  const vaultUrl = required(environment, 'KEYTURN_KEY_VAULT_URL', 'the vault, https://<name>.vault.azure.net')
  const containerUrl = required(environment, 'KEYTURN_JOURNAL_URL', 'the blob container that the function app uses')
  const { DefaultAzureCredential } = await import('@azure/identity')
  const store = azureKeyVault({
    vaultUrl,
    credential: new DefaultAzureCredential(),
    journal: { containerUrl }
  })
  return { store, admin: adminIn(store.readCurrent), read: store.readCurrent }
}

function required(environment: Place['environment'], name: string, what: string): string {
  const url = environment[name]
  if (!url || !URL.canParse(url) || new URL(url).protocol !== 'https:')
    throw new KeyturnError('invalid/config', `${name} must be an https URL: ${what}`)
  return url
}
