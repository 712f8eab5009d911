import { asKeyturnError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Notice, Notifier } from '../ports/notifier.ts'
import type { Objects } from '../ports/objects.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import { type ArchivedLog, archivedLog, keepRead, unreadLogs } from './archive.ts'
import type { LogSource } from './decode.ts'
import { atLeast, type Finding, type Severity } from './finding.ts'
import { BOUNDS } from './gunzip.ts'
import { withState } from './keep-state.ts'
import { forget } from './merge.ts'
import { readLogs } from './read.ts'
import type { AuditSettings } from './settings.ts'
import type { AuditState } from './state.ts'
import { summarize } from './summarize.ts'
import type { Summary } from './summary.ts'

/** What a function on any host works with. */
export interface AuditHost {
  readonly settings: AuditSettings
  /** Where the state is kept. */
  readonly state: { readonly place: Objects; readonly name: string }
  /** Where logs lie, for a run over all that is new; undefined: only what events bring is read. */
  readonly logs: { readonly place: Objects; readonly prefix: string } | undefined
  /** Where reports are written; undefined: nowhere. */
  readonly reports: ((summary: Summary, signal: AbortSignal) => Promise<void>) | undefined
  readonly notifiers: readonly Notifier[]
  readonly notifyFrom: Severity
  /** Facts of what the store has, never a value; undefined: it is not asked. */
  readonly list: ((signal: AbortSignal) => AsyncIterable<SecretFacts>) | undefined
  readonly log: Log
  readonly now: () => number
}

/** What is to be read. */
export type Wanted =
  | { readonly kind: 'new' }
  | { readonly kind: 'objects'; readonly objects: readonly { readonly place: Objects; readonly name: string }[] }
  | { readonly kind: 'event'; readonly event: unknown }

export interface AuditReport {
  readonly action: 'summarize'
  readonly events: number
  readonly records: number
  readonly malformed: number
  readonly findings: Readonly<Record<Severity, number>>
  /** Notices that were sent, and those that could not be: they are sent with the next run. */
  readonly told: number
  readonly untold: number
}

/**
 * Reads what is wanted, adds it to the state, and answers: findings that are new are told, reports are written. At least
 * once: a notice may come twice, with the same id, when the run dies between it and the state. What was read counts once.
 */
export async function runAudit(host: AuditHost, wanted: Wanted, signal: AbortSignal): Promise<AuditReport> {
  const { state, log } = host
  const { summary, told, untold } = await withState(state.place, state.name, signal, (kept) =>
    answered(host, wanted, kept, signal)
  )
  await host.reports?.(summary, signal)
  const { coverage, findings } = summary
  const report: AuditReport = {
    action: 'summarize',
    ...{ events: coverage.events, records: coverage.records, malformed: coverage.malformed },
    findings: bySeverity(findings),
    ...{ told, untold }
  }
  log.info('summarized', { ...report })
  for (const { source, offset, why } of coverage.damage) log.warn('damaged', { source, offset, why })
  return report
}

interface Answered {
  readonly summary: Summary
  readonly told: number
  readonly untold: number
}

async function answered(host: AuditHost, wanted: Wanted, state: AuditState, signal: AbortSignal): Promise<Answered> {
  const { settings, log } = host
  const now = host.now()
  const read: ArchivedLog[] = []
  const sources = logsOf(host, wanted, state, read, signal)
  const logs = await readLogs(sources, {
    settings,
    seen: state.seen,
    bounds: BOUNDS,
    clock: now,
    signal,
    since: undefined,
    until: undefined
  })
  keepRead(state, read, logs)
  const listed = await listedBy(host, signal)
  const summary = summarize(logs, state, { settings, now, since: undefined, until: undefined, listed })
  const counts = await tell(host, state, summary.findings, signal)
  forget(state.tally, now, settings)
  if (logs.future > 0) log.warn('future', { events: logs.future })
  return { summary, ...counts }
}

async function* logsOf(
  { logs }: AuditHost,
  wanted: Wanted,
  state: AuditState,
  read: ArchivedLog[],
  signal: AbortSignal
): AsyncGenerator<LogSource> {
  if (wanted.kind === 'event') {
    yield { name: 'the event', bytes: undefined, open: () => once(Buffer.from(JSON.stringify(wanted.event))) }
    return
  }
  const found =
    wanted.kind === 'new'
      ? logs && unreadLogs({ ...logs, format: undefined, signal }, state)
      : named(wanted.objects, state, signal)
  for await (const one of found ?? []) {
    read.push(one)
    yield one
  }
}

/** An object that is gone, or was read as it is, is passed over: its event may come again, days later. */
async function* named(
  objects: readonly { readonly place: Objects; readonly name: string }[],
  state: AuditState,
  signal: AbortSignal
): AsyncGenerator<ArchivedLog> {
  for (const { place, name } of objects) {
    const object = await place.describe(name, signal)
    const found = object && archivedLog(place, object, undefined, signal, state)
    if (found) yield found
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** A store that does not answer costs the rotation report, and not the audit. */
async function listedBy({ list, log }: AuditHost, signal: AbortSignal): Promise<readonly SecretFacts[] | undefined> {
  if (!list) return undefined
  const listed: SecretFacts[] = []
  try {
    for await (const facts of list(signal)) listed.push(facts)
  } catch (e) {
    const { code, message } = asKeyturnError(e)
    log.warn('unlisted', { code, message })
    if (listed.length === 0) return undefined
  }
  return listed
}

const TOLD_KEPT_MS = 42 * 86_400_000
const MOST_UNTOLD = 200

/** Tells what is new and bad enough, and what could not be told before. */
async function tell(
  { notifiers, notifyFrom, log, now }: AuditHost,
  state: AuditState,
  findings: readonly Finding[],
  signal: AbortSignal
): Promise<Pick<Answered, 'told' | 'untold'>> {
  const at = now()
  const isNew = ({ id, severity }: Finding): boolean => atLeast(severity, notifyFrom) && !state.told.has(id)
  const due = new Map([...state.untold, ...findings.filter(isNew)].map((one) => [one.id, one]))
  if (notifiers.length === 0) due.clear()
  state.untold.splice(0, state.untold.length)
  let told = 0
  for (const some of grouped([...due.values()])) {
    const notice = noticeOf(some, at)
    const failures = await Promise.allSettled(notifiers.map((notifier) => notifier.send(notice, signal)))
    const failed = failures.flatMap((one) => (one.status === 'rejected' ? [asKeyturnError(one.reason)] : []))
    for (const { code, message } of failed) log.error('untold', { notice: notice.id, code, message })
    if (failed.length > 0) state.untold.push(...some.slice(0, MOST_UNTOLD - state.untold.length))
    else for (const { id } of some) state.told.set(id, at)
    told += failed.length === 0 ? 1 : 0
  }
  for (const [id, when] of state.told) if (when < at - TOLD_KEPT_MS) state.told.delete(id)
  return { told, untold: state.untold.length }
}

/** The worst ones by themselves, the others in one notice: a channel that is flooded is switched off. */
const MOST_ALONE = 10

function grouped(findings: readonly Finding[]): readonly (readonly Finding[])[] {
  const [alone, rest] = [findings.slice(0, MOST_ALONE), findings.slice(MOST_ALONE)]
  return [...alone.map((one) => [one]), ...(rest.length > 0 ? [rest] : [])]
}

function noticeOf(findings: readonly Finding[], at: number): Notice {
  const [first, ...more] = findings as readonly [Finding, ...Finding[]]
  const { id, severity, title, why, signal, store, account, evidence, technique, todo } = first
  if (more.length > 0) {
    const lines = findings.map((one) => `${one.severity}: ${one.title}`)
    return { id: `more-${id}`, severity, title: `${findings.length} more findings`, at, link: undefined, lines, fields: {} }
  }
  return {
    ...{ id, severity, title, at, link: undefined },
    lines: [why, `What to do: ${todo}`, ...(evidence.length > 0 ? [`Events: ${evidence.join(' ')}`] : [])],
    fields: { signal, technique, ...(store && { store }), ...(account && { account }) }
  }
}

const bySeverity = (findings: readonly Finding[]): AuditReport['findings'] => {
  const counts = { low: 0, medium: 0, high: 0, critical: 0 }
  for (const { severity } of findings) counts[severity]++
  return counts
}
