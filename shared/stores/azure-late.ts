import type { Version } from './azure-calls.ts'
import { originOf, siblingMark } from './azure-tags.ts'

/**
 * Whether the newest version landed late, by the order in which the journal was written, which no clock and no network can
 * change. It did where its own attempt was ended unpromoted after its commit was announced, or where another attempt's
 * commit, or a restore, was announced after it and is there: both waited for it first, looked, and did not find it.
 * `versions` are the secret's, `siblings` its sibling's. Whatever does not say when it was announced proves nothing: a
 * version that is brought back wrongly, a credential that is dead or leaked, is worse than a late one that stays.
 */
export function isBehind(newest: Version, versions: readonly Version[], siblings: readonly Version[]): boolean {
  const { token, ticket } = originOf(newest.tags)
  if (ticket === undefined) return false
  const isAfter = (other: number | undefined): boolean => other !== undefined && other > ticket
  const wasOvertaken = versions.map((v) => originOf(v.tags)).some((o) => isAfter(o.ticket) && o.token !== token)
  const wasEnded = siblings
    .map((v) => siblingMark(v.tags))
    .some((m) => m?.state === 'ended' && m.token === token && m.became === undefined && isAfter(m.ticket))
  return wasOvertaken || wasEnded
}

/** Far beyond what a network or a vault keeps. */
const LATEST_MS = 3_600_000

/** Announced too long ago to be that write: a person wrote a version with old tags. */
export function hasExpired({ tags, createdAt }: Version): boolean {
  const { ticket } = originOf(tags)
  return ticket !== undefined && createdAt - ticket > LATEST_MS
}
