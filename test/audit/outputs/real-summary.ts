import { createReadStream, existsSync, globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BOUNDS } from '../../../shared/audit/gunzip.ts'
import { readLogs } from '../../../shared/audit/read.ts'
import { AUDIT_DEFAULTS } from '../../../shared/audit/settings.ts'
import { emptyState } from '../../../shared/audit/state.ts'
import { summarize } from '../../../shared/audit/summarize.ts'
import type { Summary } from '../../../shared/audit/summary.ts'

const FOLDER = fileURLToPath(new URL('../../../../shared/data/audit/cloudtrail-invictus', import.meta.url))

export const hasRealLogs = existsSync(FOLDER)

/** What the engine answers for the CloudTrail of a simulated attack. */
export async function realSummary(): Promise<Summary> {
  const state = emptyState()
  const sources = globSync(`${FOLDER}/*.json`).map((file) => ({
    name: file.slice(FOLDER.length + 1),
    bytes: undefined,
    open: () => createReadStream(file)
  }))
  const reading = { seen: state.seen, bounds: BOUNDS, clock: Date.UTC(2026, 0), since: undefined, until: undefined }
  const read = await readLogs(sources, { ...reading, settings: AUDIT_DEFAULTS })
  return summarize(read, state, {
    ...{ settings: AUDIT_DEFAULTS, since: undefined, until: undefined, now: undefined, listed: undefined }
  })
}
