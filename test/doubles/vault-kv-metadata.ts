import {
  type Answer,
  answered,
  DONE,
  type Entry,
  entryOf,
  type Input,
  type Mount,
  NOTHING,
  objectOr,
  parseDuration,
  printDuration,
  printTime,
  printVersion,
  refused,
  type Settings
} from './vault-kv-state.ts'

const printSettings = ({ maxVersions, casRequired, deleteAfterMs }: Settings): object => ({
  max_versions: maxVersions,
  cas_required: casRequired,
  delete_version_after: printDuration(deleteAfterMs)
})

/** What is not given stays. */
function set(settings: Settings, input: Input): void {
  if (input.max_versions !== undefined) settings.maxVersions = Number(input.max_versions)
  if (input.cas_required !== undefined) settings.casRequired = input.cas_required === true
  if (input.delete_version_after !== undefined) settings.deleteAfterMs = parseDuration(input.delete_version_after)
}

/** api-docs, "Read KV engine configuration". */
export const readConfig = (mount: Mount): Answer => answered(printSettings(mount))

/** api-docs, "Configure the KV engine". */
export function writeConfig(mount: Mount, input: Input): Answer {
  set(mount, input)
  return DONE
}

/** api-docs, "Read secret metadata". */
export function readMetadata(mount: Mount, path: string): Answer {
  const entry = mount.entries.get(path)
  if (!entry) return NOTHING
  const versions = Object.fromEntries([...entry.versions].map(([number, version]) => [number, printVersion(version)]))
  return answered({
    ...printSettings(entry),
    ...{ current_version: entry.current, oldest_version: entry.oldest, versions },
    ...{ created_time: printTime(entry.createdAt), updated_time: printTime(entry.updatedAt) },
    custom_metadata: entry.custom ?? null
  })
}

/** api-docs, "Create/update metadata": custom_metadata is replaced; the path is made where it is not there. */
export function writeMetadata(mount: Mount, path: string, input: Input): Answer {
  const custom = input.custom_metadata === undefined ? undefined : objectOr(input.custom_metadata)
  const wrong = custom && unfit(custom)
  if (wrong) return wrong
  const entry = entryOf(mount, path)
  set(entry, input)
  if (custom) entry.custom = strings(custom)
  return DONE
}

/** api-docs, "Patch metadata": a JSON merge patch (RFC 7396); the path has to be there. */
export function patchMetadata(mount: Mount, path: string, input: Input, type: string): Answer {
  if (!type.startsWith('application/merge-patch+json'))
    return refused(415, `PATCH takes application/merge-patch+json, not ${type}`)
  const patch = objectOr(input.custom_metadata)
  const wrong = unfit(Object.fromEntries(Object.entries(patch).filter(([, text]) => text !== null)))
  if (wrong) return wrong
  const entry = mount.entries.get(path)
  if (!entry) return { status: 404 }
  set(entry, input)
  if (input.custom_metadata !== undefined) {
    const merged = Object.entries({ ...entry.custom, ...patch }).filter(([, text]) => text !== null)
    entry.custom = strings(Object.fromEntries(merged))
    entry.updatedAt = mount.now()
  }
  return DONE
}

/** api-docs, "Delete metadata and all versions". */
export function deleteMetadata(mount: Mount, path: string): Answer {
  mount.entries.delete(path)
  return DONE
}

/** api-docs, "List secrets": names in one folder, folders with a slash; 404 where there are none. */
export function listMetadata(mount: Mount, path: string): Answer {
  const folder = path === '' || path.endsWith('/') ? path : `${path}/`
  const below = [...mount.entries.keys()].filter((name) => name.startsWith(folder)).map((name) => name.slice(folder.length))
  const keys = [...new Set(below.map((name) => name.replace(/\/.*/, '/')))].sort()
  return keys.length === 0 ? NOTHING : answered({ keys })
}

const strings = (custom: Input): NonNullable<Entry['custom']> =>
  Object.fromEntries(Object.entries(custom).map(([key, text]) => [key, String(text)]))

/** api-docs, "custom_metadata": 64 keys, 128 bytes a key, 512 a value, neither empty, and printable (path_metadata.go). */
function unfit(custom: Input): Answer | undefined {
  const entries = Object.entries(custom).map(([key, text]) => [key, String(text)] as const)
  const isLong = (text: string, max: number) => text === '' || Buffer.byteLength(text) > max || /\p{Cc}/u.test(text)
  const isUnfit = entries.length > 64 || entries.some(([key, text]) => isLong(key, 128) || isLong(text, 512))
  return isUnfit ? refused(400, '1 error occurred:\n\t* custom_metadata validation failed\n\n') : undefined
}
