import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { SIGNALS } from '../../shared/audit/signals.ts'
import { createSecret } from '../../shared/stores/file.ts'
import { SecretText } from '../../shared/types.ts'
import { vaultLog } from '../bench/audit-logs.ts'
import { keyturn } from './local-world.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyturn-audit-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)
const say = (args: readonly string[], env: Record<string, string> = {}, stdin = '') =>
  keyturn(args, { KEYTURN_FOLDER: at('no-store'), ...env }, { stdin })

let ids = 0
const START = Date.UTC(2026, 5, 2, 9)

/** A record of CloudTrail of a reader of secrets. */
const read = (secret: string, minutes: number, more: object = {}) => ({
  ...{ eventVersion: '1.11', eventSource: 'secretsmanager.amazonaws.com', eventName: 'GetSecretValue', awsRegion: 'us-east-1' },
  userIdentity: { type: 'IAMUser', arn: 'arn:aws:iam::123456789012:user/ann', accountId: '123456789012', userName: 'ann' },
  eventTime: new Date(START + minutes * 60_000).toISOString(),
  ...{ eventID: `event-${ids++}`, sourceIPAddress: '198.51.100.7', recipientAccountId: '123456789012' },
  ...{ requestParameters: { secretId: secret }, responseElements: null, ...more }
})

/** Ann reads so many secrets within a few minutes. */
const spree = (count: number) => Array.from({ length: count }, (_, n) => read(`team/secret-${n}`, n / 10))

function written(name: string, records: readonly object[]): string {
  writeFileSync(at(name), gzipSync(JSON.stringify({ Records: records })))
  return at(name)
}

describe('keyturn audit', () => {
  test('says to people what was read, what was found with its evidence, and what that rests on', async () => {
    const { exit, out, err } = await say(['audit', written('spree.json.gz', spree(25))])
    expect([exit, err]).toEqual([0, ''])
    expect(out).toMatch(/^25 events of 25 records in 1 log \(\d+ kB\), from 2026-06-02 09:00:00 UTC to 2026-06-02 09:02:24 UTC/)
    expect(out).toContain('1 critical')
    expect(out).toContain('ann read 25 different secrets within ten minutes [mass-retrieval]')
    expect(out).toMatch(/events: event-\d+/)
    expect(out).toContain('what to do: Unless it is a backup')
    expect(out).toContain('new-network is learning until')
  })

  test('is not green where little was read', async () => {
    const { out } = await say(['audit', written('one.json.gz', [read('team/db', 0)])])
    expect(out).toContain('no finding yet: what is usual is still learned')
    const nothing = await say(['audit', '-'], {}, '')
    expect(nothing.out).toContain('nothing was read that says anything of secrets')
  })

  test('exits with 6 where a finding is as bad as --fail-on says, and with 0 where none is', async () => {
    const file = written('spree-2.json.gz', spree(25))
    expect((await say(['audit', file, '--fail-on', 'critical'])).exit).toBe(6)
    expect((await say(['audit', written('few.json.gz', spree(3)), '--fail-on', 'low'])).exit).toBe(0)
  })

  test('reads standard input, a folder with all below it and other files in it, and files, in one run', async () => {
    mkdirSync(at('logs/2026/06'), { recursive: true })
    written('logs/2026/06/a.json.gz', spree(2))
    writeFileSync(at('logs/readme.txt'), 'Logs of the team.\n'.repeat(50))
    writeFileSync(at('logs/picture.png'), Buffer.from([0x89, 0x50]))
    const { json } = await say(['audit', at('logs'), '-', '--json'], {}, `${JSON.stringify(read('team/piped', 1))}\n`)
    expect(json.coverage).toMatchObject({ events: 3, malformed: 1 })
    expect(
      json.coverage.sources.map(({ name, problem }: { name: string; problem: string | null }) => [
        name.split('/').at(-1),
        problem
      ])
    ).toEqual([
      ['a.json.gz', null],
      ['readme.txt', 'invalid/log: nothing at its beginning is a record of any known log'],
      ['standard input', null]
    ])
  })

  test('prints with --json the published document and nothing else', async () => {
    const { json, err } = await say(['audit', written('json.json.gz', spree(3)), '--json', '--framework', 'hipaa'])
    expect(err).toBe('')
    expect(json).toMatchObject({ schema: 'keyturn-audit/1', framework: 'hipaa', coverage: { events: 3 } })
    expect(json.inventory).toHaveLength(3)
    expect(json.controls.every(({ framework }: { framework: string }) => framework === 'hipaa')).toBe(true)
  })

  test('writes a page, OCSF, Markdown and CSV where it is told', async () => {
    const file = written('outputs.json.gz', spree(25))
    const { exit } = await say([
      'audit',
      file,
      '--html',
      at('o.html'),
      '--ocsf',
      at('o.ndjson'),
      '--markdown',
      at('o.md'),
      '--csv',
      at('o.csv')
    ])
    expect(exit).toBe(0)
    expect(readFileSync(at('o.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*ann read 25 different secrets/i)
    const lines = readFileSync(at('o.ndjson'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.some(({ class_uid, metadata }) => class_uid === 2004 && metadata.version === '1.6.0')).toBe(true)
    expect(readFileSync(at('o.md'), 'utf8')).toContain('ann read 25 different secrets')
    expect(readFileSync(at('o.csv'), 'utf8').trimEnd().split(/\r?\n/)).toHaveLength(26)
  })

  test('takes a period, and says how much lies outside', async () => {
    const file = written('period.json.gz', [read('a', 0), read('b', 60), read('c', 120)])
    const { json } = await say(['audit', file, '--since', '2026-06-02T10:00Z', '--until', '2026-06-02T11:00Z', '--json'])
    expect(json.inventory.map(({ secretName }: { secretName: string }) => secretName)).toEqual(['b'])
    expect(json.coverage.gaps).toContainEqual({ code: 'outside', text: '2 events are outside of the period' })
  })

  test('knows a decoy, and working hours of a place', async () => {
    const file = written('decoy.json.gz', [read('bait/root-password', 0), read('team/db', 0)])
    const { json } = await say(['audit', file, '--decoy', 'bait/*', '--zone', 'Asia/Tokyo', '--hours', '8-17', '--json'])
    expect(json.findings.map(({ signal }: { signal: string }) => signal)).toEqual(['decoy-read', 'off-hours'])
  })

  test('prints the table of signals', async () => {
    const { out, exit } = await say(['audit', '--signals'])
    expect(exit).toBe(0)
    for (const { name, question, technique } of SIGNALS) {
      expect(out).toContain(name)
      expect(out).toContain(question.split(' ')[0])
      expect(out).toContain(technique)
    }
  })

  test('shows what steers a terminal as what it is', async () => {
    const { out } = await say([
      'audit',
      written(
        'steer.json.gz',
        spree(25).map((r) => ({ ...r, userIdentity: { ...r.userIdentity, userName: '\u001b[2Jann\u202e' } }))
      )
    ])
    for (const steering of ['\u001b', '\u202e']) expect(out).not.toContain(steering)
    expect(out).toContain('⟨U+001B⟩[2Jann⟨U+202E⟩ read 25 different secrets')
  })
})

describe('keyturn audit --state', () => {
  test('reads what was added to a log, counts nothing twice, and says only what is new', async () => {
    const [log, state] = [at('growing.log'), at('growing.state')]
    const line = (record: object): string => `${JSON.stringify(record)}\n`
    writeFileSync(log, spree(25).map(line).join(''))
    const run = async () => (await say(['audit', log, '--state', state, '--json'])).json
    expect((await run()).findings.map(({ signal }: { signal: string }) => signal)).toContain('mass-retrieval')
    const again = await run()
    expect(again.coverage).toMatchObject({ records: 0, events: 0 })
    expect(again.findings).toEqual([])
    const last = line(read('team/late', 300))
    appendFileSync(log, last.slice(0, 40))
    expect((await run()).coverage).toMatchObject({ records: 0, malformed: 0 })
    appendFileSync(log, last.slice(40))
    const grown = await run()
    expect(grown.coverage).toMatchObject({ events: 1 })
    expect(grown.inventory).toHaveLength(26)
  })

  test('keeps what is usual: what is new for an identity is told when it is known for a week', async () => {
    const state = at('usual.state')
    const days = Array.from({ length: 10 }, (_, day) => read('team/db', day * 24 * 60))
    await say(['audit', written('usual.json.gz', days), '--state', state])
    const { json } = await say([
      'audit',
      written('moved.json.gz', [read('team/db', 10 * 24 * 60, { sourceIPAddress: '192.0.2.99' })]),
      '--state',
      state,
      '--json'
    ])
    expect(json.findings).toMatchObject([{ signal: 'new-network', subject: { network: '192.0.2.0/24' } }])
  })

  test('marks policies as reviewed by a person, and shows what changed since', async () => {
    const state = at('review.state')
    const policy = (minutes: number, text: string) =>
      read('team/db', minutes, {
        eventName: 'PutResourcePolicy',
        requestParameters: { secretId: 'team/db', resourcePolicy: text }
      })
    const first = await say(['audit', written('policy-1.json.gz', [policy(0, '{"Version":"1"}')]), '--state', state, '--json'])
    expect(first.json.drift).toMatchObject([{ policy: 'team/db', state: 'unreviewed', reviewer: null }])
    expect((await say(['audit', '--mark-reviewed', 'Bea', '--state', state])).exit).toBe(0)
    const later = await say([
      'audit',
      written('policy-2.json.gz', [policy(2_000, '{"Version":"2"}')]),
      '--state',
      state,
      '--json'
    ])
    expect(later.json.drift).toMatchObject([{ policy: 'team/db', state: 'changed', reviewer: 'Bea', changedBy: 'ann' }])
  })

  test('refuses a state that is damaged or of a newer keyturn, and leaves it as it is', async () => {
    const state = at('damaged.state')
    const log = written('damaged.json.gz', spree(2))
    await say(['audit', log, '--state', state])
    const good = readFileSync(state)
    const broken = Buffer.from(good)
    broken[broken.length - 20] = (broken[broken.length - 20] ?? 0) ^ 1
    writeFileSync(state, broken)
    const { exit, json } = await say(['audit', log, '--state', state, '--json'])
    expect([exit, json.code]).toEqual([1, 'invalid/state'])
    expect(readFileSync(state)).toEqual(broken)
    writeFileSync(state, good.toString('latin1').replace('"version":1', '"version":9'), 'latin1')
    const newer = await say(['audit', log, '--state', state, '--json'])
    expect(newer.json).toMatchObject({ code: 'invalid/state', message: 'the audit state is of version 9, this keyturn knows 1' })
  })
})

describe('keyturn audit with a store', () => {
  test('says which secrets are overdue, and reads no value', async () => {
    const store = at('store')
    mkdirSync(store)
    const document = new SecretText('{"username":"a","password":"planted-value"}')
    await createSecret({ folder: store }, 'app/db', document, { kind: 'postgres', periodMs: 2 * 86_400_000 })
    await createSecret({ folder: store }, 'app/odd', document, { kind: 'postgres', periodMs: 3_600_000 })
    const args = ['audit', written('store.json.gz', [read('app/db', 0)]), '--until', '2099-01-01', '--json']
    const { json, out } = await say(args, { KEYTURN_FOLDER: store })
    // What CloudTrail calls app/db is another store's.
    expect(json.rotation).toMatchObject([
      { secret: 'app/db', state: 'overdue' },
      { secret: 'app/odd', state: 'unknown', why: expect.stringContaining('invalid/grace') },
      { secret: 'app/db', store: 'aws', state: 'unknown', why: expect.stringContaining('does not list it') }
    ])
    expect(out).not.toContain('planted-value')
  })
})

describe('keyturn audit by several threads', () => {
  test('answers as by one, and counts what lies there twice once', { timeout: 120_000 }, async () => {
    const log = at('big.log')
    for await (const chunk of vaultLog(140 * 2 ** 20)) appendFileSync(log, chunk)
    const answer = async (paths: readonly string[], workers: string) => {
      const { json } = await say(['audit', ...paths, '--workers', workers, '--json'])
      return { ...json, generatedAt: '' }
    }
    const one = await answer([log], '1')
    expect(one.coverage.events).toBeGreaterThan(40_000)
    expect(await answer([log], '2')).toEqual(one)
    appendFileSync(at('copy.log'), readFileSync(log))
    const twice = await answer([log, at('copy.log')], '2')
    expect(twice.coverage).toMatchObject({ events: one.coverage.events, duplicates: one.coverage.events })
    expect(twice.inventory).toEqual(one.inventory)
  })
})

describe('a bad command line', () => {
  test.each([
    [['--zone', 'Mars/Olympus'], '--zone must be a time zone'],
    [['--hours', '19-7'], '--hours must be two hours'],
    [['--format', 'syslog'], '--format must be one of vault, vault-server, cloudtrail, key-vault, gcp'],
    [['--framework', 'pci'], '--framework must be one of soc2, iso27001, hipaa'],
    [['--fail-on', 'bad'], '--fail-on must be one of low, medium, high, critical'],
    [['--since', 'yesterday'], '--since must be a time'],
    [['--since', '2026-06-02', '--until', '2026-06-01'], '--until must be later than --since'],
    [['--workers', '0'], '--workers must be a whole number from 1 to 64'],
    [['--mark-reviewed', 'Ann'], '--mark-reviewed is kept in the state: name it with --state'],
    [['--html', '/no/such/folder/o.html'], '/no/such/folder/o.html cannot be written']
  ])('%j exits with 2 and says what is wrong', async (options, message) => {
    const { exit, json } = await say(['audit', written('bad.json.gz', spree(1)), ...options, '--json'])
    expect([exit, json.code]).toEqual([2, 'invalid/request'])
    expect(json.message).toContain(message)
  })

  test('without a path, or with one that is not there, says so', async () => {
    expect((await say(['audit', '--json'])).json.message).toContain('name a file, a folder, or -')
    expect((await say(['audit', at('nowhere'), '--json'])).json.message).toBe(`there is no ${at('nowhere')}`)
    expect(existsSync(at('nowhere'))).toBe(false)
  })
})
