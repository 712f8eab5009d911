import { DAY_MS } from '../duration.ts'
import type { ObjectFacts, Objects } from '../ports/objects.ts'
import type { LogSource } from './decode.ts'
import type { ReadLogs } from './read.ts'
import type { Format } from './reader.ts'
import type { AuditState } from './state.ts'

/** Objects that were changed longer ago than this, counted from the newest that was read, are not kept one by one any more. */
const KEPT_MS = 7 * DAY_MS

/** What lies among logs and is none: CloudTrail's digests and insights, sums, archives, pages. */
const NO_LOG =
  /(^|\/)CloudTrail-(Digest|Insight)\/|\/$|\.(sha256|md5|sig|asc|zip|tar|tgz|bz2|xz|zst|parquet|avro|png|jpe?g|pdf|html?|pid|lock)$/i

/** Whether a log may have such a name. */
export const isLogName = (name: string): boolean => !NO_LOG.test(name)

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

/** What is listed, as the state names it. */
export const listingOf = ({ place, prefix }: Pick<Archive, 'place' | 'prefix'>): string => `${place.name}/${prefix}`

/** Objects below a prefix that were not read yet, and what was added to those that grow. */
export async function* unreadLogs(archive: Archive, state: AuditState): AsyncGenerator<ArchivedLog> {
  const { place, prefix, format, signal } = archive
  const since = state.listedSince.get(listingOf(archive)) ?? 0
  for await (const object of place.list(prefix, signal)) {
    const isOld = object.changedAt !== undefined && object.changedAt < since
    if (!isLogName(object.name) || isOld) continue
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

/** What `listingOf` says, and whether all of it was offered in this run. */
export interface Listing {
  readonly name: string
  readonly isWhole: boolean
}

/**
 * Remembers what was read; what could not be read to its end is read again. What is older than a week is forgotten: below a
 * listing once all of it was read, because until then what is older may wait still; elsewhere by itself.
 */
export function keepRead(
  state: AuditState,
  logs: readonly ArchivedLog[],
  { offsets }: ReadLogs,
  listings: readonly Listing[]
): void {
  const { objects, listedSince } = state
  for (const { name, object } of logs) {
    const offset = offsets.get(name)
    if (offset !== undefined) objects.set(name, { tag: object.tag, changedAt: object.changedAt ?? 0, offset })
  }
  const names = [...new Set([...listedSince.keys(), ...listings.map(({ name }) => name)])]
  const newest = new Map<string, number>()
  const listingsOf = (object: string): readonly string[] => {
    const found = names.filter((name) => object.startsWith(name))
    return found.length > 0 ? found : [ELSEWHERE]
  }
  for (const [object, { changedAt }] of objects)
    for (const name of listingsOf(object)) newest.set(name, Math.max(changedAt, newest.get(name) ?? 0))
  const weekBefore = (name: string): number => (newest.get(name) ?? 0) - KEPT_MS
  for (const { name, isWhole } of listings)
    if (isWhole) listedSince.set(name, Math.max(listedSince.get(name) ?? 0, weekBefore(name)))
  const since = (name: string): number => (name === ELSEWHERE ? weekBefore(name) : (listedSince.get(name) ?? 0))
  for (const [object, { changedAt }] of objects)
    if (listingsOf(object).every((name) => changedAt < since(name))) objects.delete(object)
}

/** Objects that are in no listing: events named them. */
const ELSEWHERE = ''
