import { DAY_MS } from '../duration.ts'

/** What signals compare with. Every number may be set by who runs it; these are the defaults. */
export interface AuditSettings {
  /** IANA name of the time zone that people work in. */
  readonly zone: string
  /** Hours of the day, the end excluded. */
  readonly workHours: readonly [from: number, to: number]
  /** 1 Monday … 7 Sunday. */
  readonly workDays: readonly number[]
  /** `2026-12-25`, in the zone. */
  readonly holidays: readonly string[]
  /** So long an identity must have been seen before what is new of it is worth a word. */
  readonly learnMs: number
  /** An hour's reads are too many above this times what is usual … */
  readonly volumeFactor: number
  /** … and above this many standard deviations of a Poisson count (Anscombe 1948). */
  readonly volumeZ: number
  /** So many days must have been seen before an hour of the day has something usual. */
  readonly volumeDays: number
  readonly failedLogins: number
  /** Distinct secrets in ten minutes by one identity. */
  readonly massSecrets: number
  /** Distinct secrets within ten minutes of a list. */
  readonly listThenRead: number
  /** Seconds, by who gives the token out: `vault`, `sts`, `entra`, `gcp`. */
  readonly longTtlSeconds: Readonly<Record<'vault' | 'aws' | 'azure' | 'gcp', number>>
  /** So long may a source that is usually heard be silent. */
  readonly silentMs: number
  /** Names of secrets that nobody has a reason to read; `*` stands for any text. */
  readonly decoys: readonly string[]
  /** Without a read for so long a secret is an orphan. */
  readonly orphanMs: number
}

export const AUDIT_DEFAULTS: AuditSettings = {
  zone: 'UTC',
  workHours: [7, 19],
  workDays: [1, 2, 3, 4, 5],
  holidays: [],
  learnMs: 7 * DAY_MS,
  volumeFactor: 3,
  volumeZ: 4,
  volumeDays: 10,
  failedLogins: 5,
  massSecrets: 20,
  listThenRead: 5,
  longTtlSeconds: { vault: 86_400, aws: 14_400, azure: 86_400, gcp: 3_600 },
  silentMs: DAY_MS,
  decoys: [],
  orphanMs: 90 * DAY_MS
}

/** Whether it is a time zone that this Node knows. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** `7-19`; undefined for what are no two hours of the day, the first before the second. */
export function hoursIn(text: string): AuditSettings['workHours'] | undefined {
  const [, from, to] = /^(\d{1,2})-(\d{1,2})$/.exec(text)?.map(Number) ?? []
  return from !== undefined && to !== undefined && from < to && to <= 24 ? [from, to] : undefined
}

/** Whether a name is one of those that patterns with `*` stand for. */
export function matcher(patterns: readonly string[]): (name: string) => boolean {
  const compiled = patterns.map((pattern) => new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`, 's'))
  return (name) => compiled.some((one) => one.test(name))
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
