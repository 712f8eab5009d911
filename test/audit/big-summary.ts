import type { Summary } from '../../shared/audit/summary.ts'
import { sampleSummary } from './sample-summary.ts'

/** The sample many times over: thousands of findings, tens of thousands of pairs, a chart for each of 100 secrets. */
export function bigSummary(): Summary {
  const one = sampleSummary()
  return {
    ...one,
    findings: times(one.findings, 5_000, (row, n) => ({ ...row, id: `${n}`, title: `${row.title} (${n})` })),
    inventory: times(one.inventory, 20_000, (row, n) => ({
      ...row,
      identity: `${row.identity}-${n % 900}`,
      secret: `${row.secret}-${n}`,
      secretName: `${row.secretName}-${n}`
    })),
    rotation: times(one.rotation, 9_000, (row, n) => ({ ...row, secret: `${row.secret}-${n}` })),
    orphans: times(one.orphans, 3_000, (row, n) => ({ ...row, secret: `${row.secret}-${n}` })),
    drift: times(one.drift, 2_000, (row, n) => ({ ...row, policy: `${row.policy}-${n}` })),
    charts: { ...one.charts, reads: times(one.charts.reads, 100, (row, n) => ({ ...row, secret: `${row.secret}-${n}` })) }
  }
}

const times = <Row>(rows: readonly Row[], count: number, make: (row: Row, n: number) => Row): readonly Row[] =>
  Array.from({ length: count }, (_, n) => make(rows[n % rows.length] as Row, n))
