import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { timeOf } from '../../shared/audit/clock.ts'

const at = (text: string): number => {
  const bytes = Buffer.from(`x"${text}"y`)
  return timeOf(bytes, 1, bytes.length - 1)
}

describe('a time', () => {
  test('is what Date makes of it, with any fraction of a second', () => {
    const time = fc.tuple(
      fc.integer({ min: Date.UTC(1970, 0), max: Date.UTC(2099, 11, 31) }),
      fc.stringMatching(/^(\.\d{1,9})?$/)
    )
    fc.assert(
      fc.property(time, ([ms, fraction]) => {
        const text = `${new Date(ms).toISOString().slice(0, 19)}${fraction}Z`
        expect(at(text)).toBe(Date.parse(text))
      }),
      { seed: 6, numRuns: 5_000 }
    )
  })

  test('is right at the ends of months, years and leap years', () => {
    const days = ['2024-02-28', '2024-02-29', '2023-02-28', '2023-03-01', '2000-02-29', '2026-12-31', '2027-01-01', '2026-06-30']
    const texts = [...days, ...days.toReversed()].flatMap((day) => [`${day}T00:00:00Z`, `${day}T23:59:59.999999999Z`])
    expect(texts.map(at)).toEqual(texts.map((text) => Date.parse(text)))
  })

  test('may have an offset, as Vault writes the beginning of a token’s life', () => {
    expect(at('2026-07-01T12:00:00.5+08:00')).toBe(Date.UTC(2026, 6, 1, 4, 0, 0, 500))
    expect(at('2026-07-01T12:00:00-02:30')).toBe(Date.UTC(2026, 6, 1, 14, 30))
  })
})

test.each([
  ...['', 'Z', 'yesterday', '2026-07-01', '2026-13-01T00:00:00Z', '2026-00-10T00:00:00Z', '2026-07-32T00:00:00Z'],
  ...['2026-07-00T00:00:00Z', '2026-07-01T25:00:00Z', '2026-07-01T23:60:00Z', '2026-07-01T23:59:60Z', '2026-07-0xT00:00:00Z'],
  ...['2026x07-01T00:00:00Z', '2026-07x01T00:00:00Z', '2026-07-01x00:00:00Z', '2026-07-01T00x00:00Z', '2026-07-01T00:00x00Z'],
  ...['2026-07-01T00:00:00xZ', '2026-07-01T00:00:00.Z', '2026-07-01T00:00:00.12xZ', '2026-07-01T00:00:00.123xyzZ', 'null']
])('%j is no time', (text) => {
  expect(at(text)).toBeNaN()
})

test('a field that is not there has no time', () => {
  expect(timeOf(Buffer.from('"2026-07-01T12:00:00Z"'), -1, 0)).toBeNaN()
})
