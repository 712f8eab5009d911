import type { StoreKind } from './event.ts'

export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const
export type Severity = (typeof SEVERITIES)[number]

/** An answer of a signal. Never a value, a token or an accessor; names and addresses are as the log has them, not escaped. */
export interface Finding {
  /** The same for the same thing seen again: signal, subject and time, hashed. 32 characters of [0-9a-f]. */
  readonly id: string
  /** A `name` of the table of signals. */
  readonly signal: string
  readonly severity: Severity
  /** One line, for a list: `ci-deploy read 34 secrets in 10 minutes`. */
  readonly title: string
  /** Why it is said, with the numbers, in one or two sentences. */
  readonly why: string
  readonly store: StoreKind | undefined
  readonly account: string | undefined
  /** What it is about. `identity` and `secret` are keys of the inventory where they are in it. */
  readonly subject: Subject
  /** Milliseconds since the epoch: the first and the last of what was seen. */
  readonly first: number
  readonly last: number
  /** Of events. */
  readonly count: number
  /** What was measured beside what is usual, where the signal compares. */
  readonly observed: number | undefined
  readonly usual: number | undefined
  /** Unit of both: `reads an hour`, `secrets in 10 minutes`, `s`. */
  readonly unit: string | undefined
  /** Ids of events in the log, at most EVIDENCE of them: the earliest, then in the order in which they were read. */
  readonly evidence: readonly string[]
  /** A technique of MITRE ATT&CK: `T1555.006`. */
  readonly technique: string
  /** What a person does now. */
  readonly todo: string
}

export interface Subject {
  readonly identity?: string
  readonly identityName?: string
  readonly secret?: string
  readonly secretName?: string
  readonly address?: string
  readonly network?: string
  readonly policy?: string
  readonly source?: string
}

/** How many ids of events are kept with a finding. */
export const EVIDENCE = 5

export const atLeast = (severity: Severity, least: Severity): boolean => SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least)
