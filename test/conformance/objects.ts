import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  all,
  bytesFrom,
  bytesOf,
  CALLS,
  codeOf,
  fresh,
  liveBytes,
  namesOf,
  type ObjectsBench,
  type ObjectsHarness,
  signal,
  textFrom
} from './objects-harness.ts'
import { networkTests } from './objects-network.ts'

/** What the port's docstrings promise, asked of one place. Nothing is skipped. */
export function objectsSuite(place: string, start: () => Promise<ObjectsHarness>): void {
  describe(`objects in ${place}`, () => {
    let bench: ObjectsBench | undefined
    const b = (): ObjectsBench => {
      if (!bench) throw new Error('the harness did not start')
      return bench
    }
    beforeAll(async () => {
      const harness = await start()
      bench = { harness, objects: harness.open() }
    })
    afterAll(() => bench?.harness.close())
    describe('a list', () => listTests(b))
    describe('a read', () => readTests(b))
    describe('a small object', () => getTests(b))
    describe('a write', () => putTests(b))
    describe('between keyturn and the place', () => networkTests(b))
    test('a place that is not there is said to be so by every call', async () => {
      for (const [call, work] of CALLS) expect([call, await codeOf(work(b().harness.nowhere, 'any'))]).toEqual([call, MISSING])
    })
  })
}

const MISSING = 'not-found/archive'
/** In the order of their bytes: `-` and `.` come before `/`, and digits and letters after it. */
const ORDERED = ['B', 'a-b', 'a.gz', 'a/b-c/d', 'a/b/c', 'a/b/d', 'a0', 'ab', 'b/a', 'ä']

function listTests(b: () => ObjectsBench): void {
  test('has everything below a prefix in the order of names, over several pages', async () => {
    const { harness, objects } = b()
    const [at, beside] = [fresh(), fresh()]
    for (const name of [...ORDERED].reverse()) await harness.write(at + name, bytesOf(name))
    await harness.write(`${beside}other`, bytesOf('other'))
    expect(await namesOf(objects, at)).toEqual(ORDERED.map((name) => at + name))
    expect(await namesOf(objects, `${at}a`)).toEqual(ORDERED.filter((name) => name.startsWith('a')).map((name) => at + name))
    expect(await namesOf(objects, `${at}a/b/`)).toEqual([`${at}a/b/c`, `${at}a/b/d`])
    expect(await namesOf(objects, '')).toEqual(expect.arrayContaining([`${at}B`, `${beside}other`]))
  })

  test('of a prefix without objects is empty', async () => {
    expect(await namesOf(b().objects, fresh())).toEqual([])
  })

  test('says of each object what a description says', async () => {
    const { harness, objects } = b()
    const at = fresh()
    await harness.write(`${at}empty`, bytesOf(''))
    await harness.write(`${at}full`, bytesOf('12345'))
    const listed = await all(objects.list(at, signal()))
    expect(listed.map(({ bytes }) => bytes)).toEqual([0, 5])
    for (const facts of listed) {
      const described = await objects.describe(facts.name, signal())
      expect(described).toMatchObject({ name: facts.name, bytes: facts.bytes, tag: facts.tag })
      // A header has whole seconds.
      expect(Math.abs((described?.changedAt ?? 0) - (facts.changedAt ?? 0))).toBeLessThan(1_000)
      expect(Math.abs((facts.changedAt ?? 0) - Date.now())).toBeLessThan(60_000)
    }
    expect(new Set(listed.map(({ tag }) => tag)).size).toBe(2)
  })

  test('has names as they are, whatever is in them, and they are read by them', async () => {
    const { harness, objects } = b()
    const at = fresh()
    const names = ['&amp;', '<Name>', `"quoted'`, '%41%2F', 'a b+c', '?x=1#y', '[~]@:;,=$!()*', 'ü-日本-🔑'].sort()
    for (const name of names) await harness.write(at + name, bytesOf(name))
    expect((await namesOf(objects, at)).sort()).toEqual(names.map((name) => at + name))
    for (const name of names) {
      expect(await textFrom(objects, at + name, 0)).toBe(name)
      expect((await objects.describe(at + name, signal()))?.bytes).toBe(Buffer.byteLength(name))
      expect(await codeOf(objects.put(at + name, bytesOf('x'), undefined, signal()))).toBe('conflict/object-changed')
    }
  })
}

function readTests(b: () => ObjectsBench): void {
  test('begins at an offset, and at the end there is nothing more', async () => {
    const { harness, objects } = b()
    const name = `${fresh()}log`
    await harness.write(name, bytesOf('0123456789'))
    expect(await textFrom(objects, name, 0)).toBe('0123456789')
    expect(await textFrom(objects, name, 7)).toBe('789')
    expect(await textFrom(objects, name, 10)).toBe('')
    expect(await textFrom(objects, name, 1_000)).toBe('')
  })

  test('of an empty object gives nothing', async () => {
    const name = `${fresh()}empty`
    await b().harness.write(name, bytesOf(''))
    expect(await textFrom(b().objects, name, 0)).toBe('')
    expect(await textFrom(b().objects, name, 1)).toBe('')
  })

  test('of an object that is not there says so', async () => {
    expect(await codeOf(all(b().objects.read(`${fresh()}x`, 0, signal())))).toBe('not-found/object')
    expect(await b().objects.describe(`${fresh()}x`, signal())).toBeUndefined()
    expect(await b().objects.get(`${fresh()}x`, 10, signal())).toBeUndefined()
  })

  test('gives the bytes as they lie there, compressed ones too', async () => {
    const { harness, objects } = b()
    const name = `${fresh()}log.gz`
    const zipped = gzipSync('a log '.repeat(1_000))
    await harness.write(name, zipped, 'gzip')
    expect((await bytesFrom(objects, name, 0)).equals(zipped)).toBe(true)
    expect((await bytesFrom(objects, name, 10)).equals(zipped.subarray(10))).toBe(true)
    expect(Buffer.from((await objects.get(name, 10_000, signal()))?.bytes ?? []).equals(zipped)).toBe(true)
    expect((await objects.describe(name, signal()))?.bytes).toBe(zipped.length)
  })

  test('ends when its signal is over, before it began and in the middle', async () => {
    const { harness, objects } = b()
    const name = `${fresh()}log`
    await harness.write(name, Buffer.alloc(8 * 2 ** 20, 'x'))
    expect(await codeOf(all(objects.read(name, 0, AbortSignal.abort())))).toBe('unavailable/archive')
    const abort = new AbortController()
    let parts = 0
    const reading = async () => {
      for await (const _ of objects.read(name, 0, abort.signal)) if (++parts === 2) abort.abort()
    }
    expect(await codeOf(reading())).toBe('unavailable/archive')
    expect(parts).toBeGreaterThanOrEqual(2)
  })

  test('of a big object never has it whole in memory', async () => {
    const { harness, objects } = b()
    const [name, size] = [`${fresh()}big`, 64 * 2 ** 20]
    await harness.write(name, Buffer.alloc(size, 'log'))
    const before = liveBytes()
    let [read, looked, most] = [0, 0, 0]
    for await (const part of objects.read(name, 0, signal())) {
      read += part.length
      if (read - looked < 8 * 2 ** 20) continue
      looked = read
      most = Math.max(most, liveBytes() - before)
    }
    expect(read).toBe(size)
    expect(most).toBeLessThan(size / 4)
    await harness.remove(name)
  })
}

function getTests(b: () => ObjectsBench): void {
  test('is had whole with its tag, up to a limit', async () => {
    const { harness, objects } = b()
    const name = `${fresh()}state`
    await harness.write(name, bytesOf('12345'))
    const found = await objects.get(name, 5, signal())
    expect(Buffer.from(found?.bytes ?? []).toString()).toBe('12345')
    expect(found?.tag).toBe((await objects.describe(name, signal()))?.tag)
    expect(await codeOf(objects.get(name, 4, signal()))).toBe('invalid/object')
  })

  test('may be empty', async () => {
    const name = `${fresh()}state`
    await b().harness.write(name, bytesOf(''))
    expect((await b().objects.get(name, 5, signal()))?.bytes.length).toBe(0)
  })
}

function putTests(b: () => ObjectsBench): void {
  test('of something new succeeds once', async () => {
    const { objects } = b()
    const name = `${fresh()}deep/state`
    const tag = await objects.put(name, bytesOf('one'), undefined, signal())
    expect(tag).toBe((await objects.describe(name, signal()))?.tag)
    expect(await codeOf(objects.put(name, bytesOf('two'), undefined, signal()))).toBe('conflict/object-changed')
    expect(await textFrom(objects, name, 0)).toBe('one')
  })

  test('over the state that was read succeeds, and over one from before does not', async () => {
    const { harness, objects } = b()
    const name = `${fresh()}state`
    const first = await objects.put(name, bytesOf('one'), undefined, signal())
    const second = await objects.put(name, bytesOf('two'), first, signal())
    expect(second).not.toBe(first)
    expect(await codeOf(objects.put(name, bytesOf('three'), first, signal()))).toBe('conflict/object-changed')
    expect(await textFrom(objects, name, 0)).toBe('two')
    await harness.write(name, bytesOf('a person’s'))
    expect(await codeOf(objects.put(name, bytesOf('three'), second, signal()))).toBe('conflict/object-changed')
    const { tag = '' } = (await objects.get(name, 100, signal())) ?? {}
    await objects.put(name, bytesOf('three'), tag, signal())
    expect(await textFrom(objects, name, 0)).toBe('three')
  })

  test('over what was deleted meanwhile does not succeed', async () => {
    const { harness, objects } = b()
    const name = `${fresh()}state`
    const tag = await objects.put(name, bytesOf('one'), undefined, signal())
    await harness.remove(name)
    expect(await codeOf(objects.put(name, bytesOf('two'), tag, signal()))).toBe('conflict/object-changed')
    expect(await objects.describe(name, signal())).toBeUndefined()
  })

  test('has any bytes, and many', async () => {
    const name = `${fresh()}state`
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n))
      .toString('latin1')
      .repeat(8_192)
    await b().objects.put(name, Buffer.from(bytes, 'latin1'), undefined, signal())
    const found = await b().objects.get(name, 3 * 2 ** 20, signal())
    expect(Buffer.from(found?.bytes ?? []).toString('latin1') === bytes).toBe(true)
  })

  test('is one writer’s of many that write at once', async () => {
    const { harness } = b()
    const name = `${fresh()}state`
    const writers = Array.from({ length: 6 }, () => harness.open())
    let expected: string | undefined
    for (const round of [1, 2, 3]) {
      const writes = writers.map((objects, n) => objects.put(name, bytesOf(`${round}: ${n}`), expected, signal()))
      const outcomes = await Promise.allSettled(writes)
      const won = outcomes.flatMap((outcome, n) => (outcome.status === 'fulfilled' ? [{ tag: outcome.value, n }] : []))
      expect(won).toHaveLength(1)
      for (const write of writes) expect([undefined, 'conflict/object-changed']).toContain(await codeOf(write))
      expected = won[0]?.tag
      expect(await textFrom(b().objects, name, 0)).toBe(`${round}: ${won[0]?.n}`)
    }
  })
}
