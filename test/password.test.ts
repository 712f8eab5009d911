import { describe, expect, it } from 'vitest'
import {
  DEFAULT_PASSWORD_POLICY,
  entropyBits,
  generatePassword,
  looksLikeVerifier,
  type PasswordPolicy
} from '../shared/password.ts'

const policy = (changes: Partial<PasswordPolicy>): PasswordPolicy => ({ ...DEFAULT_PASSWORD_POLICY, ...changes })
const many = (count: number, p = DEFAULT_PASSWORD_POLICY): string[] =>
  Array.from({ length: count }, () => generatePassword(p).reveal())

/** Pearson's statistic against "all equally likely". */
function chiSquare(counts: ReadonlyMap<string, number>, cells: number, total: number): number {
  const expected = total / cells
  const seen = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
  return seen + (cells - counts.size) * expected
}

describe('passwords', () => {
  const passwords = many(10_000)

  it('are uniform at every position', () => {
    // 61 degrees of freedom: 130 is exceeded once in a million fair draws, and there are 32 in a run of this test.
    for (let at = 0; at < DEFAULT_PASSWORD_POLICY.length; at++) {
      const counts = new Map<string, number>()
      for (const p of passwords) counts.set(p[at] ?? '', (counts.get(p[at] ?? '') ?? 0) + 1)
      expect(counts.size).toBe(62)
      expect(chiSquare(counts, 62, passwords.length), `position ${at}`).toBeLessThan(130)
    }
  })

  it('have every class, and nothing that a URL, a shell, an ODBC string or an option file would trip over', () => {
    for (const p of passwords) {
      expect(p).toMatch(/^[A-Za-z0-9]{32}$/)
      for (const kind of [/[a-z]/, /[A-Z]/, /[0-9]/]) expect(p).toMatch(kind)
      expect(encodeURIComponent(p)).toBe(p)
    }
  })

  it('are all different, and none looks like a stored verifier', () => {
    expect(new Set(passwords).size).toBe(passwords.length)
    expect(passwords.filter(looksLikeVerifier)).toEqual([])
  })

  it('never look like an md5 hash, even where the policy allows nothing else', () => {
    const hex = policy({ length: 35, upper: false, symbols: '', requireEach: false, exclude: 'ghijklnopqrstuvwxyz' })
    expect(many(200, hex).filter(looksLikeVerifier)).toEqual([])
    expect(looksLikeVerifier(`md5${'0'.repeat(32)}`)).toBe(true)
    expect(looksLikeVerifier('SCRAM-SHA-256$nonsense')).toBe(true)
  })

  it('leave out what is excluded, and every class that is switched off', () => {
    const some = policy({ length: 20, digits: false, symbols: '!#', exclude: 'abcABC!' })
    for (const p of many(500, some)) expect(p).toMatch(/^[d-zD-Z#]{20}$/)
  })

  it('have a symbol where the server demands one', () => {
    for (const p of many(500, policy({ symbols: '_.' }))) expect(p).toMatch(/^[A-Za-z0-9_.]*[_.][A-Za-z0-9_.]*$/)
  })

  it('are printed as nothing but [secret]', () => {
    expect(`${generatePassword()}${JSON.stringify({ p: generatePassword() })}`).toBe('[secret]{"p":"[secret]"}')
  })
})

describe('the entropy', () => {
  it('is log2 of the number of passwords that there are', () => {
    // Two classes of one character each, both required, three characters: 2³ − 2.
    const tiny = { length: 3, lower: false, upper: false, digits: true, symbols: '_', exclude: '123456789', requireEach: true }
    expect(entropyBits(tiny)).toBeCloseTo(Math.log2(6), 10)
    expect(new Set(many(300, tiny)).size).toBe(6)
    expect(entropyBits({ ...tiny, requireEach: false })).toBeCloseTo(3, 10)
  })

  it('of the default policy is above 190 bits', () => {
    expect(entropyBits()).toBeGreaterThan(190)
    expect(entropyBits()).toBeLessThan(191)
  })
})

describe('a policy that cannot be met is refused before anything is drawn', () => {
  const refused: readonly (readonly [string, Partial<PasswordPolicy>])[] = [
    ['a required class is excluded', { exclude: '0123456789' }],
    ['shorter than its classes', { length: 2 }],
    ['no length', { length: 0 }],
    ['half a character', { length: 7.5 }],
    ['too long', { length: 513 }],
    ['no class left', { lower: false, upper: false, digits: false, symbols: '', requireEach: false }],
    ['everything excluded', { lower: false, upper: false, digits: false, symbols: '_', exclude: '_', requireEach: false }],
    ['letters among the symbols', { symbols: 'a_' }],
    ['a symbol twice', { symbols: '__' }],
    ['a symbol beyond ASCII', { symbols: 'é' }]
  ]
  it.each(refused)('%s', (_, changes) => {
    expect(() => generatePassword(policy(changes))).toThrowError(expect.objectContaining({ code: 'invalid/password-policy' }))
    expect(() => entropyBits(policy(changes))).toThrowError(expect.objectContaining({ code: 'invalid/password-policy' }))
  })
})
