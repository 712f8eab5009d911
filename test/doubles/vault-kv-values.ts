import {
  type Answer,
  answered,
  DONE,
  deletionTime,
  type Entry,
  entryOf,
  type Input,
  isReadable,
  type Mount,
  NOTHING,
  objectOr,
  printVersion,
  prune,
  refused,
  type Version
} from './vault-kv-state.ts'

/** api-docs, "Read secret version": 404 for a deleted version, with its metadata. */
export function readData(mount: Mount, path: string, asked: number): Answer {
  const entry = mount.entries.get(path)
  const number = asked > 0 ? asked : entry?.current
  const version = number === undefined ? undefined : entry?.versions.get(number)
  if (!entry || !version) return NOTHING
  const metadata = metadataOf(entry, number ?? 0, version)
  const isThere = isReadable(mount, version)
  return answered({ data: isThere ? JSON.parse(version.json) : null, metadata }, isThere ? 200 : 404)
}

const metadataOf = (entry: Entry, version: number, of: Version): object => ({
  ...printVersion(of),
  custom_metadata: entry.custom ?? null,
  version
})

/** api-docs, "Create/update secret": with `cas` only where it names the newest version, 0 where there is none. */
export function writeData(mount: Mount, path: string, input: Input): Answer {
  if (input.data === undefined) return refused(400, 'no data provided')
  const cas = objectOr(input.options).cas
  const current = mount.entries.get(path)?.current ?? 0
  const isRequired = mount.casRequired || mount.entries.get(path)?.casRequired
  if (cas === undefined && isRequired) return refused(400, 'check-and-set parameter required for this call')
  if (cas !== undefined && Number(cas) !== current)
    return refused(400, 'check-and-set parameter did not match the current version')
  const entry = entryOf(mount, path)
  const createdAt = mount.now()
  const deletedAt = deletionTime(mount, entry, createdAt)
  const version: Version = { createdAt, json: JSON.stringify(sorted(input.data)), deletedAt, destroyed: false }
  entry.current += 1
  entry.updatedAt = createdAt
  entry.versions.set(entry.current, version)
  prune(mount, entry)
  return answered(metadataOf(entry, entry.current, version))
}

/** Go prints the names of a map in order. Numbers were doubles on the way here, as they are there. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, sorted(field)])
  )
}

/** api-docs, "Delete latest version of secret": it can be undone. */
export function deleteLatest(mount: Mount, path: string): Answer {
  return changeVersions(mount, path, { versions: [mount.entries.get(path)?.current ?? 0] }, 'delete')
}

/** api-docs, "Delete secret versions", "Undelete secret versions", "Destroy secret versions". Unknown numbers are no error. */
export function changeVersions(mount: Mount, path: string, input: Input, how: 'delete' | 'undelete' | 'destroy'): Answer {
  const entry = mount.entries.get(path)
  const asked = Array.isArray(input.versions) ? input.versions.map(Number) : []
  if (asked.length === 0) return refused(400, 'No version number provided')
  for (const number of asked) {
    const version = entry?.versions.get(number)
    if (!entry || !version || version.destroyed) continue
    if (how === 'destroy') entry.versions.set(number, { ...version, json: 'null', destroyed: true })
    // plugin kv, path_delete.go: under a delete_version_after the time begins anew.
    else if (how === 'undelete') version.deletedAt = deletionTime(mount, entry, mount.now())
    else if (isReadable(mount, version)) version.deletedAt = mount.now()
  }
  return DONE
}
