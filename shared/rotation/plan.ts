import { KeyturnError } from '../errors.ts'
import type { Metadata } from '../metadata.ts'
import { periodMsOf } from '../policy.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import { type Instant, instant } from '../types.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Imports are spread over this long, so that taking a hundred secrets under management does not rotate them at once. */
const SPREAD_MS = 7 * DAY

/**
 * When current was promoted, by the store's clock; later than the truth is safe, earlier is not (design rule 7).
 * Our record counts when it names current; the store's own LastRotatedDate when it is not older than the version.
 * Where neither does (killed between promote and record), LastChangedDate, which every change moves, so that it is
 * only used until the record is written.
 */
export function promotedAt(facts: SecretFacts, createdAt: Instant | undefined): Instant | undefined {
  const record = facts.metadata.promoted
  const recorded = record !== undefined && record.version === facts.current ? record.at : undefined
  const rotated = facts.rotatedAt !== undefined && facts.rotatedAt >= (createdAt ?? 0) ? facts.rotatedAt : undefined
  const known = recorded ?? rotated ?? facts.changedAt
  const times = [known, createdAt, facts.rotatedAt].filter((t) => t !== undefined)
  return times.length > 0 ? instant(Math.max(...times)) : undefined
}

/**
 * A number in [0, 1) that depends on the text alone, so that the same secret waits the same time in every run: FNV-1a,
 * then the finalizer of MurmurHash3, because names that differ in their last character alone share FNV's upper bits.
 */
function spreadOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

/**
 * When the next rotation is due, from kind, period and last rotation. An import (managed since a time later than its
 * last rotation, and overdue) becomes due within seven days of being taken over, spread by name.
 * Undefined: the store shows no time at all, so nothing can be said.
 */
export function dueAt(facts: SecretFacts, createdAt?: Instant): Instant | undefined {
  const last = promotedAt(facts, createdAt)
  if (last === undefined) return undefined
  const due = last + periodMsOf(facts.metadata)
  const since = facts.metadata.managedSince
  if (since === undefined || since <= last) return instant(due)
  return instant(Math.max(due, since + spreadOf(facts.name) * SPREAD_MS))
}

/** True while a person's hold is in force. */
export const isHeld = (metadata: Metadata, now: Instant): boolean =>
  metadata.hold !== undefined && (metadata.hold.until === undefined || now < metadata.hold.until)

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** Minutes of the day, or undefined. */
function minutesOf(text: string): number | undefined {
  const match = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(text)
  const minutes = match ? Number(match[1]) * 60 + Number(match[2]) : undefined
  return minutes !== undefined && minutes <= 24 * 60 ? minutes : undefined
}

/**
 * Whether a window is open: `02:00-04:00`, or with days `sat+sun 02:00-04:00`, UTC, end excluded. No window: always.
 * Throws `invalid/metadata` for anything else; a window across midnight is refused, because its day would be a guess.
 */
export function isOpen(window: string | undefined, now: Instant): boolean {
  if (window === undefined) return true
  const bad = (): KeyturnError => new KeyturnError('invalid/metadata', 'window must read like "sat+sun 02:00-04:00", in UTC')
  const [, days, from = '', to = ''] = /^(?:([a-z+]+) )?([\d:]+)-([\d:]+)$/.exec(window.trim()) ?? []
  const [start, end] = [minutesOf(from), minutesOf(to)]
  const wanted = days?.split('+') ?? DAYS
  if (start === undefined || end === undefined || start >= end || wanted.some((d) => !DAYS.includes(d))) throw bad()
  const dayMs = ((now % DAY) + DAY) % DAY
  // 1970-01-01 was a Thursday.
  const today = DAYS[(Math.floor(now / DAY) + 4) % 7] ?? ''
  return wanted.includes(today) && dayMs >= start * 60_000 && dayMs < end * 60_000
}
