import { type Instant, instant, type SecretText, type VersionId } from '../types.ts'
import type { SecretMessage } from './gcp-calls.ts'
import { type RotationRecord, recordOf } from './gcp-record.ts'

/** A secret's message, with what its annotations record. */
export interface Seen extends SecretMessage {
  readonly record: RotationRecord
}

/**
 * What this process knows of one secret after an answer, which stays as it is whatever other runs of the process are
 * answered meanwhile; what they found out of versions, which are immutable, is everybody's. Answers of GetSecret may be
 * hours old; that of a write of its own never was: so the newest known state is kept, and an older answer does not replace
 * it.
 */
export interface Known {
  readonly seen: Seen
  /** `seen` may be acted on by a write that compares, instead of being asked for again. */
  isRecent(): boolean
  /** Nobody wrote the record after this process, and its write was sent less than this long ago. */
  provedWithin(ms: number): boolean
  /** The store's clock by now, from the last answer. */
  clock(): Instant
  readonly versions: Versions
  /** When versions were created: immutable. */
  readonly created: Map<number, Instant>
  /** Versions of the sibling that are destroyed. */
  readonly destroyed: Set<number>
}

/** One for all that is known of a secret. */
export interface Versions {
  /** One that answered, and from which the newest is looked for. */
  newest: number
  /** The version that the last look said to be current, and the one before it by the record. */
  shown: { readonly current: number; readonly previous: VersionId | undefined } | undefined
  /** The sibling is keyturn's. */
  isSiblingOurs: boolean
  /** A look showed no hold: a run of this process may still go by it. */
  isShownFree: boolean
}

export interface Memory {
  /** By the resource name of a request, or of the service. */
  known(resource: string): Known | undefined
  /** A new answer; `proof`: the moment before a write was sent that this is the answer of (performance.now()). */
  saw(asked: string, message: SecretMessage, proof?: number): Known
  /** Of many, in passing: what is known of it, or the message alone, which is not kept. */
  glimpsed(message: SecretMessage): Known
  /** What is known may be old, and values are not given any more: the next call asks. */
  age(resource: string): void
  /** Keeps a value for the `read` that follows the answer that brought it: given once, and not when it is a minute old. */
  keep(resource: string, version: VersionId, text: SecretText): void
  peek(resource: string, version: VersionId): SecretText | undefined
  /** Gives a kept value away. */
  take(resource: string, version: VersionId): SecretText | undefined
}

const MAX_SECRETS = 64
const KEPT_MS = 60_000
/**
 * docs/reference/consistency: "may take a few hours". An older answer after that is no old one: somebody wrote the
 * annotations back.
 */
export const CONVERGENCE_MS = 3 * 3_600_000

interface Entry {
  readonly known: Known
  /** All on the clock of performance.now(): since when `seen` is known, when it was asked for, when a proof was sent. */
  readonly heldSince: number
  readonly askedAt: number
  readonly proof: { readonly at: number; readonly writes: number }
  readonly values: Map<VersionId, Value>
}

interface Value {
  readonly text: SecretText
  readonly since: number
  readonly end: NodeJS.Timeout
}

export function memory(): Memory {
  const entries = new Map<string, Entry>()
  /** What a request called a secret whose name has the project's number. */
  const names = new Map<string, string>()
  const find = (resource: string): Entry | undefined => entries.get(names.get(resource) ?? resource)
  return {
    known: (resource) => find(resource)?.known,
    glimpsed(message) {
      const { known } = after(entries.get(message.resource), seenIn(message))
      return { ...known, versions: { ...known.versions } }
    },
    saw(asked, message, proof) {
      const seen = seenIn(message)
      names.set(asked, seen.resource)
      const entry = after(entries.get(seen.resource), seen, proof)
      // The one that was asked for last is the last to be forgotten.
      entries.delete(seen.resource)
      entries.set(seen.resource, entry)
      for (const map of [entries, names]) for (const key of map.keys()) if (map.size > MAX_SECRETS) map.delete(key)
      return entry.known
    },
    age(resource) {
      const entry = find(resource)
      if (!entry) return
      for (const version of [...entry.values.keys()]) taken(entry, version)
      entries.set(entry.known.seen.resource, entryOf({ ...entry, ...entry.known, askedAt: Number.NEGATIVE_INFINITY }))
    },
    keep(resource, version, text) {
      const entry = find(resource)
      if (!entry) return
      taken(entry, version)
      const end = setTimeout(() => entry.values.delete(version), KEPT_MS)
      end.unref()
      entry.values.set(version, { text, end, since: performance.now() })
    },
    peek: (resource, version) => fresh(find(resource)?.values.get(version)),
    take: (resource, version) => fresh(taken(find(resource), version))
  }
}

function taken(entry: Entry | undefined, version: VersionId): Value | undefined {
  const found = entry?.values.get(version)
  clearTimeout(found?.end)
  entry?.values.delete(version)
  return found
}

/** A timer of a process that was frozen comes late. */
const fresh = (value: Value | undefined): SecretText | undefined =>
  value && performance.now() - value.since < KEPT_MS ? value.text : undefined

const seenIn = (message: SecretMessage): Seen => ({ ...message, record: recordOf(message.annotations) })

/** One more answer to what was known before, of the same secret. */
function after(before: Entry | undefined, seen: Seen, proof?: number): Entry {
  const now = performance.now()
  const held = before?.known.seen.createTime === seen.createTime ? before : undefined
  const proved = proof === undefined ? {} : { proof: { at: proof, writes: seen.record.writes } }
  const next = held ? newer(held, seen) : seen
  const heldSince = held && next !== seen ? held.heldSince : now
  if (held) return entryOf({ ...held, ...held.known, ...proved, seen: next, heldSince, askedAt: now })
  return entryOf({
    seen,
    heldSince,
    askedAt: now,
    proof: { at: Number.NEGATIVE_INFINITY, writes: -1 },
    values: new Map(),
    versions: { newest: 0, shown: undefined, isSiblingOurs: false, isShownFree: false },
    created: new Map(),
    destroyed: new Set(),
    ...proved
  })
}

type Facts = Pick<Known, 'seen' | 'versions' | 'created' | 'destroyed'> & Omit<Entry, 'known'>

function entryOf({ seen, versions, created, destroyed, heldSince, askedAt, proof, values }: Facts): Entry {
  const known: Known = {
    seen,
    versions,
    created,
    destroyed,
    isRecent: () => performance.now() - askedAt < KEPT_MS,
    provedWithin: (ms) => proof.writes === seen.record.writes && performance.now() - proof.at < ms,
    clock: () => instant(seen.seenAt + Math.max(0, Math.min(KEPT_MS, performance.now() - askedAt)))
  }
  return { known, heldSince, askedAt, proof, values }
}

/**
 * By the count of keyturn's writes. With the same count the later answer: a person wrote since. The time of the answer is
 * the later one's either way.
 */
function newer({ known: { seen: held }, heldSince }: Entry, seen: Seen): Seen {
  const isOld = seen.record.writes < held.record.writes && performance.now() - heldSince < CONVERGENCE_MS
  return isOld ? { ...held, seenAt: seen.seenAt } : seen
}
