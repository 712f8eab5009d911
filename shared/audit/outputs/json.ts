import { controlsIn, controlsNamed, controlsOf, type Framework } from '../controls.ts'
import type { Finding } from '../finding.ts'
import { HOUR_MS } from '../hours.ts'
import type { Charts, Coverage, DriftRow, OrphanRow, Period, RetentionRow, RotationRow, Summary } from '../summary.ts'
import { type About, isoTime } from './about.ts'
import type { AuditDocument } from './document-schema.ts'

/** The document of `keyturn-audit-1.schema.json` as text: one line, with a line break behind it. */
export const auditJson = (summary: Summary, about: About): string => `${JSON.stringify(auditDocument(summary, about))}\n`

export function auditDocument(summary: Summary, { version, generatedAt, framework }: About): AuditDocument {
  const inventory = summary.inventory.map((row) => ({ ...row, first: isoTime(row.first), last: isoTime(row.last) }))
  return {
    schema: 'keyturn-audit/1',
    generator: { name: 'keyturn', version },
    generatedAt: isoTime(generatedAt),
    framework: framework ?? null,
    period: period(summary.period),
    coverage: coverage(summary.coverage),
    findings: summary.findings.map((one) => finding(one, framework)),
    inventory,
    rotation: summary.rotation.map((row) => rotation(row, framework)),
    drift: summary.drift.map((row) => drift(row, framework)),
    orphans: summary.orphans.map((row) => orphan(row, framework)),
    retention: summary.retention.map((row) => retention(row, framework)),
    charts: charts(summary.charts),
    controls: controlsIn(framework).map(({ backs: _, ...control }) => control)
  }
}

const timeOrNull = (at: number | undefined): string | null => (at === undefined ? null : isoTime(at))

const named = (names: readonly string[], framework: Framework | undefined): string[] =>
  controlsNamed(names, framework).map(({ name }) => name)

const period = ({ now, since, until, first, last }: Period): AuditDocument['period'] => ({
  now: isoTime(now),
  since: timeOrNull(since),
  until: timeOrNull(until),
  first: timeOrNull(first),
  last: timeOrNull(last)
})

const coverage = ({ sources, damage, learning, gaps, ...counts }: Coverage): AuditDocument['coverage'] => ({
  ...counts,
  sources: sources.map((source) => ({
    ...source,
    format: source.format ?? null,
    first: timeOrNull(source.first),
    last: timeOrNull(source.last),
    problem: source.problem ?? null
  })),
  damage: [...damage],
  // 0: nothing was read, and nobody knows.
  learning: learning.map((one) => ({ ...one, until: one.until > 0 ? isoTime(one.until) : null })),
  gaps: [...gaps]
})

const finding = (one: Finding, framework: Framework | undefined): AuditDocument['findings'][number] => ({
  ...one,
  store: one.store ?? null,
  account: one.account ?? null,
  first: isoTime(one.first),
  last: isoTime(one.last),
  observed: measured(one.observed),
  usual: measured(one.usual),
  unit: one.unit ?? null,
  evidence: [...one.evidence],
  controls: [...controlsOf(one.signal, framework)]
})

/** JSON has no number without an end. */
const measured = (value: number | undefined): number | 'Infinity' | null =>
  value === undefined ? null : value === Number.POSITIVE_INFINITY ? 'Infinity' : value

const rotation = (row: RotationRow, framework: Framework | undefined): AuditDocument['rotation'][number] => ({
  ...row,
  lastRotated: timeOrNull(row.lastRotated),
  due: timeOrNull(row.due),
  controls: named(row.controls, framework)
})

const drift = (row: DriftRow, framework: Framework | undefined): AuditDocument['drift'][number] => ({
  ...row,
  changedAt: isoTime(row.changedAt),
  reviewedAt: timeOrNull(row.reviewedAt),
  reviewer: row.reviewer ?? null,
  evidence: [...row.evidence],
  controls: named(row.controls, framework)
})

const orphan = (row: OrphanRow, framework: Framework | undefined): AuditDocument['orphans'][number] => ({
  ...row,
  lastRead: timeOrNull(row.lastRead),
  days: row.days ?? null,
  controls: named(row.controls, framework)
})

const retention = (row: RetentionRow, framework: Framework | undefined): AuditDocument['retention'][number] => ({
  ...row,
  days: row.days ?? null,
  kinds: [...row.kinds],
  first: timeOrNull(row.first),
  last: timeOrNull(row.last),
  gaps: [...row.gaps],
  controls: named(row.controls, framework)
})

const charts = ({ reads, week }: Charts): AuditDocument['charts'] => ({
  reads: reads.map(({ hours, flagged, ...secret }) => ({
    ...secret,
    hours: hours.map(([hour, count, usual]) => ({ hour: isoTime(hour * HOUR_MS), reads: count, usual: usual ?? null })),
    flagged: flagged.map((hour) => isoTime(hour * HOUR_MS))
  })),
  week: { ...week, people: [...week.people], others: [...week.others] }
})
