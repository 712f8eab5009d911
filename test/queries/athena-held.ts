import { athena } from '../../shared/queries/aws-athena.ts'
import { trailTable } from '../../shared/queries/aws-athena-table.ts'
import { startAthena } from '../doubles/athena.ts'
import { type Duck, forDuck } from './duck.ts'
import type { Held } from './equal-suite.ts'
import type { TrailRecord } from './trail.ts'

const TABLE = {
  database: 'audit',
  table: 'trail',
  accounts: ['111122223333'],
  regions: ['eu-west-1', 'us-east-1']
}

const TEXTS = ['requestParameters', 'responseElements', 'additionalEventData']

/** As CloudTrailInputFormat and JsonSerDe give a record: names in lower case, and what AWS calls parameters as a text. */
function tableRow(record: TrailRecord): object {
  const columns = Object.entries(record).map(([name, value]) => [
    name.toLowerCase(),
    TEXTS.includes(name) && value !== null ? JSON.stringify(value) : lower(value)
  ])
  const timestamp = record.eventTime.slice(0, 10).replaceAll('-', '/')
  return { ...Object.fromEntries(columns), account: TABLE.accounts[0], region: 'eu-west-1', timestamp }
}

const lower = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name.toLowerCase(), lower(one)]))
    : value

/** Records in the table that trailTable describes, on DuckDB, behind the double of Athena. */
export async function holdTrail(records: readonly TrailRecord[], duck: Duck, python: string): Promise<Held> {
  await duck.run('CREATE SCHEMA audit')
  const ddl = trailTable({ ...TABLE, bucket: 'logs', firstDay: '2024-01-01' })
  const athenaSql = { python, read: 'athena' } as const
  await duck.run(forDuck(athenaSql, ddl))
  await duck.fill('audit.trail', records.map(tableRow))
  const double = await startAthena({
    execute: async (sql) => ({ columns: [], rows: await duck.rows(forDuck(athenaSql, sql)) })
  })
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'none' }
  const query = athena({ ...TABLE, workgroup: 'audit', endpoint: double.url, region: 'eu-west-1', pollMs: [0], credentials })
  return { query, close: () => double.close() }
}
