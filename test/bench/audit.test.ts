import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildFunction, FUNCTIONS } from '../../infra/build.ts'
import { auditFigures } from './audit.ts'
import { auditLines } from './audit-figures.ts'

test('the bench reads the same logs by keyturn, DuckDB and gunzip, and puts each figure beside its target', {
  timeout: 120_000
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-bench-audit-'))
  try {
    const cli = FUNCTIONS.find(({ name }) => name === 'local/keyturn')
    if (!cli) throw new Error('infra/build.ts builds no local/keyturn')
    await buildFunction(cli, folder)
    const figures = await auditFigures({
      ...{ megabytes: 4, times: 1, streamed: [4, 8], folder, cli: join(folder, cli.name, 'index.mjs') },
      say: () => {}
    })
    const lines = auditLines(figures)
    expect(lines.map(({ figure }) => figure)).toEqual([
      'Vault, plain lines, over DuckDB',
      'Vault, gzip, over DuckDB',
      'Vault, gzip, over plain gunzip',
      'CloudTrail, gzip, over DuckDB',
      'CloudTrail, gzip, over plain gunzip',
      'peak memory at 4 MB',
      'peak memory at 8 MB',
      'two threads over one, plain lines'
    ])
    for (const { value } of lines) expect(Number.parseFloat(value)).toBeGreaterThan(0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a figure that misses its target says so', () => {
  const slow = { mbPerSecond: 100, rssBytes: 0 }
  const fast = { mbPerSecond: 1_000, rssBytes: 0 }
  const lines = auditLines({
    megabytes: 1,
    vault: { keyturn: slow, duckdb: fast },
    vaultGz: { keyturn: fast, duckdb: slow, gunzip: slow },
    cloudTrailGz: { keyturn: fast, duckdb: slow, gunzip: fast },
    memory: [
      { megabytes: 1_000, rssBytes: 140 * 2 ** 20 },
      { megabytes: 10_000, rssBytes: 160 * 2 ** 20 }
    ],
    twoWorkers: 1.7
  })
  expect(lines.map(({ met }) => met)).toEqual([false, true, true, true, true, true, false, true])
})
