import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Interner, interner, plainText, plainTextOf } from '../../shared/audit/interner.ts'

const made = (): { of: Interner<{ text: string }>; count: () => number } => {
  let count = 0
  const of = interner((text) => {
    count++
    return { text }
  })
  return { of, count: () => count }
}

/** In the middle of other bytes, and as a view that does not begin where its memory does. */
function within(text: string): readonly [bytes: Uint8Array, from: number, to: number] {
  const body = Buffer.from(text)
  const all = Buffer.concat([Buffer.from('…before'), body, Buffer.from('after')])
  const skipped = Buffer.byteLength('…')
  return [new Uint8Array(all.buffer, all.byteOffset + skipped, all.length - skipped), 6, 6 + body.length]
}

describe('what was made of bytes', () => {
  test('is made once, wherever the same bytes stand', () => {
    const { of, count } = made()
    const first = of(...within('"eu/app/db"'))
    expect(of(Buffer.from('"eu/app/db"'), 0, 11)).toBe(first)
    expect([first.text, count()]).toEqual(['"eu/app/db"', 1])
  })

  test('does not change when the bytes do', () => {
    const { of } = made()
    const bytes = Buffer.from('abc')
    const first = of(bytes, 0, 3)
    bytes.fill('x')
    expect(of(Buffer.from('abc'), 0, 3)).toBe(first)
    expect(of(bytes, 0, 3).text).toBe('xxx')
  })

  test('is never taken for other bytes, however alike they are and however many there are', () => {
    const { of } = made()
    const ends = ['/the-same-twenty-four-bytes-at-the-end', '']
    const texts = Array.from({ length: 70_000 }, (_, n) => `${n}${ends[n % 2]}`)
    for (const _ of [1, 2]) expect(texts.filter((text) => of(...within(text)).text !== text)).toEqual([])
  })

  test('is right whatever its length', () => {
    const { of } = made()
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 2_000 }), (text) => {
        expect(of(...within(text)).text).toBe(text)
      }),
      { seed: 6, numRuns: 500 }
    )
  })
})

describe('the text of a JSON value', () => {
  test('is what JSON.parse makes of a string, and the JSON of anything else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
        const json = JSON.stringify(text)
        expect([plainText(json), plainTextOf(...within(json))]).toEqual([text, text])
      }),
      { seed: 6, numRuns: 2_000 }
    )
    const others = ['true', '-12.5', '{"a":"b"}', '["é"]', '"\\u00e9\\/\\ud83d\\udd11"']
    expect(others.map(plainText)).toEqual(['true', '-12.5', '{"a":"b"}', '["é"]', 'é/🔑'])
    expect(others.map((json) => plainTextOf(...within(json)))).toEqual(others.map(plainText))
  })

  test('is empty for null, for what is not there, and for what is no JSON', () => {
    expect(['', 'null', '"\\x"', '"\\u12"'].map(plainText)).toEqual(['', '', '', ''])
    expect(plainTextOf(Buffer.from('"x"'), -1, -1)).toBe('')
    expect(plainTextOf(...within('null'))).toBe('')
  })
})
