import type { StoredValue } from '../ports/secret-store.ts'
import type { SecretId, VersionId } from '../types.ts'
import { type By, pendingId, type Sight, versionId } from './vault-sight.ts'

/**
 * What this process saw of a secret a moment ago, so that the calls of one rotation need not ask for the same again. It
 * decides nothing: every write compares with the version that it was decided from, and what would be refused from memory
 * is looked at first. A few secrets, a minute, in this process only.
 */
export interface Memory {
  /** The last look, or what our own write since made of it. */
  sight(id: SecretId): Sight | undefined
  saw(id: SecretId, sight: Sight): void
  forget(id: SecretId): void
  /** A value that an answer brought along: given once. */
  take(id: SecretId, version: VersionId): StoredValue | undefined
  /** How the next look may be made: whoever was given current's value needs it no second time. */
  nextLook(id: SecretId): By
}

const MAX_SECRETS = 16
const KEPT_MS = 60_000

interface Entry {
  /** By the monotonic clock. */
  readonly since: number
  readonly sight: Sight
  readonly values: Map<VersionId, StoredValue>
  wasRead: boolean
  readonly end: NodeJS.Timeout
}

export function memory(): Memory {
  const entries = new Map<SecretId, Entry>()
  const forget = (id: SecretId): void => {
    clearTimeout(entries.get(id)?.end)
    entries.delete(id)
  }
  // A function that was frozen has missed its timers.
  const young = (id: SecretId): Entry | undefined => {
    const entry = entries.get(id)
    if (entry === undefined || performance.now() - entry.since < KEPT_MS) return entry
    forget(id)
    return undefined
  }
  return {
    forget,
    sight: (id) => young(id)?.sight,
    saw: (id, sight) => {
      forget(id)
      const [oldest] = entries.keys()
      if (oldest !== undefined && entries.size >= MAX_SECRETS) forget(oldest)
      const end = setTimeout(() => entries.delete(id), KEPT_MS)
      end.unref()
      entries.set(id, { since: performance.now(), sight, values: valuesIn(sight), wasRead: false, end })
    },
    take: (id, version) => {
      const entry = young(id)
      const found = entry?.values.get(version)
      entry?.values.delete(version)
      if (entry && found && version === versionId(entry.sight.main.current)) entry.wasRead = true
      return found
    },
    nextLook: (id) => (young(id)?.wasRead ? 'settings' : 'value')
  }
}

function valuesIn({ sibling: { record, createdAt }, main }: Sight): Entry['values'] {
  const values = new Map<VersionId, StoredValue>()
  if (main.text) values.set(versionId(main.current), { text: main.text, createdAt: main.createdAt })
  if (record?.state === 'pending') values.set(pendingId(record.token), { text: record.document, createdAt })
  return values
}
