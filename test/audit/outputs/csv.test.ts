import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { inventoryCsv } from '../../../shared/audit/outputs/csv.ts'
import type { Access } from '../../../shared/audit/summary.ts'
import { leaveOut } from '../../left-out.ts'
import { sampleSummary } from '../sample-summary.ts'
import { HOSTILE, summaryNamed } from './hostile.ts'
import { hasRealLogs, realSummary } from './real-summary.ts'

const textOf = (inventory: readonly Access[]): string => [...inventoryCsv(inventory)].join('')

/** Read as RFC 4180 says: commas, double quotes, CRLF and nothing else. */
const rowsOf = (text: string): readonly Record<string, string>[] =>
  parse(text, { columns: true, record_delimiter: '\r\n', relax_column_count: false, relax_quotes: false })

/** What spreadsheets take for a formula, as OWASP lists it ("CSV Injection"), behind what they drop before it. */
const isFormula = (cell: string): boolean => /^\s*[=+\-@＝＋－＠]/u.test(cell) || /^[\t\r\n]/.test(cell)

describe('the CSV of the inventory', () => {
  it('has a line for each identity and secret, with what the inventory has', () => {
    const { inventory } = sampleSummary()
    const rows = rowsOf(textOf(inventory))
    expect(rows).toHaveLength(inventory.length)
    rows.forEach((row, at) => {
      const access = inventory[at]
      expect(row).toMatchObject({
        ...{ identity: access?.identity, identity_name: access?.identityName, identity_type: access?.identityType },
        ...{ secret: access?.secret, secret_name: access?.secretName, store: access?.store, account: access?.account },
        ...{ reads: String(access?.reads), writes: String(access?.writes), denied: String(access?.denied) },
        ...{ first: new Date(access?.first ?? 0).toISOString(), last: new Date(access?.last ?? 0).toISOString() }
      })
    })
  })

  it('ends every line with CRLF, the last one too, and begins without a mark', () => {
    const text = textOf(sampleSummary().inventory)
    expect(text.startsWith('"identity",')).toBe(true)
    expect(text.endsWith('\r\n')).toBe(true)
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  })

  it('is a head and nothing more where nobody touched anything', () => {
    expect(textOf([]).split('\r\n')).toHaveLength(2)
    expect(rowsOf(textOf([]))).toEqual([])
  })

  it.each(HOSTILE)('is read back as it was, or with an apostrophe before a formula: %j', (name) => {
    const rows = rowsOf(textOf(summaryNamed(name).inventory))
    const shown = isFormula(name) ? `'${name}` : name
    // A lone surrogate is no character of UTF-8, which is what is parsed.
    const expected = Buffer.from(shown).toString()
    for (const { secret, secret_name, identity_name, account } of rows)
      expect([secret, secret_name, identity_name, account]).toEqual([expected, expected, expected, expected])
  })

  it('has no cell that a spreadsheet takes for a formula', () => {
    const cells = HOSTILE.flatMap((name) => rowsOf(textOf(summaryNamed(name).inventory.slice(0, 3))).flatMap(Object.values))
    expect(HOSTILE.filter(isFormula).length).toBeGreaterThan(8)
    expect(cells.filter(isFormula)).toEqual([])
  })

  it('names the controls that an inventory answers, of one framework where one is asked for', () => {
    const rows = rowsOf([...inventoryCsv(sampleSummary().inventory, 'soc2')].join(''))
    expect(new Set(rows.map(({ controls }) => controls))).toEqual(new Set(['SOC 2 CC6.1; SOC 2 CC6.2; SOC 2 CC6.3']))
  })

  if (!hasRealLogs) leaveOut('the CSV of a real log', 'the samples of audit logs are not here')
  else
    it('is read back from the CloudTrail of a simulated attack', async () => {
      const { inventory } = await realSummary()
      expect(rowsOf(textOf(inventory)).map(({ secret }) => secret)).toEqual(inventory.map(({ secret }) => secret))
      expect(inventory.length).toBeGreaterThan(10)
    })
})
