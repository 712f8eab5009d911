import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AUDIT_DEFAULTS } from '../../shared/audit/settings.ts'
import { type AccessRow, type Asked, type AuditQuery, QUESTIONS, type SignalRow } from '../../shared/ports/audit-query.ts'
import { leaveOut } from '../left-out.ts'
import { ofAccess, ofFindings, ofRows } from './comparable.ts'
import { type Duck, findTranslators, startDuck } from './duck.ts'
import { engineSays } from './engine.ts'
import { DAY } from './trail.ts'

/** A service that holds a log: its double runs each text on DuckDB, as a translator of others makes it (duck.ts). */
export interface Held {
  readonly query: AuditQuery
  close(): Promise<void>
}

export interface Log {
  readonly since: number
  readonly until: number
  readonly records: readonly object[]
}

/** Whether a service's queries answer what the engine finds in the same log, in a zone that is not UTC. */
export function equalSuite(
  name: string,
  logOf: (seed: number) => Log,
  hold: (log: Log, duck: Duck, python: string) => Promise<Held>
): void {
  const python = findTranslators()
  if (python === undefined) {
    leaveOut(`the queries of ${name}`, 'sqlglot and duckdb-kql are not installed (.ci/run --install-only)')
    return
  }
  describe.each([1, 2, 3])(`what is asked of ${name}, about a log by chance (%i)`, (seed) => {
    const settings = { ...AUDIT_DEFAULTS, zone: 'America/New_York', holidays: ['2026-07-08'] }
    let duck: Duck | undefined
    let held: Held | undefined
    let asked: Asked
    let said: Awaited<ReturnType<typeof engineSays>>
    beforeAll(async () => {
      const log = logOf(seed)
      asked = { since: log.since, until: log.until, historyMs: 49 * DAY, settings, mostRows: 10_000 }
      said = await engineSays(log.records, asked, settings)
      duck = await startDuck()
      held = await hold(log, duck, python)
    })
    afterAll(async () => {
      await held?.close()
      duck?.close()
    })

    it.each(QUESTIONS)('answers %s with what the engine finds', async (question) => {
      const rows: SignalRow[] = []
      const answered = await (held as Held).query.ask(question, asked, (row) => rows.push(row), new AbortController().signal)
      expect(answered).toMatchObject({ rows: rows.length, isCapped: false })
      expect(ofRows(rows)).toEqual(ofFindings(said.findings, question))
      expect(rows.length, 'a question that nothing answers proves nothing').toBeGreaterThan(0)
    })

    it('makes the same inventory of the period', async () => {
      const rows: AccessRow[] = []
      await (held as Held).query.inventory(asked, (row) => rows.push(row), new AbortController().signal)
      expect(ofAccess(rows)).toEqual(ofAccess(said.inventory))
      expect(rows.length).toBeGreaterThan(10)
    })

    it('gives as many rows as are wanted, those of the most events, and says that there are more', async () => {
      const rows: SignalRow[] = []
      const few = { ...asked, mostRows: 2 }
      const answered = await (held as Held).query.ask('denied', few, (row) => rows.push(row), new AbortController().signal)
      expect(answered).toMatchObject({ rows: 2, isCapped: true })
      const most = ofFindings(said.findings, 'denied').map(({ count }) => count)
      expect(rows.map(({ count }) => count)).toEqual(most.toSorted((a, b) => b - a).slice(0, 2))
    })
  })
}
