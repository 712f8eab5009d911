import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { AUDIT_DEFAULTS } from '../../shared/audit/settings.ts'
import { type AccessRow, QUESTIONS, type SignalRow } from '../../shared/ports/audit-query.ts'
import { leaveOut } from '../left-out.ts'
import { holdTrail } from './athena-held.ts'
import { ofAccess, ofFindings, ofRows } from './comparable.ts'
import { findTranslators, startDuck } from './duck.ts'
import { engineSays } from './engine.ts'
import { DAY, type TrailRecord } from './trail.ts'

const SAMPLES = new URL('../../../shared/data/audit/cloudtrail-invictus/', import.meta.url)
const python = findTranslators()

if (!existsSync(SAMPLES))
  leaveOut('a trail that nobody here wrote, asked of Athena', 'no ../shared/data/audit/cloudtrail-invictus')
else if (python === undefined) leaveOut('a trail that nobody here wrote, asked of Athena', 'sqlglot is not installed')
else
  describe('a trail of a simulated attack that nobody here wrote', () => {
    it('tells Athena’s SQL what it tells the engine', async () => {
      const files = readdirSync(SAMPLES).filter((name) => name.endsWith('.json'))
      const records = files.flatMap((name) => JSON.parse(readFileSync(new URL(name, SAMPLES), 'utf8')).Records as TrailRecord[])
      const since = Date.UTC(2023, 6, 10)
      const settings = {
        ...AUDIT_DEFAULTS,
        workHours: [14, 19] as const,
        failedLogins: 1,
        longTtlSeconds: { ...AUDIT_DEFAULTS.longTtlSeconds, aws: 900 }
      }
      const asked = { since, until: since + DAY, historyMs: DAY, settings, mostRows: 10_000 }
      const said = await engineSays(records, asked, settings)
      const duck = await startDuck()
      const held = await holdTrail(records, duck, python)
      try {
        const signal = new AbortController().signal
        const [found, access]: [SignalRow[], AccessRow[]] = [[], []]
        for (const question of QUESTIONS) await held.query.ask(question, asked, (row) => found.push(row), signal)
        await held.query.inventory(asked, (row) => access.push(row), signal)
        for (const question of QUESTIONS)
          expect(ofRows(found.filter((row) => row.signal === question)), question).toEqual(ofFindings(said.findings, question))
        expect(ofAccess(access)).toEqual(ofAccess(said.inventory))
        expect([found.length > 2, access.length > 10]).toEqual([true, true])
      } finally {
        await held.close()
        duck.close()
      }
    })
  })
