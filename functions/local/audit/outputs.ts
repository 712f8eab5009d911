import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { About } from '../../../shared/audit/outputs/about.ts'
import type { Summary } from '../../../shared/audit/summary.ts'
import { KeyturnError } from '../../../shared/errors.ts'
import type { AuditOptions } from './options.ts'

/** Writes the files that options name. The charts' library is loaded only for the page. */
export async function writeOutputs(summary: Summary, about: About, options: AuditOptions): Promise<void> {
  const { html, ocsf, markdown, csv } = options
  if (html !== undefined) {
    const { htmlReport } = await import('../../../shared/audit/outputs/html.ts')
    await write(html, [htmlReport(summary, { ...about, title: 'Audit of secrets' })])
  }
  if (ocsf !== undefined) {
    const { ocsfLines } = await import('../../../shared/audit/outputs/ocsf.ts')
    await write(ocsf, ocsfLines(summary, about))
  }
  if (markdown !== undefined) {
    const { auditMarkdown } = await import('../../../shared/audit/outputs/markdown.ts')
    await write(markdown, [auditMarkdown(summary, about)])
  }
  if (csv !== undefined) {
    const { inventoryCsv } = await import('../../../shared/audit/outputs/csv.ts')
    await write(csv, inventoryCsv(summary.inventory))
  }
}

async function write(path: string, parts: Iterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(parts), createWriteStream(path))
  } catch (e) {
    const code = e instanceof Error && 'code' in e ? String(e.code) : 'unknown'
    throw new KeyturnError('invalid/request', `${path} cannot be written`, code)
  }
}
