import type { AuditEvent } from './event.ts'
import type { Finding, Severity } from './finding.ts'
import type { AuditSettings } from './settings.ts'
import type { Tally } from './tally.ts'

/** A question that is asked of every log, and how it is answered. */
export interface Signal {
  /** In findings, controls and settings: `new-network`. */
  readonly name: string
  /** For the table of signals: one sentence. */
  readonly question: string
  /** What a finding of it usually is; numbers may raise or lower it. */
  readonly severity: Severity
  /** MITRE ATT&CK. */
  readonly technique: string
  readonly todo: string
  /** Events that say it alone are noticed as they are read. */
  readonly watch?: Watch
  /** Pure: the findings of what was fresh in this run. */
  judge(view: View): readonly Finding[]
}

/** Undefined: the event does not say it. The subject groups: what is alike is one finding. */
export type Watch = (event: AuditEvent, settings: AuditSettings) => boolean

/** What a signal is asked about. */
export interface View {
  /** Everything that is known, this run's included. */
  readonly all: Tally
  /** What this run saw. */
  readonly fresh: Tally
  /** Milliseconds since the epoch: until when the log is known. */
  readonly now: number
  readonly settings: AuditSettings
  /** Networks behind which many are hidden, by store: what comes from there is nobody's own. */
  readonly masked: ReadonlySet<string>
}
