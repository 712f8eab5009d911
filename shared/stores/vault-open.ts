import { type Leave, lastOut } from '../last-out.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import { vaultClient } from '../vault/client.ts'
import { readVaultSettings } from '../vault/settings.ts'
import type { VaultPlatform } from '../vault/settings-login.ts'
import { listMetadata } from './vault-catalog.ts'
import { kvOf, type VaultKv, vaultKv } from './vault-kv.ts'

/** How long a revocation may take. A token that was not revoked ends by itself. */
const END_MS = 1_000

export interface OpenVault {
  readonly store: VaultKv
  /** What the store lists, without a value that is read: for reports. */
  readonly listing: (signal: AbortSignal) => AsyncIterable<SecretFacts>
  /** Around each invocation: when the last one leaves, what was logged in for them is revoked. Leaving never throws. */
  readonly enter: () => Leave
}

/** Vault as an environment names it, and a platform proves itself to it. Nothing is sent. Throws `invalid/config`. */
export function openVault(environment: Readonly<Record<string, string | undefined>>, platform?: VaultPlatform): OpenVault {
  const { mount, pendingFolder, ...settings } = readVaultSettings(environment, platform)
  const client = vaultClient(settings)
  const kv = { client, mount, pendingFolder }
  return {
    store: vaultKv(kv),
    listing: (signal) => listMetadata(kvOf(kv), signal),
    enter: lastOut(() => client.end(AbortSignal.timeout(END_MS)))
  }
}
