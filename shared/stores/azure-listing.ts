import type { SecretFacts } from '../ports/secret-store.ts'
import { setAside } from '../set-aside.ts'
import { type Azure, listNewest, listVersions, type Version } from './azure-calls.ts'
import { clockOf, vaultClient } from './azure-client.ts'
import type { AzureKeyVaultSettings } from './azure-key-vault.ts'
import { factsOf, inOrder, lineageOf, pastOf } from './azure-lineage.ts'
import { siblingOf, vaultAddress } from './azure-names.ts'
import { hasPolicy, originOf, siblingMark } from './azure-tags.ts'

type Client = Pick<Azure, 'client'>

/**
 * Managed secrets, each by what `factsOf` makes of it and of its sibling; what that cannot understand is said at the end. A
 * secret whose policy is on an older version is found by its sibling.
 */
export async function* listManaged(
  azure: Client,
  factsOf: (item: Version, sibling: Version | undefined) => Promise<SecretFacts | undefined>,
  signal: AbortSignal
): AsyncGenerator<SecretFacts> {
  const items = await listNewest(azure, signal)
  const byName = new Map(items.map((item) => [item.name.toLowerCase(), item]))
  const rest = setAside()
  for (const item of items) {
    const sibling = byName.get(siblingOf(item.name.toLowerCase()))
    if (!hasPolicy(item.tags) && !(sibling && siblingMark(sibling.tags))) continue
    try {
      const facts = await factsOf(item, sibling)
      if (facts) yield facts
    } catch (e) {
      rest.put(e)
    }
  }
  rest.say()
}

/**
 * The secrets of a vault for reports, by tags and times alone: the role Key Vault Reader is enough. Nothing that is pending
 * is shown, and nothing late is told from what is in order. Throws `invalid/config`.
 */
export function keyVaultListing(
  settings: Pick<AzureKeyVaultSettings, 'vaultUrl' | 'credential' | 'clientOptions' | 'requestTimeoutMs'>
): (signal: AbortSignal) => AsyncGenerator<SecretFacts> {
  const { vaultUrl, credential, clientOptions = {}, requestTimeoutMs = 5_000 } = settings
  const vault = vaultAddress(vaultUrl)
  const clock = clockOf(Date.now)
  const azure = { client: vaultClient(vault, credential, clientOptions, requestTimeoutMs, clock) }
  return (signal) =>
    listManaged(
      azure,
      async ({ name }) => {
        const versions = await listVersions(azure, name, signal)
        const main = inOrder(versions, '').at(-1)
        // Deleted since the list began.
        if (!main) return undefined
        const origin = originOf(main.tags)
        const lineage = lineageOf(main, origin, origin.token === undefined ? pastOf(main, versions) : undefined)
        const facts = factsOf(vault, main, { state: 'none' }, lineage, clock.now())
        return facts.metadata.kind === undefined ? undefined : facts
      },
      signal
    )
}
