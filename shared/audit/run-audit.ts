import type { Deadline } from '../deadline.ts'
import { DAY_MS } from '../duration.ts'
import { asKeyturnError, KeyturnError } from '../errors.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import { isLogName, keepRead } from './archive.ts'
import { type Finding, SEVERITIES, type Severity } from './finding.ts'
import { BOUNDS } from './gunzip.ts'
import { withState } from './keep-state.ts'
import { forget } from './merge.ts'
import { readLogs } from './read.ts'
import { isReport, reportName } from './report-names.ts'
import type { AuditSettings } from './settings.ts'
import type { AuditState } from './state.ts'
import { summarize } from './summarize.ts'
import type { Gap, Summary } from './summary.ts'
import { type Telling, type Told, tellFindings } from './tell-findings.ts'
import { type NamedObject, type Prefix, type Wanted, type WantedLogs, wantedLogs } from './wanted-logs.ts'
import type { ReportPlace } from './write-reports.ts'

/** What a function on any host works with. */
export interface AuditHost extends Telling {
  readonly settings: AuditSettings
  /** Where the state is kept. */
  readonly state: NamedObject
  /** Where logs lie, for a run over all that is new; undefined: only what events bring is read. */
  readonly logs: Prefix | undefined
  /** Where reports are written; undefined: nowhere. */
  readonly reports: ReportPlace | undefined
  /** Facts of what the store has, never a value; undefined: it is not asked. */
  readonly list: ((signal: AbortSignal) => AsyncIterable<SecretFacts>) | undefined
  readonly now: () => number
}

export interface AuditReport extends Told {
  readonly action: 'summarize'
  readonly events: number
  readonly records: number
  readonly malformed: number
  /** Delivered before. */
  readonly duplicates: number
  readonly findings: Readonly<Record<Severity, number>>
  /** Time was up before all was read: the next run goes on. */
  readonly isCut: boolean
}

/**
 * Reads what is wanted, adds it to the state, and answers: findings that are new are told, reports are written. At least
 * once: a notice may come twice, with the same id, when the run dies between it and the state. What was read counts once.
 * Throws `unavailable/deadline` where objects were named and time was up: what was read until then is kept.
 */
export async function runAudit(host: AuditHost, wanted: Wanted, limit: Deadline): Promise<AuditReport> {
  const { state, log } = host
  const asked = withoutOwn(host, wanted)
  // Not even the state is written: its own event would start the next run, and that one another.
  if (asked.kind === 'objects' && asked.objects.length === 0) return reportOf(undefined, { told: 0, untold: 0 }, false)
  const now = host.now()
  const run: Run = { host, asked, limit, now, name: reportName(now), mostMs: limit.remainingMs() }
  const { summary, isCut, ...told } = await withState(state.place, state.name, limit.signal, (kept) => answered(run, kept))
  const report = reportOf(summary, told, isCut)
  log.info('summarized', { ...report })
  for (const { source, offset, why } of summary.coverage.damage) log.warn('damaged', { source, offset, why })
  if (isCut && asked.kind === 'objects')
    throw new KeyturnError('unavailable/deadline', 'time was up before all objects were read; those that were are kept')
  return report
}

interface Run {
  readonly host: AuditHost
  readonly asked: Wanted
  readonly limit: Deadline
  readonly now: number
  /** Of its reports: the same when it begins anew because the state was written meanwhile. */
  readonly name: string
  readonly mostMs: number
}

interface Answered extends Told {
  readonly summary: Summary
  readonly isCut: boolean
}

/** For what comes after reading; of a run that has little time, half of it. */
const AFTER_READING_MS = 120_000

async function answered({ host, asked, limit, now, name, mostMs }: Run, state: AuditState): Promise<Answered> {
  const { settings, log, reports } = host
  const { signal } = limit
  const isLate = (): boolean => limit.remainingMs() < Math.min(AFTER_READING_MS, mostMs / 2)
  const logs = wantedLogs(asked, { logs: host.logs, state, isOwn: isOwn(host), isLate, signal })
  const period = { since: undefined, until: undefined }
  const read = await readLogs(logs.sources, { settings, seen: state.seen, bounds: BOUNDS, clock: now, signal, ...period })
  keepRead(state, logs.given, read, logs.listings())
  const { listed, gap } = await listedBy(host, signal)
  const whole = summarize(read, state, { settings, now, listed, ...period })
  const summary = withGaps(whole, [...gap, ...cutGap(logs)])
  state.recent = recentFindings(state.recent, summary.findings, now)
  // First: people are told also where reports cannot be written.
  const told = await tellFindings(host, state, summary.findings, now, AbortSignal.any([signal, halfOf(limit)]))
  if (reports && (asked.kind === 'new' || read.events > 0 || read.malformed > 0)) {
    // Its modules, the charts' too, are run only here.
    const { writeReports } = await import('./write-reports.ts')
    await writeReports(reports, { name, summary, recent: state.recent }, signal)
  }
  forget(state.tally, now, settings)
  if (read.future > 0) log.warn('future', { events: read.future })
  return { summary, isCut: logs.isCut(), ...told }
}

const TELLING_MS = 60_000

/** A channel that hangs must not cost what was read. */
const halfOf = ({ remainingMs }: Deadline): AbortSignal =>
  AbortSignal.timeout(Math.max(0, Math.min(TELLING_MS, Math.floor(remainingMs() / 2))))

/** The state and reports may lie beside logs: what this function writes is never read by it. */
const isOwn =
  ({ state, reports }: AuditHost) =>
  ({ place, name }: NamedObject): boolean =>
    (place.name === state.place.name && name === state.name) ||
    (reports !== undefined && place.name === reports.place.name && isReport(reports.prefix, name))

function withoutOwn(host: AuditHost, wanted: Wanted): Wanted {
  if (wanted.kind !== 'objects') return wanted
  const own = isOwn(host)
  return { kind: 'objects', objects: wanted.objects.filter((one) => isLogName(one.name) && !own(one)) }
}

interface Listed {
  readonly listed: readonly SecretFacts[] | undefined
  readonly gap: readonly Gap[]
}

/** For reports alone. A store that does not answer costs the report of rotation, and not the audit. */
async function listedBy({ list, reports, log }: AuditHost, signal: AbortSignal): Promise<Listed> {
  if (!list || !reports) return { listed: undefined, gap: [] }
  const listed: SecretFacts[] = []
  try {
    for await (const facts of list(signal)) listed.push(facts)
    return { listed, gap: [] }
  } catch (e) {
    const { code, message } = asKeyturnError(e)
    log.warn('unlisted', { code, message })
    const what = listed.length === 0 ? 'none of its secrets' : `no more than ${listed.length} of its secrets`
    const text = `the store listed ${what} (${code}): rotation and orphans are told by the log for the others`
    return { listed: listed.length === 0 ? undefined : listed, gap: [{ code: 'unlisted', text }] }
  }
}

const cutGap = (logs: WantedLogs): readonly Gap[] =>
  logs.isCut() ? [{ code: 'cut', text: 'time was up before all logs were read: the next run goes on' }] : []

const withGaps = (summary: Summary, gaps: readonly Gap[]): Summary => ({
  ...summary,
  coverage: { ...summary.coverage, gaps: [...summary.coverage.gaps, ...gaps] }
})

const RECENT_MS = 7 * DAY_MS
const MOST_RECENT = 500

/** A finding that was there before is replaced: its numbers have grown. */
function recentFindings(before: readonly Finding[], found: readonly Finding[], now: number): readonly Finding[] {
  const all = new Map([...before.filter(({ last }) => last > now - RECENT_MS), ...found].map((one) => [one.id, one]))
  const rank = ({ severity }: Finding): number => SEVERITIES.indexOf(severity)
  return [...all.values()].sort((a, b) => rank(b) - rank(a) || b.last - a.last).slice(0, MOST_RECENT)
}

function reportOf(summary: Summary | undefined, told: Told, isCut: boolean): AuditReport {
  const findings = { low: 0, medium: 0, high: 0, critical: 0 }
  for (const { severity } of summary?.findings ?? []) findings[severity]++
  const { events = 0, records = 0, malformed = 0, duplicates = 0 } = summary?.coverage ?? {}
  return { action: 'summarize', ...{ events, records, malformed, duplicates }, findings, ...told, isCut }
}
