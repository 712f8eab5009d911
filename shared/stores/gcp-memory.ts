import { type Instant, instant, type SecretText, type VersionId } from '../types.ts'
import type { SecretMessage } from './gcp-calls.ts'
import { type RotationRecord, recordOf } from './gcp-record.ts'

/** A secret's message, with what its annotations record. */
export interface Seen extends SecretMessage {
  readonly record: RotationRecord
}

/**
 * What this process knows of one secret. Answers of GetSecret may be hours old; that of a write of its own never was: so
 * the newest known state is kept, and an older answer does not replace it. Values are kept for the `read` that follows
 * the answer that brought them: a minute at most, and once.
 */
export interface Known {
  readonly seen: Seen
  /** `seen` may be acted on by a write that compares, instead of being asked for again. */
  isRecent(): boolean
  /** Nobody wrote the record after this process, and its write was sent less than this long ago. */
  provedWithin(ms: number): boolean
  /** The store's clock by now, from the last answer. */
  clock(): Instant
  /** The newest version that ever answered. */
  newest: number
  /** The version that the last look said to be current, and the one before it by the record. */
  shown: { readonly current: number; readonly previous: VersionId | undefined } | undefined
  /** When versions were created: immutable. */
  readonly created: Map<number, Instant>
  /** Versions of the sibling that are destroyed. */
  readonly destroyed: Set<number>
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

interface Entry extends Known {
  seen: Seen
  heldSince: number
  askedAt: number
  proof: { readonly at: number; readonly writes: number }
  readonly values: Map<VersionId, { readonly text: SecretText; readonly end: NodeJS.Timeout }>
}

export function memory(): Memory {
  const entries = new Map<string, Entry>()
  /** What a request called a secret whose name has the project's number. */
  const names = new Map<string, string>()
  const find = (resource: string): Entry | undefined => entries.get(names.get(resource) ?? resource)
  const take = (resource: string, version: VersionId): SecretText | undefined => {
    const values = find(resource)?.values
    const found = values?.get(version)
    clearTimeout(found?.end)
    values?.delete(version)
    return found?.text
  }
  return {
    known: find,
    glimpsed(message) {
      const held = find(message.resource)
      const seen = seenIn(message)
      return held?.seen.createTime === seen.createTime ? { ...held, seen: newer(held, seen) } : newEntry(seen)
    },
    saw(asked, message, proof) {
      const seen = seenIn(message)
      names.set(asked, seen.resource)
      const held = entries.get(seen.resource)
      const entry = held?.seen.createTime === seen.createTime ? held : newEntry(seen)
      const now = performance.now()
      entry.seen = newer(entry, seen)
      if (entry.seen === seen) entry.heldSince = now
      entry.askedAt = now
      if (proof !== undefined) entry.proof = { at: proof, writes: seen.record.writes }
      // The one that was asked for last is the last to be forgotten.
      entries.delete(seen.resource)
      entries.set(seen.resource, entry)
      for (const map of [entries, names]) for (const key of map.keys()) if (map.size > MAX_SECRETS) map.delete(key)
      return entry
    },
    age(resource) {
      const entry = find(resource)
      if (!entry) return
      entry.askedAt = Number.NEGATIVE_INFINITY
      for (const version of [...entry.values.keys()]) take(resource, version)
    },
    keep(resource, version, text) {
      const entry = find(resource)
      if (!entry) return
      take(resource, version)
      const end = setTimeout(() => entry.values.delete(version), KEPT_MS)
      end.unref()
      entry.values.set(version, { text, end })
    },
    peek: (resource, version) => find(resource)?.values.get(version)?.text,
    take
  }
}

const seenIn = (message: SecretMessage): Seen => ({ ...message, record: recordOf(message.annotations) })

function newEntry(seen: Seen): Entry {
  const entry: Entry = {
    seen,
    heldSince: performance.now(),
    askedAt: performance.now(),
    proof: { at: Number.NEGATIVE_INFINITY, writes: -1 },
    values: new Map(),
    newest: 0,
    shown: undefined,
    created: new Map(),
    destroyed: new Set(),
    isRecent: () => performance.now() - entry.askedAt < KEPT_MS,
    provedWithin: (ms) => entry.proof.writes === entry.seen.record.writes && performance.now() - entry.proof.at < ms,
    clock: () => instant(entry.seen.seenAt + Math.max(0, Math.min(KEPT_MS, performance.now() - entry.askedAt)))
  }
  return entry
}

/**
 * By the count of keyturn's writes. With the same count the later answer: a person wrote since. The time of the answer is
 * the later one's either way.
 */
function newer({ seen: held, heldSince }: Entry, seen: Seen): Seen {
  const isOld = seen.record.writes < held.record.writes && performance.now() - heldSince < CONVERGENCE_MS
  return isOld ? { ...held, seenAt: seen.seenAt } : seen
}
