import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { gcpReader } from '../../shared/audit/from-gcp.ts'
import { keyVaultReader } from '../../shared/audit/from-key-vault.ts'
import { idOf, recordOf } from './cloudtrail-records.ts'
import { ALL_AT_ONCE, logOf, packed, readAll } from './logs.ts'
import { type Json, shelf } from './reading.ts'
import { linesOf, uuid } from './vault-lines.ts'

const trail = [1, 2, 3].map((n) => recordOf({}, n))
const [azure, gcp] = [shelf('azure', keyVaultReader), shelf('gcp', gcpReader)]
const vault = azure.names.filter((name) => name.startsWith('secret-')).map((name) => azure.record(name))
const google = gcp.names.map((name) => gcp.record(name))
const lines = (records: readonly unknown[]): string => records.map((record) => `${JSON.stringify(record)}\n`).join('')
const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')
const subscribed = (records: readonly unknown[]): Json => ({
  ...{ messageType: 'DATA_MESSAGE', owner: '123456789012', logGroup: 'trail', logStream: 's', subscriptionFilters: ['f'] },
  logEvents: records.map((record, n) => ({ id: `${n}`, timestamp: 1_782_907_200_000, message: JSON.stringify(record) }))
})
const looked = {
  Events: trail.map((record) => ({
    EventId: record.eventID,
    EventName: record.eventName,
    CloudTrailEvent: JSON.stringify(record)
  }))
}
const cloudEvent = (record: Json): Json => ({
  specversion: '1.0',
  type: 'google.cloud.audit.log.v1.written',
  source: 's',
  id: '1',
  data: record
})
const pushed = (record: Json): Json => ({
  message: { data: base64(record), messageId: '1' },
  subscription: 'projects/p/subscriptions/s'
})

/** The same records in every layout, and which they are. */
const LAYOUTS: readonly (readonly [name: string, content: string, records: readonly Json[]])[] = [
  ['one record a line', lines(trail), trail],
  ['an object of CloudTrail, in one line', JSON.stringify({ Records: trail }), trail],
  ['an object of CloudTrail, with white space', pretty({ Records: trail }), trail],
  ['an array', JSON.stringify(trail), trail],
  ['an array, with white space', pretty(trail), trail],
  ['records with white space, one behind the other', trail.map(pretty).join(''), trail],
  ['objects of CloudTrail, one a line', lines([{ Records: trail.slice(0, 1) }, { Records: trail.slice(1) }]), trail],
  [
    'events of EventBridge',
    lines(trail.map((detail) => ({ 'detail-type': 'AWS API Call via CloudTrail', source: 'aws.secretsmanager', detail }))),
    trail
  ],
  [
    'what a Logs subscription delivers',
    JSON.stringify({ awslogs: { data: gzipSync(JSON.stringify(subscribed(trail))).toString('base64') } }),
    trail
  ],
  ['what a Logs subscription writes', JSON.stringify(subscribed(trail)), trail],
  ['the answer of LookupEvents', pretty(looked), trail],
  ['the answer of LookupEvents behind its token', pretty({ NextToken: 'x', ...looked }), trail],
  ['one record a line of Key Vault', lines(vault), vault],
  [
    'records of Key Vault with white space behind colons',
    vault.map((one) => `${JSON.stringify(one, null, 1).replaceAll('\n', '')}\n`).join(''),
    vault
  ],
  ['{"records":[…]}, one behind the other', vault.map((one) => `{"records":[${JSON.stringify(one)}]}\n`).join(''), vault],
  ['arrays of an Event Hub', JSON.stringify(vault.map((one) => ({ records: [one] }))), vault],
  ['one entry a line of Google', lines(google), google],
  ['pushes of Pub/Sub', lines(google.map(pushed)), google],
  ['CloudEvents of Eventarc', lines(google.map(cloudEvent)), google],
  ['a CloudEvent of a Pub/Sub topic', lines(google.map((one) => ({ specversion: '1.0', data: pushed(one) }))), google],
  ['the answer of entries:list', pretty({ entries: google }), google]
]

const SIZES = [1, 7, 64, ALL_AT_ONCE]

/** What each record says alone. */
const idsOf = async (records: readonly Json[]): Promise<readonly string[]> =>
  (await readAll(records.map((record) => logOf(JSON.stringify(record))))).ids

const WRITTEN: readonly (readonly [how: string, write: (content: string) => string | Uint8Array])[] = [
  ['plain', (content) => content],
  ['without a line’s end', (content) => content.trimEnd()],
  ['with a byte order mark', (content) => `\ufeff${content}`],
  ['with lines that end as on Windows', (content) => content.replaceAll('\n', '\r\n')],
  ['packed', (content) => packed(content)],
  ['packed in three members', (content) => packed(content, 3)]
]

describe.each(LAYOUTS)('%s', (_, content, records) => {
  test.each(WRITTEN)('gives its records, %s and in parts of any size', async (_how, write) => {
    const ids = await idsOf(records)
    expect(ids.length).toBeGreaterThan(2)
    for (const size of SIZES) {
      const { ids: found, malformed, damage, sources } = await readAll([logOf(write(content), size)])
      expect({ size, found, malformed, damage, problem: sources[0]?.problem }).toEqual({
        size,
        found: ids,
        malformed: 0,
        damage: [],
        problem: undefined
      })
    }
  })
})

describe('a log of Vault', () => {
  const calls = Array.from({ length: 12 }, (_, n) =>
    linesOf({ n, path: `secret/data/app-${n % 3}`, nanos: [n * 1_000, n * 77_777] })
  )
  const far = [...calls.map(([request]) => request), ...calls.map(([, answer]) => answer)]
  const early = [...calls.map(([, answer]) => answer), ...calls.map(([request]) => request)]
  const ids = calls.map((_, n) => uuid(n))

  test.each([
    ['as the device writes it', calls.flat(), ''],
    ['with a prefix of the device', calls.flat(), '@cee: '],
    ['with what syslog puts before a line', calls.flat(), 'Jul  1 12:00:00 node1 vault[123]: '],
    ['with answers far from their requests', far, ''],
    ['with answers before their requests', early, ''],
    ['twice in one file, as two devices write it', [...calls.flat(), ...calls.flat()], '']
  ])('%s gives each call once, in parts of any size', async (_, some, prefix) => {
    const content = some.map((line) => `${prefix}${line}\n`).join('')
    for (const bytes of [Buffer.from(content), packed(content, 2)])
      for (const size of SIZES) {
        const { ids: found, malformed, sources } = await readAll([logOf(bytes, size)])
        expect({ size, found, malformed, format: sources[0]?.format }).toEqual({
          size,
          found: ids,
          malformed: 0,
          format: 'vault'
        })
      }
  })

  test('goes on in the next file, where a request’s answer may be', async () => {
    const { all } = await readAll([
      logOf(`${calls[0]?.[0]}\n`),
      logOf(`${calls[0]?.[1]?.replace(/\}$/, ',"error":"permission denied"}')}\n`)
    ])
    expect(all.map(({ id, outcome }) => [id, outcome])).toEqual([[uuid(0), 'denied']])
  })
})

test('a message that only asks whether somebody listens has no records, and is no damage', async () => {
  const control = {
    messageType: 'CONTROL_MESSAGE',
    logEvents: [{ id: '', timestamp: 0, message: 'CWL CONTROL MESSAGE: Checking health of destination.' }]
  }
  const { events, malformed, sources } = await readAll([logOf(JSON.stringify(control))])
  expect([events, malformed, sources[0]?.problem]).toEqual([0, 0, undefined])
})

test('envelopes in envelopes are opened, but not without end', async () => {
  const within = (depth: number): unknown => (depth === 0 ? trail[0] : { records: [within(depth - 1)] })
  expect((await readAll([logOf(JSON.stringify(within(4)))])).ids).toEqual([idOf(1)])
  expect((await readAll([logOf(JSON.stringify(within(40)))])).sources[0]?.problem).toMatch(/^invalid\/log/)
})

test('what is packed in a message is bounded', async () => {
  const padded = (mebibytes: number) =>
    Buffer.concat([Buffer.alloc(mebibytes * 2 ** 20, ' '), Buffer.from(JSON.stringify(trail[1]))])
  const message = (mebibytes: number) => ({ awslogs: { data: gzipSync(padded(mebibytes)).toString('base64') } })
  expect((await readAll([logOf(lines([trail[0], message(1)]))])).ids).toEqual([1, 2].map(idOf))
  const { ids, malformed } = await readAll([logOf(lines([trail[0], message(65)]))])
  expect([ids, malformed]).toEqual([[idOf(1)], 1])
})

test('a record nested deeper than can be written is damage, and what comes behind it is read', async () => {
  const [request = '', answer = ''] = linesOf({ path: 'secret/data/app' })
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
  const nested = request.replace('"path":', `"data":{"x":${deep}},"path":`)
  const { ids, damage } = await readAll([logOf(`${nested}\n${answer}\n`)])
  expect(ids).toEqual([uuid(1)])
  expect(damage).toEqual([{ source: 'log', offset: 0, why: 'not a record of any known log' }])
})
