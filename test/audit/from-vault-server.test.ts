import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { MARKS } from '../../shared/audit/event.ts'
import { isVaultServer, vaultServerReader } from '../../shared/audit/from-vault-server.ts'
import { references } from '../../shared/audit/references.ts'
import { findOpenbao, startOpenbao } from '../servers/openbao.ts'
import { NOTHING, provokes, REFUSED, read } from './reading.ts'

const readOne = (one: unknown) => read(vaultServerReader(references()), one)
const said = (lines: readonly unknown[]) => lines.flatMap((line) => readOne(line).events).map(({ operation }) => operation)

const UNSEALED = '2026-01-01T00:00:00.000Z [INFO]  core: vault is unsealed'

test('a line says when the server was unsealed, and by nobody', () => {
  expect(readOne(UNSEALED)).toEqual({
    isTaken: true,
    events: [
      {
        ...{ id: '2026-01-01T00:00:00.000Z|vault is unsealed', at: Date.UTC(2026, 0, 1), store: 'vault', account: 'root' },
        ...{ kind: 'seal', operation: 'vault is unsealed', outcome: 'done', address: '', network: '', secret: undefined },
        identity: { key: 'vault:server', name: 'unknown', type: 'unknown', isRoot: false, isCompute: false },
        ...{ marks: 0, ttlSeconds: Number.NaN, issuer: '', policy: '', policyHash: '' }
      }
    ]
  })
})

test('the same in JSON is the same', () => {
  const record = {
    '@level': 'info',
    '@message': 'vault is unsealed',
    '@module': 'core',
    '@timestamp': '2026-01-01T00:00:00.000Z'
  }
  expect(readOne(record)).toEqual(readOne(UNSEALED))
})

test('a seal is told twice and counts once', () => {
  const lines = ['marked as sealed', 'pre-seal teardown starting', 'pre-seal teardown complete', 'vault is sealed']
  expect(said(lines.map((message) => `2026-01-01T00:00:00.000Z [INFO]  core: ${message}`))).toEqual(['marked as sealed'])
})

test('new keys are told when they are asked for and when they are there, as Vault says it and as OpenBao does', () => {
  const words = ['rekey initialized', 'security barrier rekeyed', 'rotation initialized', 'root key rotated']
  expect(said(words.map((message) => `2026-01-01T00:00:00.000Z [INFO]  seals: ${message}: shares=5 threshold=3`))).toEqual(words)
})

test('who makes a root token acts as root, and what comes behind the message is left there', () => {
  const line = (message: string, level = '[INFO] ') => `2026-01-01T00:00:00.000Z ${level} core: ${message}`
  const finished = readOne(line('root generation finished: nonce=74bfd502-43a9-9a89-ef5b-2ddcd325f916')).events[0]
  expect(finished).toMatchObject({ kind: 'seal', operation: 'root generation finished', outcome: 'done', marks: MARKS.root })
  expect(JSON.stringify(finished)).not.toContain('74bfd502')
  const aborted = readOne(line('root generation aborted: error="invalid key"', '[ERROR]')).events[0]
  expect(aborted).toMatchObject({ operation: 'root generation aborted', outcome: 'failed', marks: MARKS.root })
})

test('a line may have an offset, fewer digits, and what a collector put before it', () => {
  const times = [
    '2022-06-14T22:43:57.088+0900 [INFO]  core: marked as sealed',
    '2022-06-14T13:43:57.088Z [INFO]  core: marked as sealed\r',
    '2022-06-14T13:43:57.088000000+00:00 [INFO]  core: marked as sealed',
    'Jun 14 13:43:57 node1 vault[123]: 2022-06-14T13:43:57.088Z [INFO]  core: marked as sealed'
  ].map((line) => readOne(line).events[0]?.at)
  expect(times).toEqual(Array(4).fill(Date.parse('2022-06-14T13:43:57.088Z')))
})

describe('what others wrote into a line', () => {
  const quoted = `path="x\n${UNSEALED}"`

  test('is not taken for the server’s word', () => {
    const lines = [
      `2026-01-01T00:00:00.000Z [INFO]  core: successful mount: path="${UNSEALED}"`,
      `2026-01-01T00:00:00.000Z [WARN]  auth.userpass: vault is unsealed`,
      `2026-01-01T00:00:00.000Z [INFO]  proxy environment: http_proxy="core: vault is unsealed"`,
      `2026-01-01T00:00:00.000Z [ERROR] core: failed: error=${JSON.stringify(quoted)}`
    ]
    expect(lines.map(readOne)).toEqual(Array(4).fill(NOTHING))
  })

  test('does not make a line of another log one of this', () => {
    const audit = { type: 'request', request: { path: `secret/${UNSEALED}` } }
    expect([JSON.stringify(audit), `@cee: ${JSON.stringify(audit)}`].map(isVaultServer)).toEqual([false, false])
  })
})

test('what is no line of the log is refused', () => {
  const bad = [
    '==> OpenBao server configuration:',
    'core: vault is unsealed',
    UNSEALED.replace('-01-01', '-13-01'),
    { '@message': 'vault is unsealed', '@module': 'core', '@timestamp': '2026-01-01T00:00:00Z' },
    { '@level': 'info', '@message': 'vault is unsealed', '@module': 'core', '@timestamp': 5 },
    ...[null, [], 5, '', {}]
  ]
  expect(bad.map(readOne)).toEqual(Array(10).fill(REFUSED))
  expect([UNSEALED, { '@level': 'info', '@message': 'x' }, 'x', {}].map(isVaultServer)).toEqual([true, true, false, false])
})

test('whatever stands in a record, reading it throws nothing', () => {
  const record = {
    '@level': 'info',
    '@message': 'vault is unsealed',
    '@module': 'core',
    '@timestamp': '2026-01-01T00:00:00.000Z'
  }
  provokes(vaultServerReader(references()), [record, UNSEALED, [UNSEALED]])
})

test('a long line costs no more than its length', () => {
  const lines = [
    ' '.repeat(1_000_000),
    '2026-01-01T'.repeat(100_000),
    `${'x'.repeat(190)}${UNSEALED.slice(0, 25).repeat(40_000)}`
  ]
  expect(lines.map(readOne)).toEqual(Array(3).fill(REFUSED))
})

/** An OpenBao that is initialized, sealed, unsealed again and given a new key, and what it wrote meanwhile. */
async function logOf(format: 'standard' | 'json'): Promise<readonly string[]> {
  await using bao = await startOpenbao({ configuration: `log_file = "server.log"\nlog_format = "${format}"` })
  await bao.seal()
  await bao.unseal()
  await bao.expect('POST', '/v1/sys/rotate/root/init', { secret_shares: 1, secret_threshold: 1 })
  await bao.expect('POST', '/v1/sys/rotate/keyring')
  return readFileSync(join(dirname(bao.auditPath), 'server.log'), 'utf8')
    .trimEnd()
    .split('\n')
}

if (findOpenbao() !== undefined) describe('the log of a real OpenBao', ofRealServer)

function ofRealServer(): void {
  const LIFE = [
    ...['security barrier initialized', 'root token generated', 'vault is unsealed', 'marked as sealed', 'vault is unsealed'],
    ...['rotation initialized', 'installed new encryption key']
  ]

  test.each(['standard', 'json'] as const)('is read whole in its %s format', async (format) => {
    const lines = (await logOf(format)).map((line) => (format === 'json' ? (JSON.parse(line) as unknown) : line))
    expect(lines.filter((line) => !readOne(line).isTaken)).toEqual([])
    expect(said(lines)).toEqual(LIFE)
  })
}
