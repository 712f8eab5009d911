import type { SecretFacts } from '../ports/secret-store.ts'
import { charts } from './charts.ts'
import { coverage, maskedNetworks } from './coverage.ts'
import { type Finding, SEVERITIES } from './finding.ts'
import { addTally } from './merge.ts'
import type { ReadLogs } from './read.ts'
import type { Format } from './reader.ts'
import { drift } from './reports/drift.ts'
import { inventory } from './reports/inventory.ts'
import { orphans } from './reports/orphans.ts'
import { retained } from './reports/retained.ts'
import { rotation } from './reports/rotation.ts'
import type { AuditSettings } from './settings.ts'
import type { View } from './signal.ts'
import { SIGNALS } from './signals.ts'
import type { AuditState } from './state.ts'
import type { Summary } from './summary.ts'

export interface Asked {
  readonly settings: AuditSettings
  readonly since: number | undefined
  readonly until: number | undefined
  /** Undefined: the log's last event, when files are read and nobody knows what came after. */
  readonly now: number | undefined
  /** What the store lists; undefined: no store was asked. */
  readonly listed: readonly SecretFacts[] | undefined
}

/** Adds what was read to the state, and answers. What is usual is asked before this run is a part of it only by its time. */
export function summarize(read: ReadLogs, state: AuditState, { settings, since, until, now: given, listed }: Asked): Summary {
  addTally(state.tally, read.tally)
  const all = state.tally
  const isEmpty = read.events === 0
  const now = given ?? Math.max(isEmpty ? 0 : read.last, ...[...all.accounts.values()].map(({ last }) => last))
  const masked = maskedNetworks(all)
  const view: View = { all, fresh: read.tally, now, settings, masked }
  const findings = sorted(SIGNALS.flatMap((signal) => signal.judge(view)))
  const formats = new Set<Format>(read.sources.flatMap(({ format }) => format ?? []))
  return {
    period: { now, since, until, first: isEmpty ? undefined : read.first, last: isEmpty ? undefined : read.last },
    coverage: coverage(read, all, masked, settings),
    findings,
    inventory: inventory(all),
    rotation: rotation(all, listed, now),
    drift: drift(all, state.review),
    orphans: orphans(all, listed, settings, now),
    retention: retained(read.tally, formats),
    charts: charts(all, findings, settings)
  }
}

/** The worst first; of equals the newest. */
const sorted = (findings: readonly Finding[]): readonly Finding[] =>
  findings.toSorted(
    (a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) || b.last - a.last || (a.id < b.id ? -1 : 1)
  )
