import type { Kind, StoreKind } from './event.ts'
import type { Finding, Severity } from './finding.ts'
import type { Format } from './reader.ts'
import type { RetentionClass } from './retention.ts'

/**
 * What a run of the audit answers: what is printed, drawn and sent on is made from this and from nothing else. Times are
 * milliseconds since the epoch; the JSON that is published has ISO 8601 instead (output-json.ts).
 */
export interface Summary {
  readonly period: Period
  readonly coverage: Coverage
  readonly findings: readonly Finding[]
  readonly inventory: readonly Access[]
  readonly rotation: readonly RotationRow[]
  readonly drift: readonly DriftRow[]
  readonly orphans: readonly OrphanRow[]
  readonly retention: readonly RetentionRow[]
  readonly charts: Charts
}

export interface Period {
  /** Of the run: the function's clock, or the file's last event when a file is read. */
  readonly now: number
  /** What was asked for; undefined: everything. */
  readonly since: number | undefined
  readonly until: number | undefined
  /** Of the events that were read in this run; undefined: none. */
  readonly first: number | undefined
  readonly last: number | undefined
}

/** What the answer rests on, and what it cannot say. No result is green because little was seen. */
export interface Coverage {
  readonly sources: readonly SourceRow[]
  readonly records: number
  readonly events: number
  /** Records that are well formed and not about secrets, or one half of a call: Vault writes two lines for each. */
  readonly skipped: number
  /** Delivered before: told by id. */
  readonly duplicates: number
  readonly malformed: number
  /** Where: at most 20 of them. */
  readonly damage: readonly Damage[]
  /** Bytes after decompression. */
  readonly bytes: number
  /** Until when baselines are not to be trusted, by the name of the signal; empty: none is learning. */
  readonly learning: readonly { readonly signal: string; readonly until: number; readonly why: string }[]
  /** What a person should know: masked addresses, a salt that changed, caps that were reached, logging that is off. */
  readonly gaps: readonly Gap[]
}

export interface SourceRow {
  /** What was read: a path, an object, a stream. */
  readonly name: string
  readonly format: Format | undefined
  readonly events: number
  readonly first: number | undefined
  readonly last: number | undefined
  readonly problem: string | undefined
}

export interface Damage {
  readonly source: string
  /** Byte, after decompression. */
  readonly offset: number
  readonly why: string
}

export interface Gap {
  /** `masked`, `capped`, `salt`, `no-reads`, `future`, `late`, `duplicates` … */
  readonly code: string
  readonly text: string
}

/** Inventory: one identity and one secret. */
export interface Access {
  readonly identity: string
  readonly identityName: string
  readonly identityType: 'person' | 'workload' | 'service' | 'unknown'
  readonly secret: string
  readonly secretName: string
  readonly store: StoreKind
  readonly account: string
  readonly first: number
  readonly last: number
  readonly reads: number
  readonly writes: number
  readonly denied: number
}

export interface RotationRow {
  readonly secret: string
  readonly store: string
  /** `unknown`: neither the store nor the log tells. */
  readonly state: 'in-time' | 'due-soon' | 'overdue' | 'failing' | 'never' | 'held' | 'unmanaged' | 'unknown'
  readonly lastRotated: number | undefined
  readonly due: number | undefined
  readonly failures: number
  readonly why: string
  readonly controls: readonly string[]
}

export interface DriftRow {
  readonly policy: string
  readonly store: StoreKind
  readonly account: string
  readonly changedAt: number
  readonly changedBy: string
  readonly changes: number
  /** `same`: changed and is again what was reviewed. `unreviewed`: never in a review. `unknown`: the log has no text to compare. */
  readonly state: 'changed' | 'same' | 'unreviewed' | 'unknown'
  readonly reviewedAt: number | undefined
  readonly reviewer: string | undefined
  readonly evidence: readonly string[]
  readonly controls: readonly string[]
}

export interface OrphanRow {
  readonly secret: string
  readonly store: string
  readonly lastRead: number | undefined
  /** Who says so: what we have read ourselves, or the store's own attribute. */
  readonly from: 'log' | 'store' | 'nobody'
  readonly days: number | undefined
  readonly why: string
  readonly controls: readonly string[]
}

export interface RetentionRow {
  readonly name: string
  readonly class: RetentionClass
  /** Days; undefined: for ever. */
  readonly days: number | undefined
  readonly kinds: readonly Kind[]
  readonly events: number
  readonly first: number | undefined
  readonly last: number | undefined
  /** Why a source of this run cannot show this class; empty: it can. */
  readonly gaps: readonly string[]
  readonly controls: readonly string[]
}

export interface Charts {
  /** Reads of each of the most read, or flagged, secrets, hour by hour. */
  readonly reads: readonly {
    readonly secret: string
    readonly secretName: string
    /** [hour since the epoch, reads, what is usual; undefined while it is learned] */
    readonly hours: readonly (readonly [hour: number, reads: number, usual: number | undefined])[]
    /** Hours since the epoch that a finding names. */
    readonly flagged: readonly number[]
  }[]
  /** All reads by hour of the week in `zone`, Monday first: 168 numbers for people, 168 for all others. */
  readonly week: { readonly zone: string; readonly people: readonly number[]; readonly others: readonly number[] }
}

export type BySeverity = Readonly<Record<Severity, number>>
