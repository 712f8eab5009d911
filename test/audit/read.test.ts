import { describe, expect, test } from 'vitest'
import { seen } from '../../shared/audit/seen.ts'
import { idOf, recordOf } from './cloudtrail-records.ts'
import { CLOCK, logOf, packed, readAll } from './logs.ts'
import { AT, linesOf, uuid } from './vault-lines.ts'

const DAY = 86_400_000
const timeOf = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`
const recordAt = (n: number, at: number): string => JSON.stringify(recordOf({ eventTime: timeOf(at) }, n))
const trail = [1, 2, 3].map((n) => JSON.stringify(recordOf({}, n))).join('\n')
const vault = linesOf({ n: 7, path: 'secret/data/app' }).join('\n')
const SERVER = '2026-07-01T12:00:00.000Z [INFO]  core: vault is unsealed'

describe('an event', () => {
  test('counts from the beginning of the period to before its end', async () => {
    const content = [-1_000, 0, 1_000, 2_000].map((ms, n) => recordAt(n, AT + ms)).join('\n')
    const { ids, outside, events, first, last } = await readAll([logOf(content)], { since: AT, until: AT + 2_000 })
    expect({ ids, outside, events, first, last }).toEqual({
      ids: [1, 2].map(idOf),
      outside: 2,
      events: 2,
      first: AT,
      last: AT + 1_000
    })
  })

  test('of a clock that is wrong by more than a day does not count, and is said', async () => {
    const content = [CLOCK, CLOCK + DAY, CLOCK + DAY + 1_000].map((at, n) => recordAt(n, at)).join('\n')
    const { ids, future, last } = await readAll([logOf(content)])
    expect({ ids, future, last }).toEqual({ ids: [0, 1].map(idOf), future: 1, last: CLOCK + DAY })
  })

  test('that is delivered twice counts once, in one log, in two, and in the next run', async () => {
    const known = seen()
    const twice = await readAll([logOf(`${trail}\n${trail}`), logOf(packed(trail))], { seen: known })
    expect([twice.ids, twice.duplicates, twice.events]).toEqual([[1, 2, 3].map(idOf), 6, 3])
    const again = await readAll([logOf(trail)], { seen: known })
    expect([again.events, again.duplicates]).toEqual([0, 3])
  })

  test('that is issued anew with other data is the same event', async () => {
    const anew = recordOf({ addendum: { reason: 'UPDATED_DATA', updatedFields: 'userAgent', originalEventID: idOf(2) } }, 9)
    const { ids, duplicates } = await readAll([logOf(`${trail}\n${JSON.stringify(anew)}`)])
    expect([ids, duplicates]).toEqual([[1, 2, 3].map(idOf), 1])
  })

  test('left out because of the period counts when its period is read', async () => {
    const known = seen()
    await readAll([logOf(trail)], { seen: known, until: AT })
    expect((await readAll([logOf(trail)], { seen: known })).events).toBe(3)
  })
})

describe('a log', () => {
  test('may be of several accounts, and each event is of its own', async () => {
    const other = recordOf({ recipientAccountId: '210987654321', requestParameters: { secretId: 'app/db' } }, 2)
    const { all, tally } = await readAll([logOf(JSON.stringify({ Records: [recordOf(), other] }))])
    expect(all.map(({ account, secret }) => [account, secret?.key])).toEqual([
      ['123456789012', 'aws:123456789012/app/db'],
      ['210987654321', 'aws:210987654321/app/db']
    ])
    expect([...tally.accounts.values()].map(({ account }) => account).sort()).toEqual(['123456789012', '210987654321'])
  })

  test('may be of several formats, each line of its own', async () => {
    const { ids, malformed, sources } = await readAll([
      logOf(`${trail}\n${vault}\n${SERVER}\n${vault.replaceAll(uuid(7), uuid(8))}`)
    ])
    expect([ids.length, ids.at(-1), malformed, sources[0]?.events]).toEqual([6, uuid(8), 0, 6])
  })

  test('of a stated format is of no other', async () => {
    const said = async (content: string, format: 'cloudtrail' | 'vault') => {
      const { events, sources } = await readAll([logOf(content, 64, { format })])
      return [events, sources[0]?.problem?.split(':')[0]]
    }
    expect(await said(trail, 'cloudtrail')).toEqual([3, undefined])
    expect(await said(vault, 'vault')).toEqual([1, undefined])
    expect(await said(vault, 'cloudtrail')).toEqual([0, 'invalid/log'])
    expect(await said(trail, 'vault')).toEqual([0, 'invalid/log'])
    expect(await said(SERVER, 'vault')).toEqual([0, 'invalid/log'])
  })

  test('has a row of what it is and when its events were', async () => {
    const { sources } = await readAll([
      logOf(trail, 64, { name: 'trail' }),
      logOf(`${vault}\n`, 64, { name: 'vault' }),
      logOf('', 1, { name: 'empty' })
    ])
    expect(sources).toEqual([
      { name: 'trail', format: 'cloudtrail', events: 3, first: AT, last: AT, problem: undefined },
      { name: 'vault', format: 'vault', events: 1, first: AT + 124, last: AT + 124, problem: undefined },
      { name: 'empty', format: undefined, events: 0, first: undefined, last: undefined, problem: undefined }
    ])
  })

  test.each([
    ['a text', 'hello\n'.repeat(100)],
    ['a line', 'hello'],
    ['a JSON of something else', '{"name":"keyturn","version":"0.1.0"}'],
    ['an array of something else', JSON.stringify(Array(100).fill({ a: 1 }))],
    ['a picture', Buffer.from(Array.from({ length: 5_000 }, (_, n) => (n * 7_919) % 256))],
    ['a gzip of something else', packed('hello\n'.repeat(100))]
  ])('that is none but %s is one damage, and the next one is read', async (_, content) => {
    const { ids, malformed, damage, sources, offsets } = await readAll([logOf(content, 64, { name: 'strange' }), logOf(trail)])
    const why = 'nothing at its beginning is a record of any known log'
    expect({ ids, malformed, damage }).toEqual({
      ids: [1, 2, 3].map(idOf),
      malformed: 1,
      damage: [{ source: 'strange', offset: 0, why }]
    })
    expect(sources[0]).toMatchObject({ events: 0, problem: `invalid/log: ${why}` })
    expect([...offsets.keys()]).toEqual(['log'])
  })
})

test('a log that is none is left soon', async () => {
  let parts = 0
  const open = async function* () {
    for (let n = 0; n < 1_000; n++) {
      parts++
      yield Buffer.from('hello\n'.repeat(100))
    }
  }
  expect((await readAll([logOf('', 1, { open })])).malformed).toBe(1)
  expect(parts).toBeLessThan(5)
})

test('reading that takes too long ends with a code', async () => {
  const over = new AbortController()
  const progressed = () => over.abort()
  const reading = readAll([logOf(trail, 64)], { signal: over.signal, progressed })
  await expect(reading).rejects.toMatchObject({ code: 'unavailable/deadline' })
})

test('progress is told in bytes as they lie there', async () => {
  const told: number[] = []
  const bytes = packed(trail)
  await readAll([logOf(bytes, 100)], { progressed: (count) => void told.push(count) })
  expect(told.reduce((a, b) => a + b)).toBe(bytes.length)
})

test('requests that wait at the end are handed on to who reads the rest, and do not count then', async () => {
  const [request = '', answer = ''] = linesOf({ path: 'secret/data/app', answer: { data: { keys: 1 } } })
  const waiting: string[] = []
  const first = await readAll([logOf(`${vault}\n${request}\n`)], {
    waiting: (lines) => void waiting.push(...lines.map((line) => Buffer.from(line).toString('utf8')))
  })
  expect([first.ids, waiting]).toEqual([[uuid(7)], [request]])
  expect((await readAll([logOf(`${waiting.join('\n')}\n${answer}\n`)])).ids).toEqual([uuid(1)])
})
