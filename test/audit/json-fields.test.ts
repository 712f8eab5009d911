import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fieldScanner, INCOMPLETE, MALFORMED } from '../../shared/audit/json-fields.ts'
import { fenced, jsonObject, PATHS, plainKeyedObject, textAt, valueAt } from './json-texts.ts'

const RUNS = { seed: 6, numRuns: 2_000 }
const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8')

/** Where a scan ended, and the texts that it found. */
function found(
  paths: readonly string[],
  bytes: Uint8Array,
  from: number,
  to: number
): { end: number; texts: readonly (string | undefined)[] } {
  const { scan, starts, ends } = fieldScanner(paths)
  const end = scan(bytes, from, to)
  const text = (slot: number): string => Buffer.from(bytes.slice(starts[slot], ends[slot])).toString('utf8')
  return { end, texts: paths.map((_, slot) => ((starts[slot] as number) < 0 ? undefined : text(slot))) }
}

const foundIn = (paths: readonly string[], text: string) => found(paths, bytesOf(text), 0, bytesOf(text).length)

const MARK = fc.constantFrom(...'{}[]",:\\ \n\u0000ab1'.split(''))

describe('a field is found', () => {
  test('as JSON.parse finds it, whatever the order of members, white space, nesting and members of the same name', () => {
    fc.assert(
      fc.property(plainKeyedObject, (text) => {
        const { end, texts } = foundIn(PATHS, text)
        const parsed: unknown = JSON.parse(text)
        expect(end).toBe(bytesOf(text).length)
        expect(texts.map((one) => one && [JSON.parse(one)])).toEqual(PATHS.map((path) => valueAt(parsed, path)))
      }),
      RUNS
    )
  })

  // JSON.parse of V8 13.6 and later takes an escaped name for another one at times (nodejs/node#63785).
  test('however its name is spelled, as jsonc-parser finds it', () => {
    fc.assert(
      fc.property(jsonObject, (text) => {
        const texts = PATHS.map((path) => textAt(text, path))
        expect(foundIn(PATHS, text)).toEqual({ end: bytesOf(text).length, texts })
      }),
      RUNS
    )
  })

  test('wherever in the bytes the object is, and whatever stands around it', () => {
    fc.assert(
      fc.property(jsonObject, fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), (text, before, after) => {
        const alone = foundIn(PATHS, text)
        const [head, body] = [bytesOf(before), bytesOf(text)]
        const inside = found(PATHS, Buffer.concat([head, body, bytesOf(after)]), head.length, head.length + body.length)
        expect(inside).toEqual({ end: head.length + alone.end, texts: alone.texts })
      }),
      RUNS
    )
  })

  test('once for each double member: the last one', () => {
    expect(foundIn(['a', 'a.b'], '{"a":{"b":1},"a":{"b":2}}').texts).toEqual(['{"b":2}', '2'])
    expect(foundIn(['a', 'a.b'], '{"a":{"b":1},"a":5}').texts).toEqual(['5', undefined])
    expect(foundIn(['a', 'a.b'], '{"a":{"b":1},"\\u0061":{}}').texts).toEqual(['{}', undefined])
  })

  test('and not where a text only looks like it', () => {
    const texts = [
      '{"x":"\\",\\"a\\":1"}',
      '{"x":{"a":1}}',
      '{"x":["a",{"a":1}]}',
      '{"\ufeff\\u0061":1}',
      '{"A":1,"a ":1,"aa":1}'
    ]
    expect(texts.map((text) => foundIn(['a'], text).texts)).toEqual(Array(5).fill([undefined]))
  })

  test('behind a hundred thousand brackets that nobody asked for', () => {
    const deep = `${'[{"a":'.repeat(100_000)}1${'}]'.repeat(100_000)}`
    expect(foundIn(['a'], `{"x":${deep},"a":2}`).texts).toEqual(['2'])
  })
})

describe('what is cut off', () => {
  test('is incomplete or no JSON wherever it is cut, and reads nothing behind the cut', () => {
    fc.assert(
      fc.property(jsonObject, (text) => {
        const whole = bytesOf(text.trim())
        for (let to = 0; to < whole.length; to++) {
          const reads = fenced(whole, 0, to)
          expect([INCOMPLETE, MALFORMED]).toContain(fieldScanner(PATHS).scan(reads.bytes, 0, to))
          expect(reads.outside).toEqual([])
        }
      }),
      { ...RUNS, numRuns: 40 }
    )
  })

  test('is told from what is no JSON', () => {
    const ends = (texts: readonly string[]) =>
      texts.map((text) => fieldScanner(['a']).scan(bytesOf(text), 0, bytesOf(text).length))
    expect(
      ends(['', ' ', '{', '{ ', '{"', '{"a', '{"a\\', '{"a"', '{"a":', '{"a":"', '{"a":"\\"', '{"a":1', '{"a":[', '{"a":1,'])
    ).toEqual(Array(14).fill(INCOMPLETE))
    expect(
      ends(['[]', 'x', '"a"', '{a', '{,', '{"a",', '{"a"1', '{"a":,', '{"a":}', '{"a":1"', '{"a":1 2', '{"a":1,}', '{"a"::'])
    ).toEqual(Array(13).fill(MALFORMED))
  })
})

test('bytes that are no JSON throw nothing, and nothing is read or found outside of what was given', () => {
  const near = fc
    .tuple(jsonObject, fc.double({ min: 0, max: 1, noNaN: true }), MARK)
    .map(([text, part, other]) => [Math.floor(text.length * part), text, other] as const)
    .map(([at, text, other]) => text.slice(0, at) + other + text.slice(at + 1))
  const marks = fc.array(MARK).map((some) => `{${some.join('')}`)
  fc.assert(
    fc.property(fc.oneof(near, fc.string(), marks), (text) => {
      const [from, to] = [2, 2 + bytesOf(text).length]
      const reads = fenced(bytesOf(`"{${text}"}]`), from, to)
      const { scan, starts, ends } = fieldScanner(PATHS)
      expect(scan(reads.bytes, from, to)).toBeLessThanOrEqual(to)
      expect(reads.outside).toEqual([])
      for (const [slot, start] of starts.entries())
        if (start >= 0) expect(start >= from && (ends[slot] as number) > start && (ends[slot] as number) <= to).toBe(true)
    }),
    { ...RUNS, numRuns: 5_000 }
  )
})

test('a scan that needs one field ends behind it, and what comes later is not read', () => {
  const { scan, starts, ends } = fieldScanner(['a.b', 'c'])
  const text = '{"c":1,"a":{"x":0,"b":"it"},"c":2 and no JSON'
  const bytes = bytesOf(text)
  expect(scan(bytes, 0, bytes.length, 0)).toBe(text.indexOf('},"c":2'))
  expect(text.slice(starts[0], ends[0])).toBe('"it"')
  expect(text.slice(starts[1], ends[1])).toBe('1')
  expect(scan(bytesOf('{"c":1}'), 0, 7, 0)).toBe(7)
  expect(starts[0]).toBe(-1)
})
