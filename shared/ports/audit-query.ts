import type { AuditSettings } from '../audit/settings.ts'

/** What is asked of a log where it lies: signals, under their own names. */
export const QUESTIONS = ['new-network', 'read-volume', 'off-hours', 'denied', 'failed-logins', 'long-ttl'] as const
export type Question = (typeof QUESTIONS)[number]

/** What a question is asked about, and what its answers are compared with. */
export interface Asked {
  /** Milliseconds since the epoch: what happened from `since` on, and before `until`, is answered. */
  readonly since: number
  readonly until: number
  /** So long before `since` the log is read to tell what is usual. Six weeks are the most that a signal asks for. */
  readonly historyMs: number
  readonly settings: Pick<
    AuditSettings,
    | 'zone'
    | 'workHours'
    | 'workDays'
    | 'holidays'
    | 'learnMs'
    | 'volumeFactor'
    | 'volumeZ'
    | 'volumeDays'
    | 'failedLogins'
    | 'longTtlSeconds'
  >
  /** No more rows than these are given, those of the most events first. 1 to 1,000,000. */
  readonly mostRows: number
}

/** One answer to a question: what a finding of the same signal has. Names and addresses are as the log has them, not escaped. */
export interface SignalRow {
  readonly signal: Question
  readonly store: 'aws' | 'azure' | 'gcp'
  /** Keys as in AuditEvent. Empty: the question is not about it. */
  readonly account: string
  readonly identity: string
  readonly identityName: string
  readonly secret: string
  readonly secretName: string
  readonly address: string
  readonly network: string
  /** Who gave the tokens out. */
  readonly source: string
  /** Milliseconds since the epoch. */
  readonly first: number
  readonly last: number
  /** Of events. */
  readonly count: number
  /** `read-volume`: reads in the hour beside the usual; `long-ttl`: the longest life in seconds, Infinity without end, beside that of 99 of 100. */
  readonly observed: number | undefined
  readonly usual: number | undefined
  /** `denied`: how many things were asked for; `failed-logins`: how many accounts were tried. */
  readonly breadth: number | undefined
  /** `failed-logins`: the last login from the address that was taken, in milliseconds since the epoch. */
  readonly takenAt: number | undefined
}

/** Inventory: one identity and one secret, in the period alone. */
export interface AccessRow {
  readonly store: SignalRow['store']
  readonly account: string
  readonly identity: string
  readonly identityName: string
  readonly identityType: 'person' | 'workload' | 'service' | 'unknown'
  readonly secret: string
  readonly secretName: string
  readonly first: number
  readonly last: number
  readonly reads: number
  readonly writes: number
  readonly denied: number
}

/** What an answer rests on. */
export interface Answered {
  readonly rows: number
  /** There are more rows than were asked for. */
  readonly isCapped: boolean
  /** Bytes that the service read for it, where it says so. */
  readonly scannedBytes: number | undefined
}

/**
 * A service that holds a log and answers questions about it. Rows are given to `each` as they come, page by page, and never
 * all kept; after an error those that were given are some of the answer. Only reads, so a repeat does nothing but cost again.
 * Throws KeyturnError: `denied/query`, `throttled/query` (also where a limit of bytes was reached), `unavailable/query`,
 * `not-found/table`, `invalid/query` (the settings, or the table's columns), `unavailable/deadline` when the signal aborts: the
 * query is cancelled then, where the service can.
 */
export interface AuditQuery {
  /** For people: `athena://audit/cloudtrail`. */
  readonly name: string
  ask(question: Question, asked: Asked, each: (row: SignalRow) => void, signal: AbortSignal): Promise<Answered>
  inventory(asked: Asked, each: (row: AccessRow) => void, signal: AbortSignal): Promise<Answered>
}
