import type { TokenCredential } from '@azure/core-auth'
import type { SecretClientOptions } from '@azure/keyvault-secrets'
import { KeyturnError } from '../errors.ts'
import { refuseLong } from '../length.ts'
import type { CurrentReader, SecretCatalog, SecretFacts, SecretStore, StoreFacts } from '../ports/secret-store.ts'
import type { SecretId } from '../types.ts'
import { type Azure, getNewest, getVersion } from './azure-calls.ts'
import { annotate, list } from './azure-catalog.ts'
import { clockOf, type JournalClientOptions, storageClient, vaultClient } from './azure-client.ts'
import { journalOf, MAX_REQUEST_TIMEOUT_MS } from './azure-journal.ts'
import { factsOf } from './azure-lineage.ts'
import { lookAt } from './azure-look.ts'
import { memoryOf } from './azure-memory.ts'
import { containerAddress, idOf, nameOf, placeOf, rotatedNameOf, vaultAddress } from './azure-names.ts'
import { promote } from './azure-promote.ts'
import { restore } from './azure-restore.ts'
import { claim, drop, stage } from './azure-siblings.ts'

export interface AzureKeyVaultSettings {
  /** `https://<name>.vault.azure.net` */
  readonly vaultUrl: string
  readonly credential: TokenCredential
  readonly journal: {
    /** A blob container, `https://<account>.blob.core.windows.net/<container>`; nobody else writes in it. */
    readonly containerUrl: string
    /** Default: the vault's. */
    readonly credential?: TokenCredential | undefined
    readonly clientOptions?: JournalClientOptions
  }
  readonly clientOptions?: SecretClientOptions
  /** How long one request may take: 1 to 30 000 ms, half a lease. Default 5 s: a call that takes longer is lost. */
  readonly requestTimeoutMs?: number
  /** The clock where an answer has no Date header, ms since 1970. Default: the machine's. */
  readonly now?: () => number
  /** A clock that nobody sets, ms. Default: performance.now. */
  readonly steadyMs?: () => number
}

export type AzureKeyVault = SecretStore & SecretCatalog & CurrentReader

const FACTS: StoreFacts = {
  name: 'Azure Key Vault',
  // rest/api/keyvault/secrets/set-secret: no If-Match, no token. The lease and a look keep keyturn's own runs apart.
  compareAndSet: false,
  fence: false,
  // azure/reliability/reliability-key-vault: "synchronously replicated across availability zones", and all requests go to
  // the primary region. After a failover, which may show an old state, the vault is read-only: nothing can be staged there.
  convergenceMs: 0,
  metadataCompareAndSet: false,
  // key-vault/secrets/about-secrets: "a maximum size of 25 KB each".
  maxValueBytes: 25 * 1024,
  cannot:
    'compare anything: a blob lease keeps keyturn’s own runs apart; a commit that lands after its sender gave it up is current until the next look, which brings back what was current where the journal’s order proves that it came late, and leaves it where not; a pending value that lands so late hides another attempt’s, which then starts again; a person’s write in the moment of a commit is overwritten, and so is their change of its tags; one by keyturn, a hold, waits for the commit, and is lost only beside one that lands after its sender gave it up; a new version without our tags is found by listing'
}

/**
 * Azure Key Vault. current = the newest version, the one that a get without a version gives; it is never disabled, because
 * then nobody can read the secret. Pending = the sibling secret `<name>-pending`. Two tags on a version: `keyturn` is the
 * policy (`kind=postgres;owner=platform;period=30d`; a person may write it), `keyturn-state` the attempt that made it and
 * our records. Whatever is written is announced in a journal first, a blob, because Key Vault compares nothing.
 * Calls of the vault, when nothing is wrong: describe 2 (3 the first time that a process sees a version without our tags) ·
 * read 1 (0 right after the look that named it) · claim 1 · stage 1 · promote 3 · drop 1 · annotate 3. Calls of the journal:
 * claim, stage and drop 2 each, promote 4, annotate 1.
 * What is not guaranteed: a commit that lands after its sender gave it up is current until the next look, which brings back
 * what was current before (design rule 6), if it is certain that it came late; a person’s write between promote's look and
 * its write is overwritten; one of ours that lands late on the sibling hides what is pending there.
 * Throws `invalid/config`.
 */
export function azureKeyVault(settings: AzureKeyVaultSettings): AzureKeyVault {
  const azure = connected(settings)
  const { vault, memory } = azure
  const rotated = (id: SecretId): string => rotatedNameOf(vault, id)
  return {
    facts: FACTS,
    describe: async (id, signal) => describe(azure, rotated(id), signal),
    async read(id, version, signal) {
      const place = placeOf(rotated(id), version)
      const found =
        place && (memory.take(place.name, place.version) ?? (await getVersion(azure, place.name, place.version, signal)))
      return found && { text: found.text, createdAt: found.createdAt }
    },
    claim: async (id, attempt, seen, signal) => claim(azure, rotated(id), attempt, seen, signal),
    async stage(id, attempt, value, signal) {
      refuseLong(value, FACTS)
      return stage(azure, rotated(id), attempt, value, signal)
    },
    promote: async (id, attempt, signal) => promote(azure, rotated(id), attempt, signal),
    drop: async (id, token, signal) => drop(azure, rotated(id), token, signal),
    list: (signal) => list(azure, signal),
    annotate: async (id, patch, _expected, signal) => annotate(azure, rotated(id), patch, signal),
    async readCurrent(id, signal) {
      const found = await getNewest(azure, nameOf(vault, id), signal)
      if (!found) throw new KeyturnError('not-found/secret', `there is no secret ${id}`)
      return { id: idOf(vault, found.name), version: found.id, text: found.text, createdAt: found.createdAt }
    }
  }
}

function connected(settings: AzureKeyVaultSettings): Azure {
  const { credential, journal, clientOptions = {}, requestTimeoutMs = 5_000, now = Date.now } = settings
  const steadyMs = settings.steadyMs ?? (() => performance.now())
  const vault = vaultAddress(settings.vaultUrl)
  const clock = clockOf(now)
  const send = storageClient(
    journal.credential ?? credential,
    journal.clientOptions ?? {},
    requestTimeoutMs,
    // Another service's clock: nothing is told by it.
    clockOf(now)
  )
  const containerUrl = containerAddress(journal.containerUrl)
  if (!(requestTimeoutMs >= 1 && requestTimeoutMs <= MAX_REQUEST_TIMEOUT_MS))
    throw new KeyturnError('invalid/config', `requestTimeoutMs must be from 1 to ${MAX_REQUEST_TIMEOUT_MS}, half a lease`)
  return {
    client: vaultClient(vault, credential, clientOptions, requestTimeoutMs, clock),
    vault,
    clock,
    journal: journalOf({ send, containerUrl, vaultHost: vault.host, requestTimeoutMs, steadyMs, now }),
    memory: memoryOf(steadyMs),
    requestTimeoutMs,
    steadyMs
  }
}

/** How often a look mends before it gives up: each time somebody wrote since. */
const MENDINGS = 3

async function describe(azure: Azure, name: string, signal: AbortSignal): Promise<SecretFacts | undefined> {
  for (let n = 0; n < MENDINGS; n++) {
    const look = await lookAt(azure, name, signal)
    if (!look) return undefined
    if (!look.isLate) return factsOf(azure.vault, look.main, look.sibling, look.lineage, azure.clock.now())
    await restore(azure, look.main, signal)
  }
  throw new KeyturnError('busy/claimed', `${name} is being written by others, late and again`)
}
