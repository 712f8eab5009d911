import { randomBytes } from 'node:crypto'
import { KeyturnError } from './errors.ts'
import { SecretText } from './types.ts'

export interface PasswordPolicy {
  readonly length: number
  readonly lower: boolean
  readonly upper: boolean
  readonly digits: boolean
  /** The symbols themselves; empty for none. */
  readonly symbols: string
  /** Characters that must not appear, whatever their class. */
  readonly exclude: string
  /** At least one character of every class that is switched on. */
  readonly requireEach: boolean
}

/**
 * Letters and digits: 190 bits. No symbols, because none is safe wherever a password is pasted (URLs give way at `:/?#[]@%+&=;,`,
 * shells at `$!"'*~^|<>(){}` and the backtick, ODBC and JDBC strings at `{}[](),;?*=!@`
 * (learn.microsoft.com/sql/odbc/reference/syntax/sqldriverconnect-function), command lines at a leading `-`) but `_` and `.`,
 * and to require one of only two would make those two half as likely again as any other character. A server that
 * demands one (Cloud SQL's complexity policy) gets `symbols: '_.'`.
 */
export const DEFAULT_PASSWORD_POLICY: PasswordPolicy = {
  length: 32,
  lower: true,
  upper: true,
  digits: true,
  symbols: '',
  exclude: '',
  requireEach: true
}

const MAX_LENGTH = 512

/**
 * A new password, each one that the policy allows equally likely: whole passwords are drawn and those that miss a class are
 * thrown away. (Putting the missing class at a random place afterwards is the usual way, and is biased.)
 * Throws `invalid/password-policy` before anything is drawn.
 */
export function generatePassword(policy: PasswordPolicy = DEFAULT_PASSWORD_POLICY): SecretText {
  const classes = classesOf(policy)
  const alphabet = [...classes.join('')]
  for (;;) {
    const text = draw(alphabet, policy.length)
    if (policy.requireEach && !classes.every((chars) => [...text].some((char) => chars.includes(char)))) continue
    if (!looksLikeVerifier(text)) return new SecretText(text)
  }
}

/** The entropy of `generatePassword(policy)` in bits: log2 of the number of passwords that it chooses from. */
export function entropyBits(policy: PasswordPolicy = DEFAULT_PASSWORD_POLICY): number {
  const sizes = classesOf(policy).map((chars) => chars.length)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  if (!policy.requireEach) return policy.length * Math.log2(total)
  // Inclusion and exclusion over the classes that a password could miss; exact, because the terms nearly cancel.
  let count = 0n
  for (let missed = 0; missed < 2 ** sizes.length; missed++) {
    const without = sizes.filter((_, at) => missed & (1 << at))
    const left = total - without.reduce((sum, size) => sum + size, 0)
    const term = BigInt(left) ** BigInt(policy.length)
    count += without.length % 2 === 0 ? term : -term
  }
  return log2(count)
}

/**
 * Postgres stores such a text as a hash instead of hashing it (get_password_type in libpq's crypt.c), and takes a
 * malformed `SCRAM-SHA-256$` as a plain password: neither may ever be one.
 */
export const looksLikeVerifier = (text: string): boolean => /^md5[0-9a-f]{32}$/i.test(text) || text.startsWith('SCRAM-SHA-256$')

function classesOf(policy: PasswordPolicy): string[] {
  const named = [
    ['lower', policy.lower ? 'abcdefghijklmnopqrstuvwxyz' : ''],
    ['upper', policy.upper ? 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' : ''],
    ['digits', policy.digits ? '0123456789' : ''],
    ['symbols', policy.symbols]
  ] as const
  const { length } = policy
  if (!Number.isInteger(length) || length < 1 || length > MAX_LENGTH)
    throw new KeyturnError('invalid/password-policy', `length must be a whole number from 1 to ${MAX_LENGTH}`)
  if (!/^[!-/:-@[-`{-~]*$/.test(policy.symbols) || new Set(policy.symbols).size !== policy.symbols.length)
    throw new KeyturnError('invalid/password-policy', 'symbols must be printable ASCII, no letters or digits, each one once')
  const wanted = named.filter(([, chars]) => chars !== '')
  const left = wanted.map(([name, chars]) => [name, [...chars].filter((c) => !policy.exclude.includes(c)).join('')] as const)
  const gone = left.filter(([, chars]) => chars === '').map(([name]) => name)
  if (policy.requireEach && gone.length > 0)
    throw new KeyturnError('invalid/password-policy', `exclude leaves nothing of a class that is required: ${gone.join(', ')}`)
  const classes = left.map(([, chars]) => chars).filter((chars) => chars !== '')
  if (classes.length === 0) throw new KeyturnError('invalid/password-policy', 'no class is left to choose characters from')
  if (policy.requireEach && length < classes.length)
    throw new KeyturnError(
      'invalid/password-policy',
      `length ${length} is too short for one of each of ${classes.length} classes`
    )
  return classes
}

/** Rejection sampling: a byte beyond the last whole multiple of the alphabet is thrown away, or some characters were likelier. */
function draw(alphabet: readonly string[], length: number): string {
  const limit = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < limit && text.length < length) text += alphabet[byte % alphabet.length]
    }
  }
  return text
}

/** Of an integer too large for a double. */
function log2(count: bigint): number {
  const shift = Math.max(0, count.toString(2).length - 53)
  return Math.log2(Number(count >> BigInt(shift))) + shift
}
