import { gzipSync } from 'node:zlib'
import { hasCode } from '../errors.ts'
import type { Objects } from '../ports/objects.ts'
import { VERSION } from '../version.ts'
import type { Framework } from './controls.ts'
import type { Finding } from './finding.ts'
import type { About } from './outputs/about.ts'
import { htmlReport } from './outputs/html.ts'
import { auditJson } from './outputs/json.ts'
import { ocsfLines } from './outputs/ocsf.ts'
import { ENDINGS, LATEST } from './report-names.ts'
import type { Summary } from './summary.ts'

export interface ReportPlace {
  readonly place: Objects
  /** What names of reports begin with: `reports/`. */
  readonly prefix: string
  readonly framework: Framework | undefined
}

export interface RunReports {
  /** Of report-names.ts. */
  readonly name: string
  readonly summary: Summary
  /** Findings of the last days, this run's too. */
  readonly recent: readonly Finding[]
}

/**
 * Writes the reports of one run: `2026-07-01/120000Z-1f3c9a2b.html`, `.json.gz` and `.ocsf.ndjson`, and the page once more as
 * `latest.html`. A run may read one small log: the page, which people look at, has the findings of the last days; the two
 * that programs collect have those of the run.
 */
export async function writeReports(
  { place, prefix, framework }: ReportPlace,
  { name, summary, recent }: RunReports,
  signal: AbortSignal
): Promise<void> {
  const about: About = { version: VERSION, generatedAt: summary.period.now, framework }
  const page = Buffer.from(htmlReport({ ...summary, findings: recent }, { ...about, title: 'Audit of secrets' }))
  const files: readonly (readonly [string, Uint8Array])[] = [
    [`${name}${ENDINGS.page}`, page],
    [`${name}${ENDINGS.json}`, gzipSync(auditJson(summary, about))],
    [`${name}${ENDINGS.ocsf}`, Buffer.from([...ocsfLines(summary, about)].join(''))]
  ]
  for (const [file, bytes] of files)
    if (!(await isPut(place, `${prefix}${file}`, bytes, undefined, signal)))
      await replace(place, `${prefix}${file}`, bytes, signal)
  await replace(place, `${prefix}${LATEST}`, page, signal)
}

/** Whoever writes last wins: the latest page is the newest run's, and other names are of one run, that began anew. */
async function replace(place: Objects, name: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  const found = await place.describe(name, signal)
  await isPut(place, name, bytes, found?.tag, signal)
}

async function isPut(place: Objects, name: string, bytes: Uint8Array, tag: string | undefined, signal: AbortSignal) {
  try {
    await place.put(name, bytes, tag, signal)
    return true
  } catch (e) {
    if (hasCode(e, 'conflict/object-changed')) return false
    throw e
  }
}
