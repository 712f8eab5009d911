import { bigquery } from '../../shared/queries/gcp-bigquery.ts'
import { startBigQuery } from '../doubles/bigquery.ts'
import { administrator } from '../doubles/google-iam-errors.ts'
import { ALL_LOGS } from './all-logs.ts'
import { forDuck } from './duck.ts'
import { type Entry, entries } from './entries.ts'
import { equalSuite } from './equal-suite.ts'

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** As Log Analytics writes names; what has no schema is JSON, and is left as it is. */
function snaked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snaked)
  if (typeof value !== 'object' || value === null) return value
  const isJson = (name: string): boolean => name === 'request' || name === 'labels'
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [snake(name), isJson(name) ? one : snaked(one)]))
}

function viewRow({ protoPayload, ...entry }: Entry): object {
  const log_id = decodeURIComponent(entry.logName.replace(/^.*\/logs\//, ''))
  return {
    ...(snaked(entry) as object),
    log_id,
    receive_timestamp: entry.timestamp,
    proto_payload: { audit_log: snaked(protoPayload) }
  }
}

equalSuite('BigQuery', entries, async ({ records }, duck, python) => {
  await duck.run(`ATTACH ':memory:' AS "my-project"`)
  await duck.run('CREATE SCHEMA "my-project".logs')
  const googleSql = { python, read: 'bigquery' } as const
  await duck.run(forDuck(googleSql, ALL_LOGS('my-project', 'logs')))
  await duck.fill('"my-project".logs._AllLogs', (records as readonly Entry[]).map(viewRow))
  const double = await startBigQuery({ execute: async (sql) => ({ rows: await duck.rows(forDuck(googleSql, sql)) }) })
  const place = { project: 'my-project', dataset: 'logs', location: 'EU', maximumBytesBilled: 1e9 }
  return { query: bigquery({ ...place, endpoint: double.url, authorize: administrator }), close: () => double.close() }
})
