import { promisify } from 'node:util'
import { constants, gunzip, gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { BOUNDS, bounded } from '../../shared/audit/gunzip.ts'
import { seen } from '../../shared/audit/seen.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { idOf, recordOf } from './cloudtrail-records.ts'
import { ALL_AT_ONCE, inParts, logOf, packed, readAll } from './logs.ts'
import { linesOf, uuid } from './vault-lines.ts'

const SERVER = '2026-07-01T12:00:00.000Z [INFO]  core: vault is unsealed'
const record = (n: number): string => JSON.stringify(recordOf({ userAgent: `é${'🔑'.repeat(n)}` }, n))
const linesTo = (count: number, prefix = ''): string =>
  Array.from({ length: count }, (_, n) => `${prefix}${record(n)}\n`).join('')
const idsTo = (count: number): readonly string[] => Array.from({ length: count }, (_, n) => idOf(n))

describe('a log that grows', () => {
  /** Reads what is there, and later the rest from where that ended. */
  async function inTwo(bytes: Uint8Array, cut: number) {
    const known = seen()
    const growing = { isGrowing: true }
    const first = await readAll([logOf(bytes.subarray(0, cut), 64, growing)], { seen: known })
    const from = first.offsets.get('log') ?? -1
    const second = await readAll([logOf(bytes, 64, { ...growing, from })], { seen: known })
    return { first, from, second, ids: [...first.ids, ...second.ids], damage: [...first.damage, ...second.damage] }
  }

  test.each([
    ['CloudTrail', linesTo(3), idsTo(3)],
    [
      'Vault with a prefix',
      [0, 1, 2].flatMap((n) => linesOf({ n, path: 'secret/data/app' }).map((line) => `@cee: ${line}\n`)).join(''),
      [0, 1, 2].map(uuid)
    ]
  ])('by lines of %s, cut anywhere, is read on from the line that was not whole', async (_, content, ids) => {
    const bytes = Buffer.from(content)
    const ends = [...bytes.entries()].flatMap(([at, byte]) => (byte === 10 ? [at - 1, at, at + 1] : []))
    const somewhere = Array.from({ length: 40 }, (_, n) => Math.floor((n * bytes.length) / 40))
    for (const cut of [...somewhere, ...ends]) {
      const { from, second, ids: found, damage } = await inTwo(bytes, cut)
      expect({ cut, found, damage, end: second.offsets.get('log') }).toEqual({ cut, found: ids, damage: [], end: bytes.length })
      expect(from === cut || bytes[from - 1] === 10 || from === 0, `${from} is not where a line begins`).toBe(true)
    }
  })

  test('is read to its end where that is a whole record, ended or not', async () => {
    const bytes = Buffer.from(linesTo(2))
    const { first, from } = await inTwo(bytes, bytes.length - 1)
    expect([first.ids, from]).toEqual([idsTo(2), bytes.length - 1])
  })

  test('and has not grown gives nothing, and goes on where it was', async () => {
    const bytes = Buffer.from(linesTo(2))
    const { second } = await inTwo(bytes, bytes.length)
    expect([second.ids, second.offsets.get('log'), second.bytes]).toEqual([[], bytes.length, 0])
  })

  test('says what was left when it does not grow any more', async () => {
    const { ids, damage } = await readAll([logOf(linesTo(3).slice(0, -20))])
    expect(ids).toEqual(idsTo(2))
    expect(damage).toEqual([{ source: 'log', offset: Buffer.byteLength(linesTo(2)), why: 'not a record of any known log' }])
  })

  test('by other than lines is read as a whole each time, and says so where its end is missing', async () => {
    const whole = `[${idsTo(3)
      .map((_, n) => record(n))
      .join(',')}]`
    const cut = whole.slice(0, whole.lastIndexOf(',{"eventVersion"'))
    const { ids, damage, offsets } = await readAll([logOf(cut, 64, { isGrowing: true })])
    expect([ids, offsets.get('log')]).toEqual([idsTo(2), 0])
    expect(damage).toEqual([{ source: 'log', offset: Buffer.byteLength(cut), why: 'cut off before the end of its records' }])
  })

  test('and is packed does not grow: all of it is read, and next time all of it again', async () => {
    const { ids, offsets } = await readAll([logOf(packed(linesTo(2).trimEnd()), 64, { isGrowing: true })])
    expect([ids, offsets.get('log')]).toEqual([idsTo(2), 0])
    expect((await readAll([logOf(packed(SERVER), 64, { isGrowing: true })])).events).toBe(1)
    expect((await readAll([logOf(SERVER, 64, { isGrowing: true })])).events).toBe(0)
  })
})

describe('a gzip file', () => {
  const content = Array.from({ length: 400 }, (_, n) => `${record(n % 9).replace(idOf(n % 9), idOf(n))}\n`).join('')
  const zipped = gzipSync(content)
  const recovered = (bytes: Uint8Array): string => gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString('latin1')

  test('that is cut off gives all that came before, and says where it ended', async () => {
    for (const part of [0.99, 0.7, 0.5, 0.3])
      for (const size of [64, ALL_AT_ONCE]) {
        const cut = zipped.subarray(0, Math.floor(zipped.length * part))
        const text = recovered(cut)
        const { ids, damage, sources, offsets } = await readAll([logOf(cut, size)])
        expect(ids).toEqual(idsTo(text.split('\n').length - 1))
        expect(damage).toEqual([{ source: 'log', offset: text.length, why: 'the gzip file is cut off' }])
        expect([sources[0]?.problem, offsets.size]).toEqual(['invalid/log: the gzip file is cut off', 0])
      }
  })

  test('that is cut off gives all, however slowly it is taken', async () => {
    const cut = gzipSync(Buffer.alloc(256 * 1_024 + 8_000, content)).subarray(0, -20)
    const [taken, busy]: [Uint8Array[], (bytes: Uint8Array) => Promise<unknown>] = [[], promisify(gunzip)]
    const slowly = async () => {
      for await (const part of bounded(inParts(cut, 4_096), true, BOUNDS)) {
        taken.push(part)
        for (let n = 0; n < 5; n++) await busy(zipped)
      }
    }
    await expect(slowly()).rejects.toMatchObject({ code: 'invalid/log' })
    expect(Buffer.concat(taken).length).toBe(recovered(cut).length)
  })

  test('that is damaged gives what came before', async () => {
    const bad = Buffer.from(zipped)
    bad.fill(0xff, Math.floor(bad.length * 0.6), Math.floor(bad.length * 0.6) + 40)
    const { ids, sources } = await readAll([logOf(bad)])
    expect(ids.length).toBeGreaterThan(50)
    expect(ids).toEqual(idsTo(ids.length))
    expect(sources[0]?.problem).toBe('invalid/log: the gzip file is damaged')
  })

  test('may have zeros behind it', async () => {
    const { ids, damage } = await readAll([logOf(Buffer.concat([zipped, Buffer.alloc(512)]))])
    expect([ids.length, damage]).toEqual([400, []])
  })
})

describe('a bomb', () => {
  const bombOf = (members: number): Buffer =>
    Buffer.concat(Array<Buffer>(members).fill(gzipSync(Buffer.alloc(64 * 2 ** 20, `${' '.repeat(1_023)}\n`))))

  /** A log that tells whether it was closed. */
  function watched(bytes: Uint8Array) {
    const seen = { isClosed: false, parts: 0 }
    const open = async function* () {
      try {
        for await (const part of inParts(bytes, 4_096)) {
          seen.parts++
          yield part
        }
      } finally {
        seen.isClosed = true
      }
    }
    return { log: logOf(bytes, 1, { open }), seen }
  }

  test('ends where more than 200 times its size comes out, and is closed', async () => {
    const bytes = Buffer.concat([packed(linesTo(1)), bombOf(8)])
    const { log, seen } = watched(bytes)
    const { ids, sources, bytes: read } = await readAll([log])
    expect(ids).toEqual(idsTo(1))
    expect(sources[0]?.problem).toBe('invalid/log: it is more than 200 times when unpacked')
    expect([seen.isClosed, seen.parts < bytes.length / 4_096, read]).toEqual([true, true, 0])
  })

  test('ends where more comes out than may', async () => {
    for (const mostBytes of [10, 50_000]) {
      const { log, seen } = watched(Buffer.from(linesTo(400)))
      const { ids, sources } = await readAll([log], { bounds: { ...BOUNDS, mostBytes } })
      expect([ids.length, seen.isClosed]).toEqual([mostBytes < 100 ? 0 : expect.toSatisfy((n) => n > 20 && n < 100), true])
      expect(sources[0]?.problem).toBe(`invalid/log: it is more than ${mostBytes} bytes when unpacked`)
    }
  })
})

describe('damage', () => {
  test('is located by its byte and counted, and the lines around it are read', async () => {
    const [a, b, c] = [record(1), record(2), record(3)]
    const content = `\ufeff${a}\nnoise é\n${b}\n{"eventSource":"secretsmanager.amazonaws.com"}\n${b.slice(0, -30)}\n\n${c}`
    for (const write of [(text: string) => Buffer.from(text), (text: string) => packed(text, 2)]) {
      const { ids, damage, malformed, records } = await readAll([logOf(write(content), 64)])
      const at = (text: string): number => Buffer.byteLength(content.slice(0, content.indexOf(text)))
      expect(ids).toEqual([1, 2, 3].map(idOf))
      expect(damage.map(({ offset }) => offset)).toEqual([at('noise'), at('{"eventSource":"s'), at(`${b.slice(0, -30)}\n\n`)])
      expect([malformed, records]).toEqual([3, 6])
    }
  })

  test('in an array is located too', async () => {
    const content = `[${record(1)}, oops, {"x":1}, ${record(2)}, ${record(3).slice(0, -30)}`
    const { ids, damage } = await readAll([logOf(content, 64)])
    const at = (text: string): number => Buffer.byteLength(content.slice(0, content.indexOf(text)))
    expect(ids).toEqual([1, 2].map(idOf))
    expect(damage).toEqual([
      { source: 'log', offset: at('oops'), why: 'not a record of any known log' },
      { source: 'log', offset: at('{"x":1}'), why: 'not a record of any known log' },
      { source: 'log', offset: at(record(3).slice(0, -30)), why: 'cut off in the middle of a record' }
    ])
  })

  test('of a request of Vault is found when its answer does not come', async () => {
    const [[request = '', answer = ''], [torn = '']] = [
      linesOf({ n: 1, path: 'secret/data/app' }),
      linesOf({ n: 2, path: 'x/y' })
    ]
    const content = `${request}\n${torn.slice(0, 500)}${answer}\n${answer}\n`
    const { ids, damage } = await readAll([logOf(content)])
    expect(ids).toEqual([uuid(1)])
    expect(damage).toEqual([{ source: 'log', offset: request.length + 1, why: 'not a record of any known log' }])
  })

  test('is told of the first twenty places, and all of it is counted', async () => {
    const { damage, malformed, ids } = await readAll([logOf(`${record(1)}\n${'noise\n'.repeat(50)}${record(2)}`)])
    expect([damage.length, malformed, ids]).toEqual([20, 50, [1, 2].map(idOf)])
  })

  test('is a record of more than 32 MiB, and what follows its line is read', async () => {
    const long = JSON.stringify(recordOf({ x: 'x'.repeat(33 * 2 ** 20) }, 2))
    const { ids, damage } = await readAll([logOf(`${record(1)}\n${long}\nnoise\n${record(3)}\n`, 512 * 1_024)])
    const at = Buffer.byteLength(record(1)) + 1
    expect(ids).toEqual([1, 3].map(idOf))
    expect(damage.map(({ offset, why }) => [offset, why])).toEqual([
      [at, 'a record longer than 32 MiB'],
      [at + long.length + 1, 'not a record of any known log']
    ])
  })
})

describe.each([
  ['plain', (content: string) => Buffer.from(content), 2],
  // What is unpacked and not taken yet may be lost with its source: the log is read again, when it is there.
  ['packed', (content: string) => packed(content), 1]
])('a source of %s bytes that fails in the middle', (_, write, least) => {
  const failing = (code: 'unavailable/archive' | 'not-found/object') =>
    logOf('', 1, {
      open: async function* () {
        yield write(`${SERVER}\n`)
        throw new KeyturnError(code, 'planted')
      }
    })

  test('ends the reading with its own error', async () => {
    await expect(readAll([failing('unavailable/archive')])).rejects.toMatchObject({ code: 'unavailable/archive' })
  })

  test('and is gone, is told, and the next one is read', async () => {
    const { ids, sources } = await readAll([failing('not-found/object'), logOf(record(2))])
    expect(ids.length).toBeGreaterThanOrEqual(least)
    expect(ids.at(-1)).toBe(idOf(2))
    expect(sources.map(({ problem }) => problem)).toEqual(['not-found/object: planted', undefined])
  })
})
