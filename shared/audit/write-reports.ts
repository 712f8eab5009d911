import { gzipSync } from 'node:zlib'
import { KeyturnError } from '../errors.ts'
import type { Objects } from '../ports/objects.ts'
import { VERSION } from '../version.ts'
import type { Framework } from './controls.ts'
import type { About } from './outputs/about.ts'
import type { Summary } from './summary.ts'

export interface ReportPlace {
  readonly place: Objects
  /** What names of reports begin with: `reports/`. */
  readonly prefix: string
  readonly framework: Framework | undefined
}

/**
 * Writes the reports of one run under its day and time: `2026-07-01/120000Z.html`, `.json.gz` and `.ocsf.ndjson`, and the
 * page once more as `latest.html`.
 */
export async function writeReports(
  { place, prefix, framework }: ReportPlace,
  summary: Summary,
  signal: AbortSignal
): Promise<void> {
  const { now } = summary.period
  const about: About = { version: VERSION, generatedAt: now, framework }
  const [{ htmlReport }, { auditJson }, { ocsfLines }] = await Promise.all([
    import('./outputs/html.ts'),
    import('./outputs/json.ts'),
    import('./outputs/ocsf.ts')
  ])
  const [day = '', time = ''] = new Date(now).toISOString().split(/[T.]/)
  const name = `${prefix}${day}/${time.replaceAll(':', '')}Z`
  const page = Buffer.from(htmlReport(summary, { ...about, title: 'Audit of secrets' }))
  const files: readonly (readonly [string, Uint8Array])[] = [
    [`${name}.html`, page],
    [`${name}.json.gz`, gzipSync(auditJson(summary, about))],
    [`${name}.ocsf.ndjson`, Buffer.from([...ocsfLines(summary, about)].join(''))],
    [`${prefix}latest.html`, page]
  ]
  for (const [file, bytes] of files) await replace(place, file, bytes, signal)
}

/** The newest run wins; a report of the same second is of the same run, which was repeated. */
async function replace(place: Objects, name: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  const found = await place.describe(name, signal)
  try {
    await place.put(name, bytes, found?.tag, signal)
  } catch (e) {
    if (!(e instanceof KeyturnError && e.code === 'conflict/object-changed')) throw e
  }
}
