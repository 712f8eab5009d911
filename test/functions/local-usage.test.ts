import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { EXITS, exitOf, worst } from '../../functions/local/exit-codes.ts'
import { duration, timeOption, when } from '../../functions/local/humane.ts'
import { failureText, painter, table } from '../../functions/local/output.ts'
import { CODES, type Code } from '../../shared/errors.ts'
import { instant } from '../../shared/types.ts'
import { keyturn } from './local-world.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyturn-usage-'))
afterAll(() => rmSync(folder, { recursive: true }))
const say = (args: readonly string[], env: Record<string, string> = {}) => keyturn(args, { KEYTURN_FOLDER: folder, ...env })

describe('a bad command line', () => {
  test.each([
    [['turn'], "unknown command 'turn'"],
    [['rotate'], "missing required argument 'secret'"],
    [['rotate', 'a', 'b'], 'too many arguments'],
    [['rotate', 'a', '--now'], "unknown option '--now'"],
    [['hold', 'a'], "required option '--reason <text>' not specified"],
    [['rotate', 'a', '--timeout', 'soon'], '--timeout must be a number'],
    [['rotate', 'a', '--timeout', '1h'], '--timeout is at most 15 min'],
    [['sweep', '--concurrency', 'many'], '--concurrency must be a whole number from 1 to 64'],
    [[], 'a command is missing']
  ])('%j exits with 2 and one coded JSON object', async (args, message) => {
    const { exit, json, err } = await say([...args, '--json'])
    expect([exit, err]).toEqual([2, ''])
    expect(json).toMatchObject({ ok: false, code: 'invalid/request' })
    expect(json.message).toContain(message)
  })

  test('is explained to people on standard error, with what to do', async () => {
    const { exit, out, err } = await say(['rotate'])
    expect([exit, out]).toEqual([2, ''])
    expect(err).toMatch(/^invalid\/request: missing required argument 'secret'\nwhat to do: /)
  })
})

describe('bad settings', () => {
  test('name every problem at once', async () => {
    const { exit, json } = await say(['status', '--json'], { KEYTURN_LOG_LEVEL: 'loud', PASSWORD_LENGTH: '3' })
    expect(exit).toBe(2)
    expect(json.code).toBe('invalid/config')
    expect(json.message).toMatch(/KEYTURN_LOG_LEVEL.*PASSWORD_LENGTH/)
  })

  test('a folder, a store or a CA file that is not there is named', async () => {
    expect((await say(['status', '--folder', join(folder, 'none'), '--json'])).json.message).toContain('there is no folder')
    expect((await say(['status', '--store', 'drawer', '--json'])).json.message).toBe(
      'the store is none of file, aws, azure, gcp, vault'
    )
    expect((await say(['status', '--json'], { KEYTURN_CA_FILE: '/nowhere' })).json.message).toContain('/nowhere cannot be read')
  })
})

test.each(['rotate', 'retire', 'rollback', 'release', 'status', 'adopt'])(
  '%s of a secret that does not exist exits with 1',
  async (command) => {
    const { exit, json } = await say([command, 'nothing', '--json'])
    expect([exit, json.code]).toEqual([1, 'not-found/secret'])
  }
)

describe('exit codes', () => {
  test('every code of the error table has one, and the help lists them all', async () => {
    const exits = Object.entries(CODES).map(([code, [retryable]]) => exitOf({ code: code as Code, retryable }))
    expect(new Set(exits)).toEqual(new Set([1, 2, 3, 4, 5]))
    const { out } = await say(['--help'])
    for (const [exit, meaning] of EXITS) expect(out).toMatch(new RegExp(`^ +${exit} +${meaning.slice(0, 20)}`, 'm'))
  })

  test('of several secrets the most urgent one counts', () => {
    expect([worst([]), worst([0, 3]), worst([4, 3, 0]), worst([3, 1, 4]), worst([1, 5])]).toEqual([0, 3, 3, 1, 5])
  })

  test('reach the shell', async () => {
    const cli = ['functions/local/cli.ts', 'status', 'nothing', '--json', '--folder', folder]
    const failed = await promisify(execFile)(process.execPath, cli).catch(
      (e: { code: number; stdout: string; stderr: string }) => e
    )
    expect(failed).toMatchObject({ code: 1, stderr: '' })
    expect(JSON.parse(failed.stdout)).toMatchObject({ action: 'status', code: 'not-found/secret' })
  })
})

describe('what people read', () => {
  test('durations in their two largest units', () => {
    const cases = [0, 999, 1_000, 61_000, 3_600_000, 90_061_000, 30 * 86_400_000]
    expect(cases.map(duration)).toEqual(['0 ms', '999 ms', '1 s', '1 min 1 s', '1 h', '1 d 1 h', '30 d'])
  })

  test('times with the distance from now', () => {
    const now = instant(Date.UTC(2026, 0, 31, 12))
    expect(when(instant(now + 12_000_000), now)).toBe('2026-01-31 15:20:00 UTC (in 3 h 20 min)')
    expect(when(instant(now - 5_000), now)).toBe('2026-01-31 11:59:55 UTC (5 s ago)')
    expect(timeOption('2026-02-01', '--until', now) - now).toBe(12 * 3_600_000)
  })

  test('colours on a terminal only', () => {
    const failure = { code: 'busy/locked', message: 'm', retryable: true, todo: 't' } as const
    expect(failureText(failure, painter(true))).toContain('\u001b[31m')
    expect(failureText(failure, painter(false))).toBe('busy/locked: m\nwhat to do: t')
    expect(table(['a', 'b'], [['1', '2']], painter(false))).toBe('a  b\n1  2')
  })
})
