import { KeyturnError } from '../errors.ts'
import { refuseLong } from '../length.ts'
import type { CurrentReader, SecretCatalog, SecretStore, StoredValue, StoreFacts } from '../ports/secret-store.ts'
import type { SecretId, VersionId } from '../types.ts'
import type { VaultClient } from '../vault/client.ts'
import { type Kv, readMetadata, readValue } from './vault-calls.ts'
import { annotate, list } from './vault-catalog.ts'
import { memory } from './vault-memory.ts'
import { pendingPath, refuseBadMount } from './vault-place.ts'
import { promote } from './vault-promote.ts'
import { mountSettings, refuseDeleted } from './vault-settings.ts'
import { factsOf, isVersionId, lookAt, lookAtPending, pendingId, type Vault, versionId } from './vault-sight.ts'
import { claim, drop, stage } from './vault-stages.ts'

export interface VaultKvSettings {
  readonly client: VaultClient
  /** Where KV version 2 is mounted. Default `secret`. */
  readonly mount?: string | undefined
  /**
   * The folder that pending values are kept in, below the mount. Default `keyturn/pending`: a folder of its own, and not a
   * name beside the secret's, which whoever may read `app/*` would read too.
   */
  readonly pendingFolder?: string | undefined
}

export type VaultKv = SecretStore & SecretCatalog & CurrentReader

const FACTS: StoreFacts = {
  name: 'Vault KV v2',
  compareAndSet: true,
  fence: true,
  convergenceMs: 0,
  metadataCompareAndSet: false,
  // Vault stores JSON as Go writes it, where `<` has six bytes: six times this is below the entry size of every storage
  // (docs/internals/limits, "Storage entry size": Consul 512 KiB, integrated storage 1 MiB).
  maxValueBytes: 65_536,
  cannot:
    'compare metadata (OpenBao alone could), keep the order of a document’s fields, or keep a performance standby’s readers up to date'
}

/**
 * KV version 2 of HashiCorp Vault (1.10 and later: PATCH of metadata) and of OpenBao. An id is the path below the mount:
 * `app/db`. The fields of a version are the document's (vault-document.ts), so that applications read them by name.
 * current = current_version; a pending value, a claim and the end of an attempt are versions of a second path
 * (vault-record.ts), which keeps its newest only, each written with `options.cas`; the commit is a write of main with
 * cas = base, and its own record. Metadata are custom_metadata, `keyturn:…`, without a compare-and-set: only OpenBao has one.
 *
 * Calls, when nothing is wrong: describe 2 (and one that reads the mount's config, once a process) · read 1, or none right
 * after the look that brought the value along · claim, stage, promote and drop 1 each in the process that looked a moment
 * ago, 2 or 3 more in another; 1 more for a secret's first attempt, and for a drop where the mount's max_versions is more
 * than 1 · annotate 2 · list 1 a folder, 1 a secret and 1 a managed secret.
 *
 * What is not guaranteed: an ordinary reader at a performance standby or a secondary may be given the version before until
 * that one has caught up (docs/enterprise/consistency). A promote of a dropped attempt is refused only when current moved
 * since (design rule 6).
 *
 * The policy, for the mount `secret`: read and update on `secret/data/*`; read, list and patch on `secret/metadata/*`;
 * read and update on `secret/data/keyturn/pending/*`; create and update on `secret/metadata/keyturn/pending/*`;
 * read on `secret/config`; update on `secret/destroy/keyturn/pending/*` where the mount's max_versions is more than 1.
 */
export function vaultKv(settings: VaultKvSettings): VaultKv {
  const kv = kvOf(settings)
  const vault: Vault = { ...kv, settings: mountSettings(kv) }
  const kept = memory()
  const stages = { vault, memory: kept }
  return {
    facts: FACTS,
    async describe(id, signal) {
      const by = kept.nextLook(id)
      kept.forget(id)
      const sight = await lookAt(vault, id, by, signal)
      if (sight) kept.saw(id, sight)
      return sight && factsOf(id, sight)
    },
    read: async (id, version, signal) => kept.take(id, version) ?? readVersion(vault, id, version, signal),
    claim: (id, attempt, seen, signal) => claim(stages, id, attempt, seen, signal),
    async stage(id, attempt, value, signal) {
      refuseLong(value, FACTS)
      return stage(stages, id, attempt, value, signal)
    },
    promote: (id, attempt, signal) => promote(stages, id, attempt, signal),
    drop: (id, token, signal) => drop(stages, id, token, signal),
    list: (signal) => list(vault, signal),
    annotate: (id, patch, _expected, signal) => annotate(vault, id, patch, signal),
    async readCurrent(id, signal) {
      pendingPath(vault, id)
      const found = await readValue(vault, id, undefined, signal)
      if (found && !found.text) refuseDeleted(vault, id, found, found.seenAt)
      if (!found?.text) throw new KeyturnError('not-found/secret', `there is no secret ${id}, or its current version is empty`)
      return { id, version: versionId(found.version), text: found.text, createdAt: found.createdAt }
    }
  }
}

/** Throws `invalid/config`. */
export function kvOf({ client, mount = 'secret', pendingFolder = 'keyturn/pending' }: VaultKvSettings): Kv {
  const kv: Kv = { client, mount, pendingFolder }
  refuseBadMount(kv)
  return kv
}

/** A version that was deleted has no value; where it is current, that is an outage of its readers, and said. */
async function readVersion(
  vault: Vault,
  id: SecretId,
  version: VersionId,
  signal: AbortSignal
): Promise<StoredValue | undefined> {
  pendingPath(vault, id)
  if (version.startsWith(pendingId(''))) {
    const { record, createdAt } = await lookAtPending(vault, id, signal)
    const isIt = record?.state === 'pending' && version === pendingId(record.token)
    return isIt ? { text: record.document, createdAt } : undefined
  }
  if (!isVersionId(version)) return undefined
  const found = await readValue(vault, id, Number(version), signal)
  if (found?.text) return { text: found.text, createdAt: found.createdAt }
  const metadata = found && (await readMetadata(vault, id, signal))
  if (found && metadata?.current === found.version) refuseDeleted(vault, id, found, found.seenAt)
  return undefined
}
