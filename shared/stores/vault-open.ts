import { type Leave, lastOut } from '../last-out.ts'
import { vaultClient } from '../vault/client.ts'
import { readVaultSettings } from '../vault/settings.ts'
import type { VaultPlatform } from '../vault/settings-login.ts'
import { type VaultKv, vaultKv } from './vault-kv.ts'

/** How long a revocation may take. A token that was not revoked ends by itself. */
const END_MS = 1_000

export interface OpenVault {
  readonly store: VaultKv
  /** Around each invocation: when the last one leaves, what was logged in for them is revoked. Leaving never throws. */
  readonly enter: () => Leave
}

/** Vault as an environment names it, and a platform proves itself to it. Nothing is sent. Throws `invalid/config`. */
export function openVault(environment: Readonly<Record<string, string | undefined>>, platform?: VaultPlatform): OpenVault {
  const { mount, pendingFolder, ...settings } = readVaultSettings(environment, platform)
  const client = vaultClient(settings)
  return {
    store: vaultKv({ client, mount, pendingFolder }),
    enter: lastOut(() => client.end(AbortSignal.timeout(END_MS)))
  }
}
