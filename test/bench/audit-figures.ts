import type { AuditFigures, Speed } from './audit.ts'
import type { Line } from './figures.ts'

const MIB = 2 ** 20
const speed = ({ mbPerSecond }: Speed): string => `${Math.round(mbPerSecond)} MB/s`
const ratio = (a: Speed, b: Speed): number => a.mbPerSecond / b.mbPerSecond
const beside = (figure: string, ours: Speed, theirs: Speed, least: number): Line => ({
  figure,
  value: `${ratio(ours, theirs).toFixed(2)} × (${speed(ours)})`,
  target: `≥ ${least}`,
  met: ratio(ours, theirs) >= least,
  plain: speed(theirs),
  store: ''
})

/** Each figure beside its target. */
export function auditLines({ vault, vaultGz, cloudTrailGz, memory, twoWorkers }: AuditFigures): readonly Line[] {
  const first = memory[0]
  return [
    beside('Vault, plain lines, over DuckDB', vault.keyturn, vault.duckdb, 0.6),
    beside('Vault, gzip, over DuckDB', vaultGz.keyturn, vaultGz.duckdb, 1.5),
    beside('Vault, gzip, over plain gunzip', vaultGz.keyturn, vaultGz.gunzip, 0.5),
    beside('CloudTrail, gzip, over DuckDB', cloudTrailGz.keyturn, cloudTrailGz.duckdb, 4),
    beside('CloudTrail, gzip, over plain gunzip', cloudTrailGz.keyturn, cloudTrailGz.gunzip, 0.5),
    ...memory.map(({ megabytes, rssBytes }): Line => {
      const most = first === undefined || first.megabytes === megabytes ? 150 * MIB : first.rssBytes * 1.1
      return {
        figure: `peak memory at ${megabytes} MB`,
        value: `${Math.round(rssBytes / MIB)} MiB`,
        target: `≤ ${Math.round(most / MIB)} MiB`,
        met: rssBytes <= most,
        plain: '',
        store: ''
      }
    }),
    {
      ...{ figure: 'two threads over one, plain lines', value: `${twoWorkers.toFixed(2)} ×`, target: '≥ 1.6' },
      ...{ met: twoWorkers >= 1.6, plain: '', store: '' }
    }
  ]
}
