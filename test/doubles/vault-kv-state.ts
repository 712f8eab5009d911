/** One version. Its value is kept as text, because KV keeps JSON and not what was sent. */
export interface Version {
  readonly createdAt: number
  readonly json: string
  deletedAt: number | undefined
  destroyed: boolean
}

/** What a path and a mount can be set to. */
export interface Settings {
  maxVersions: number
  casRequired: boolean
  deleteAfterMs: number
}

export interface Entry extends Settings {
  current: number
  oldest: number
  readonly createdAt: number
  updatedAt: number
  custom: Readonly<Record<string, string>> | undefined
  readonly versions: Map<number, Version>
}

export interface Mount extends Settings {
  readonly entries: Map<string, Entry>
  readonly now: () => number
}

export interface Answer {
  readonly status: number
  readonly body?: object
}

export type Input = Readonly<Record<string, unknown>>

export const newMount = (now: () => number): Mount => ({
  entries: new Map(),
  now,
  ...{ maxVersions: 0, casRequired: false, deleteAfterMs: 0 }
})

/** api-docs, "Error response": a list of texts. */
export const refused = (status: number, ...errors: readonly string[]): Answer => ({ status, body: { errors } })
export const NOTHING: Answer = { status: 404, body: { errors: [] } }
export const DONE: Answer = { status: 204 }
/** api-docs, every sample response of a secrets engine. */
export const answered = (data: object, status = 200): Answer => ({
  status,
  body: {
    request_id: 'double',
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    data,
    wrap_info: null,
    warnings: null,
    auth: null
  }
})

export const objectOr = (value: unknown): Input => (typeof value === 'object' && value !== null ? (value as Input) : {})

export function entryOf(mount: Mount, path: string): Entry {
  const found = mount.entries.get(path)
  if (found) return found
  const at = mount.now()
  const made = { current: 0, oldest: 0, createdAt: at, updatedAt: at, custom: undefined, versions: new Map() }
  const entry: Entry = { ...made, maxVersions: 0, casRequired: false, deleteAfterMs: 0 }
  mount.entries.set(path, entry)
  return entry
}

/** docs/secrets/kv/kv-v2: a version that was deleted, or whose time is over, is not given any more; undelete undoes it. */
export const isReadable = (mount: Mount, { deletedAt, destroyed }: Version): boolean =>
  !destroyed && (deletedAt === undefined || deletedAt > mount.now())

/**
 * Of both settings the shorter time counts, 0 is "not set", and a negative one of the mount's says that nothing is deleted
 * (api-docs, "Configure the KV engine": "delete_version_after").
 */
export function deletionTime(mount: Mount, entry: Entry, from: number): number | undefined {
  if (mount.deleteAfterMs < 0) return undefined
  const set = [mount.deleteAfterMs, entry.deleteAfterMs].filter((ms) => ms > 0)
  return set.length > 0 ? from + Math.min(...set) : undefined
}

/** Of both settings the greater one counts (plugin kv, path_data.go, AddVersion), and 10 where neither is set; what is older is gone for good. */
export function prune(mount: Mount, entry: Entry): void {
  const kept = Math.max(mount.maxVersions, entry.maxVersions) || 10
  if (entry.current - entry.oldest < kept) return
  entry.oldest = entry.current - kept + 1
  for (const version of entry.versions.keys()) if (version < entry.oldest) entry.versions.delete(version)
}

/** Nanoseconds, as Vault prints them. `''` is none. */
export const printTime = (at: number | undefined): string =>
  at === undefined ? '' : new Date(at).toISOString().replace('Z', '000000Z')

export function printVersion({ createdAt, deletedAt, destroyed }: Version): object {
  return { created_time: printTime(createdAt), deletion_time: printTime(deletedAt), destroyed }
}

/** Go's time.Duration, for whole seconds. */
export function printDuration(ms: number): string {
  const s = Math.trunc(ms / 1000)
  const [h, m] = [Math.trunc(s / 3600), Math.trunc((s % 3600) / 60)]
  if (h !== 0) return `${h}h${m}m${s % 60}s`
  return m !== 0 ? `${m}m${s % 60}s` : `${s}s`
}

/** docs/concepts/duration-format: seconds, or a number with its unit. */
export function parseDuration(value: unknown): number {
  if (typeof value === 'number') return value * 1000
  const [, number = '0', unit = 's'] = /^(-?\d+)([smh])?$/.exec(String(value)) ?? []
  return Number(number) * { s: 1000, m: 60_000, h: 3_600_000 }[unit as 's' | 'm' | 'h']
}
