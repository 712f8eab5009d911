import { existsSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { keepRead } from '../../../shared/audit/archive.ts'
import { atLeast } from '../../../shared/audit/finding.ts'
import { BOUNDS } from '../../../shared/audit/gunzip.ts'
import { withState } from '../../../shared/audit/keep-state.ts'
import { forget } from '../../../shared/audit/merge.ts'
import type { About } from '../../../shared/audit/outputs/about.ts'
import { auditDocument } from '../../../shared/audit/outputs/json.ts'
import { readLogs } from '../../../shared/audit/read.ts'
import { reviewOf } from '../../../shared/audit/reports/drift.ts'
import { type AuditState, emptyState } from '../../../shared/audit/state.ts'
import { summarize } from '../../../shared/audit/summarize.ts'
import type { Summary } from '../../../shared/audit/summary.ts'
import { KeyturnError } from '../../../shared/errors.ts'
import { folder } from '../../../shared/objects/file.ts'
import type { SecretFacts } from '../../../shared/ports/secret-store.ts'
import { VERSION } from '../../../shared/version.ts'
import type { Answer, Invocation } from '../command.ts'
import { listSecrets } from '../listing.ts'
import { signalRows, signalsText, summaryText } from './answer.ts'
import { type AuditOptions, type Wanted, wantedOf } from './options.ts'
import { writeOutputs } from './outputs.ts'
import { readParallel } from './parallel.ts'
import { readingProgress } from './reading-progress.ts'
import { namedLogs } from './sources.ts'

/** `keyturn audit`. */
export async function audit(i: Invocation, paths: readonly string[], options: AuditOptions): Promise<Answer> {
  if (options.signals) return { exit: 0, json: { action: 'audit', ok: true, signals: signalRows() }, text: signalsText }
  const now = Date.now()
  const wanted = wantedOf(options, now)
  const { state: statePath, markReviewed } = options
  if (markReviewed !== undefined && statePath === undefined)
    throw new KeyturnError('invalid/request', '--mark-reviewed is kept in the state: name it with --state')
  if (paths.length === 0 && markReviewed === undefined)
    throw new KeyturnError('invalid/request', 'name a file, a folder, or - for standard input')
  const work = async (state: AuditState): Promise<Summary> => {
    if (markReviewed !== undefined && paths.length === 0) state.review = reviewOf(state.tally, now, markReviewed)
    const summary = await answered(i, paths, wanted, state, { now, isOnce: statePath === undefined })
    if (markReviewed !== undefined) state.review = reviewOf(state.tally, now, markReviewed)
    return summary
  }
  const summary = await (statePath === undefined ? work(emptyState()) : kept(statePath, i, work))
  const about: About = { version: VERSION, generatedAt: now, framework: wanted.framework }
  await writeOutputs(summary, about, options)
  const { failOn } = wanted
  const isBad = failOn !== undefined && summary.findings.some(({ severity }) => atLeast(severity, failOn))
  return { exit: isBad ? 6 : 0, json: auditDocument(summary, about), text: (paint) => summaryText(summary, paint) }
}

const kept = <T>(path: string, { deadline }: Invocation, work: (state: AuditState) => Promise<T>): Promise<T> =>
  withState(folder({ folder: dirname(resolve(path)) }), basename(path), deadline.signal, work)

async function answered(
  i: Invocation,
  paths: readonly string[],
  { settings, since, until, format, workers }: Wanted,
  state: AuditState,
  { now, isOnce }: { readonly now: number; readonly isOnce: boolean }
): Promise<Summary> {
  const { signal } = i.deadline
  i.progress.say('looking for logs')
  const { sources, files, listings, bytes } = await namedLogs({ paths, format, stdin: i.stdin, signal, isOnce }, state)
  const progressed = readingProgress(i.progress, bytes)
  const reading = { settings, since, until, seen: state.seen, bounds: BOUNDS, clock: now, signal, progressed }
  const isFiles = sources.length === files.length
  const inParts = isFiles ? await readParallel({ files, format, workers }, reading) : undefined
  const read = inParts ?? (await readLogs(sources, reading))
  keepRead(state, files, read, listings)
  const listed = await listedIn(i)
  const summary = summarize(read, state, { settings, since, until, now: until, listed })
  forget(state.tally, summary.period.now, settings)
  return summary
}

/** What the store has, where one is named, or is there by default; values are not read. */
async function listedIn(i: Invocation): Promise<readonly SecretFacts[] | undefined> {
  const { storeName, folder: of } = i.local
  if (storeName === 'file' && !existsSync(of)) return undefined
  const { listed, error } = await listSecrets(i)
  if (error) i.progress.line(`the store does not tell all of its secrets: ${error.code}: ${error.message}\n`)
  return listed
}
