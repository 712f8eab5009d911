import type { ObjectFacts, Objects } from '../ports/objects.ts'
import type { LogSource } from './decode.ts'
import type { ReadLogs } from './read.ts'
import type { Format } from './reader.ts'
import type { AuditState } from './state.ts'

/** Objects that were changed longer ago than this, counted from the newest that was read, are not listed one by one any more. */
const KEPT_MS = 7 * 86_400_000

/** What lies among logs and is none: CloudTrail's digests and insights, sums, archives, pages. */
const NO_LOG =
  /(^|\/)CloudTrail-(Digest|Insight)\/|\/$|\.(sha256|md5|sig|asc|zip|tar|tgz|bz2|xz|zst|parquet|avro|png|jpe?g|pdf|html?|pid|lock)$/i

/** An object as a log, and what is to be remembered when it was read. */
export interface ArchivedLog extends LogSource {
  readonly object: ObjectFacts
}

export interface Archive {
  readonly place: Objects
  readonly prefix: string
  readonly format: Format | undefined
  readonly signal: AbortSignal
}

/** Objects below a prefix that were not read yet, and what was added to those that grow. */
export async function* unreadLogs({ place, prefix, format, signal }: Archive, state: AuditState): AsyncGenerator<ArchivedLog> {
  for await (const object of place.list(prefix, signal)) {
    const isOld = object.changedAt !== undefined && object.changedAt < state.objectsSince
    if (NO_LOG.test(object.name) || isOld) continue
    const log = archivedLog(place, object, format, signal, state)
    if (log) yield log
  }
}

/** Undefined: it was read as it is. */
export function archivedLog(
  place: Objects,
  object: ObjectFacts,
  format: Format | undefined,
  signal: AbortSignal,
  state: AuditState
): ArchivedLog | undefined {
  const name = `${place.name}/${object.name}`
  const known = state.objects.get(name)
  if (known?.tag === object.tag) return undefined
  // Shorter than it was: it was begun anew.
  const from = known && known.offset <= object.bytes ? known.offset : 0
  const isGrowing = !/\.gz$/i.test(object.name)
  return { name, bytes: object.bytes - from, from, isGrowing, format, object, open: (at) => place.read(object.name, at, signal) }
}

/** Remembers what was read; what could not be read to its end is read again. */
export function keepRead(state: AuditState, logs: readonly ArchivedLog[], { offsets }: ReadLogs): void {
  for (const { name, object } of logs) {
    const offset = offsets.get(name)
    if (offset !== undefined) state.objects.set(name, { tag: object.tag, changedAt: object.changedAt ?? 0, offset })
  }
  for (const { changedAt } of state.objects.values()) state.objectsSince = Math.max(state.objectsSince, changedAt - KEPT_MS)
  for (const [name, { changedAt }] of state.objects) if (changedAt < state.objectsSince) state.objects.delete(name)
}
