import { afterEach, describe, expect, test, vi } from 'vitest'
import { ACCESS_COLUMNS, SIGNAL_COLUMNS } from '../../shared/queries/asked.ts'
import { type AthenaDouble, type Row, startAthena } from '../doubles/athena.ts'
import { keyturn } from './local-world.ts'

let double: AthenaDouble | undefined
afterEach(async () => {
  vi.unstubAllEnvs()
  await double?.close()
  double = undefined
})

const TRAIL = [
  '--database',
  'audit',
  '--table',
  'trail',
  '--accounts',
  '123456789012',
  '--regions',
  'us-east-1',
  '--workgroup',
  'audit'
]
const say = (args: readonly string[]) => keyturn(['ask', ...args], { KEYTURN_FOLDER: '/nowhere' })

const AT = Date.UTC(2026, 6, 1, 9)
const DENIED: Row = ['123456789012', 'aws:ann', 'ann', 'aws:123456789012/db', 'db', '', '', '', AT, AT, 7, null, null, 1, null]
const ACCESS: Row = ['123456789012', 'aws:ann', 'ann', 'person', 'aws:123456789012/db', 'db', AT, AT, 12, 0, 7]

/** Athena, which answers two of the seven questions. */
async function athena(): Promise<void> {
  let asked = 0
  double = await startAthena({
    execute: async () => {
      asked++
      if (asked === 7) return { columns: ACCESS_COLUMNS, rows: [ACCESS] }
      return { columns: SIGNAL_COLUMNS, rows: asked === 4 ? [DENIED] : [] }
    }
  })
  for (const [name, value] of Object.entries({
    ...{ AWS_ENDPOINT_URL_ATHENA: double.url, AWS_REGION: 'us-east-1' },
    ...{ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'none' }
  }))
    vi.stubEnv(name, value)
}

describe('keyturn ask', () => {
  test('asks Athena the six signals and the inventory, and shows who, what and how often', async () => {
    await athena()
    const { exit, out, err } = await say(['athena', ...TRAIL, '--since', '2026-07-01', '--until', '2026-07-02'])
    expect([exit, err]).toEqual([0, ''])
    expect(double?.queries).toHaveLength(7)
    expect(out).toMatch(/^new-network: 0 rows \(\d+ kB read\)/)
    expect(out).toMatch(/denied: 1 row .*\n.*who.*\nann +db +7 +2026-07-01 09:00:00 UTC/)
    expect(out).toMatch(/inventory: 1 row .*\n.*secret.*\nann +db +12 +0 +7/)
  })

  test('prints with --json rows of one shape', async () => {
    await athena()
    const { json } = await say(['athena', ...TRAIL, '--since', '2026-07-01', '--until', '2026-07-02', '--json'])
    expect(json).toMatchObject({ action: 'ask', ok: true, place: 'athena://audit/trail', since: '2026-07-01T00:00:00.000Z' })
    expect(json.answers.map(({ about }: { about: string }) => about)).toEqual([
      ...['new-network', 'read-volume', 'off-hours', 'denied', 'failed-logins', 'long-ttl', 'inventory']
    ])
    expect(json.answers[3].answer).toMatchObject([
      { signal: 'denied', identityName: 'ann', count: 7, first: '2026-07-01T09:00:00.000Z' }
    ])
  })

  test('prints the statement that makes the table, and asks nothing', async () => {
    const { exit, out } = await say(['athena', '--print-table', ...TRAIL, '--bucket', 'my-logs', '--first-day', '2026-01-01'])
    expect(exit).toBe(0)
    expect(out).toMatch(/^CREATE EXTERNAL TABLE audit\.trail \(/)
    expect(out).toContain('s3://my-logs/AWSLogs/')
  })

  test.each([
    [['splunk'], 'the service must be one of athena, log-analytics, bigquery', 2],
    [['athena'], '--database must be given', 2],
    [['log-analytics'], '--workspace must be given', 2],
    [['bigquery', '--project', 'p'], '--dataset must be given', 2],
    [['athena', ...TRAIL, '--most', 'all'], '--most must be a whole number of rows', 2],
    [['athena', ...TRAIL, '--since', 'monday'], '--since must be a time', 2],
    [['log-analytics', '--workspace', 'mine'], 'the id of the workspace', 1]
  ])('%j says what is wrong', async (args, message, code) => {
    const { exit, json } = await say([...args, '--json'])
    expect(json.message).toContain(message)
    expect(exit).toBe(code)
  })
})
