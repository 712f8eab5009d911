import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { KeyturnError } from '../errors.ts'
import { looksLikeVerifier } from '../password.ts'
import type { SecretText } from '../types.ts'

/** What Postgres uses unless scram_iterations (16 and later) says otherwise. */
export const DEFAULT_ITERATIONS = 4096

/** A text that proves a password without being one: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>` (RFC 5803, as Postgres stores it). */
export type Verifier = string & { readonly is: 'scram verifier' }

/**
 * Makes the verifier of a password, so that the password itself is in no statement and no log. Throws `invalid/password` for a
 * text that SCRAM cannot carry; never a different password than the one given.
 */
export async function scramVerifier(
  password: SecretText,
  iterations = DEFAULT_ITERATIONS,
  salt = randomBytes(16)
): Promise<Verifier> {
  const prepared = await prepare(password.reveal())
  const salted = await promisify(pbkdf2)(prepared, salt, iterations, 32, 'sha256')
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest()
  const keys = `${storedKey.toString('base64')}:${hmac(salted, 'Server Key').toString('base64')}`
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${keys}` as Verifier
}

/** Postgres takes a malformed one for a plain password, without a word: our own is checked before it is sent. */
export const isVerifier = (text: string): text is Verifier =>
  /^SCRAM-SHA-256\$[1-9]\d{0,9}:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/.test(text)

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/**
 * SASLprep (RFC 4013). Where it fails, Postgres and libpq fall back to the raw bytes (pg_saslprep in scram-common.c), other drivers
 * do not: such a password works for some clients only, so it is refused.
 */
async function prepare(text: string): Promise<string> {
  if (text === '' || text.includes('\0')) throw new KeyturnError('invalid/password', 'the password is empty or holds a NUL')
  if (looksLikeVerifier(text)) throw new KeyturnError('invalid/password', 'the password looks like a stored hash')
  // Printable ASCII prepares to itself; the tables for the rest cost a fifth of a cold start.
  if (/^[ -~]*$/.test(text)) return text
  const { saslprep } = await import('@mongodb-js/saslprep')
  try {
    const prepared = saslprep(text)
    if (prepared !== '' && prepared === postgresPrep(text)) return prepared
  } catch {
    // Its message quotes the character.
  }
  throw new KeyturnError('invalid/password', 'SASLprep does not allow a character of the password')
}

/**
 * The three mappings as Postgres does them (spaces first, so that U+200B, which is in both tables, becomes a space there and
 * nothing elsewhere). Where the two readings differ, clients differ.
 */
const postgresPrep = (text: string): string =>
  text
    .replace(/[\u00A0\u1680\u2000-\u200B\u202F\u205F\u3000]/g, ' ')
    .replace(/\u00AD|\u034F|\u1806|[\u180B-\u180D]|\u200C|\u200D|\u2060|[\uFE00-\uFE0F]|\uFEFF/g, '')
    .normalize('NFKC')
