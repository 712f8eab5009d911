import { Readable } from 'node:stream'
import type { Finding } from '../../shared/audit/finding.ts'
import { addTally } from '../../shared/audit/merge.ts'
import { readLogs } from '../../shared/audit/read.ts'
import { inventory } from '../../shared/audit/reports/inventory.ts'
import { seen } from '../../shared/audit/seen.ts'
import type { AuditSettings } from '../../shared/audit/settings.ts'
import { SIGNALS } from '../../shared/audit/signals.ts'
import type { Access } from '../../shared/audit/summary.ts'
import { emptyTally } from '../../shared/audit/tally.ts'
import { type Asked, QUESTIONS } from '../../shared/ports/audit-query.ts'

/** What the engine says of the same log, when it had read the history before and now reads the period. */
export async function engineSays(
  records: readonly object[],
  { since, until, historyMs }: Pick<Asked, 'since' | 'until' | 'historyMs'>,
  settings: AuditSettings
): Promise<{ readonly findings: readonly Finding[]; readonly inventory: readonly Access[] }> {
  const log = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''))
  const known = seen()
  const read = async (from: number, to: number) => {
    const source = { name: 'log', bytes: log.length, open: () => Readable.from([log]) }
    const bounds = { mostBytes: 2 ** 30, mostRatio: 1_000 }
    return readLogs([source], { settings, seen: known, bounds, since: from, until: to, clock: until })
  }
  const before = await read(since - historyMs, since)
  const fresh = await read(since, until)
  const all = emptyTally()
  addTally(all, before.tally)
  addTally(all, fresh.tally)
  const view = { all, fresh: fresh.tally, now: until, settings, masked: new Set<string>() }
  const asked = SIGNALS.filter(({ name }) => QUESTIONS.some((question) => question === name))
  return { findings: asked.flatMap((signal) => signal.judge(view)), inventory: inventory(fresh.tally) }
}
