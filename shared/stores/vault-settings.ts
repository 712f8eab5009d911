import { KeyturnError } from '../errors.ts'
import type { Instant, SecretId } from '../types.ts'
import { type Kv, type KvSettings, type KvVersion, readConfig } from './vault-calls.ts'

/** The mount's own settings: asked once a process, and again when an answer shows that they changed. */
export interface MountSettings {
  /** Fails with `unsupported/store` where versions of the mount delete themselves. */
  read(signal: AbortSignal): Promise<KvSettings>
  forget(): void
}

export function mountSettings(kv: Kv): MountSettings {
  let known: KvSettings | undefined
  return {
    read: async (signal) => {
      const found = known ?? (await readConfig(kv, signal))
      if (isSet(found.deleteVersionAfter))
        throw new KeyturnError(
          'unsupported/store',
          `versions in ${kv.mount}/ are deleted by themselves after ${found.deleteVersionAfter}, which takes credentials from ` +
            `their readers: run \`vault write ${kv.mount}/config delete_version_after=0s\`, and undelete what has a deletion_time`
        )
      known = found
      return found
    },
    forget: () => {
      known = undefined
    }
  }
}

/** How many versions KV keeps where neither mount nor path says (api-docs, "Configure the KV engine"). */
const DEFAULT_MAX_VERSIONS = 10
/** Current, the one before it, and one that is written again when a late promotion has to be stopped. */
const LEAST_VERSIONS = 3

/**
 * Refuses a path on which keyturn could not keep its promises. A mount's `-1s` overrules every path's delete_version_after
 * (path_data.go). Of the two max_versions the greater one counts (path_data.go, AddVersion; run on OpenBao): a path's
 * cannot make the mount's smaller, whatever the api-docs say of "overwrite".
 */
export function refuseSettings(kv: Kv, id: SecretId, path: KvSettings, mount: KvSettings): void {
  if (isSet(path.deleteVersionAfter) && !mount.deleteVersionAfter.startsWith('-'))
    throw new KeyturnError(
      'unsupported/store',
      `versions of ${id} are deleted by themselves after ${path.deleteVersionAfter}: run ` +
        `\`vault kv metadata put -mount=${kv.mount} -delete-version-after=0s ${id}\``
    )
  if (keptVersions(path, mount) < LEAST_VERSIONS)
    throw new KeyturnError(
      'unsupported/store',
      `${id} keeps ${keptVersions(path, mount)} versions, and a rotation needs ${LEAST_VERSIONS}: run ` +
        `\`vault kv metadata put -mount=${kv.mount} -max-versions=${DEFAULT_MAX_VERSIONS} ${id}\``
    )
}

export const keptVersions = (path: KvSettings, mount: KvSettings): number =>
  Math.max(path.maxVersions, mount.maxVersions) || DEFAULT_MAX_VERSIONS

/** Refuses a current version that its readers do not get any more: Vault answers them 404. */
export function refuseDeleted(kv: Kv, id: SecretId, current: KvVersion, seenAt: Instant): void {
  const { version, deletedAt, isDestroyed } = current
  if (isDestroyed)
    throw new KeyturnError('disabled/secret', `the current version ${version} of ${id} was destroyed: write a new one`)
  // Date has whole seconds.
  if (deletedAt !== undefined && deletedAt < seenAt + 1_000)
    throw new KeyturnError('disabled/secret', `the current version ${version} of ${id} was deleted: ${undelete(kv, id, version)}`)
}

/** Refuses a version that will be deleted by itself some day, which stays so when the setting that did it is gone. */
export function refuseExpiring(kv: Kv, id: SecretId, { version, deletedAt }: KvVersion): void {
  if (deletedAt === undefined) return
  const settings = `delete_version_after of ${kv.mount}/config and of the path`
  throw new KeyturnError(
    'unsupported/store',
    `version ${version} of ${id} will be deleted by itself: set ${settings} to 0s, then ${undelete(kv, id, version)}`
  )
}

const undelete = (kv: Kv, id: SecretId, version: number): string =>
  `run \`vault kv undelete -mount=${kv.mount} -versions=${version} ${id}\``

const isSet = (duration: string): boolean => !/^-|^0s?$/.test(duration)
