import { createHash } from 'node:crypto'
import { type DatabaseDocument, parseDocument } from '../document.ts'
import { KeyturnError } from '../errors.ts'
import { decodeText, encodeText } from '../metadata.ts'
import type { Context } from '../ports/target.ts'
import type { SecretText } from '../types.ts'

/**
 * `pair` and `clone` have an admin; `twin`: one half alters the other; `single`: one login alters itself.
 */
export type Mode = 'pair' | 'clone' | 'twin' | 'single'

export interface Halves {
  readonly mode: Mode
  /** The logins that take turns; for a clone the base comes first. One only in mode single. */
  readonly names: readonly string[]
  /** The reference of the admin secret. */
  readonly admin?: string | undefined
  /** What our comment on a role says; names one secret, so that a second one with the same pair is noticed. */
  readonly mark: string
}

/** A credential's document, and how its logins take turns. Throws `invalid/*`, `unsupported/engine`. */
export function readCredential(text: SecretText, metadata: Context): { document: DatabaseDocument; halves: Halves } {
  const document = parseDocument(text)
  if (document.ssl === false)
    throw new KeyturnError(
      'invalid/tls',
      'the secret says ssl: false; keyturn never logs in without TLS: remove ssl, or set it to true'
    )
  return { document, halves: halvesOf(document, metadata) }
}

export function halvesOf(document: DatabaseDocument, metadata: Context): Halves {
  const pair = agreedPair(document.pair, metadata.pair)
  const admin = document.masterarn ?? metadata.admin
  const { username } = document
  const mode = pair ? (admin === undefined ? 'twin' : 'pair') : admin === undefined ? 'single' : 'clone'
  const names = pair ?? (mode === 'clone' ? baseAndClone(username) : [username])
  for (const name of names) checkName(name)
  if (pair && (pair[0] === pair[1] || !pair.includes(username)))
    throw new KeyturnError('invalid/pair', 'the pair must name two different logins, one of them the username')
  return { mode, names, admin, mark: markOf(names, metadata.secret) }
}

/** The half that `name` is not. */
export function otherHalf(halves: Halves, name: string): string {
  return halves.names.find((half) => half !== name) ?? name
}

/** `app_clone`, as AWS's multi-user templates name it. */
export const CLONE_SUFFIX = '_clone'

/**
 * A name that ends in the suffix is taken for the clone, as AWS does; that its base really is its base is checked against
 * the server before anything is changed (AWS does not, and changes an unrelated role's password).
 */
function baseAndClone(username: string): readonly [string, string] {
  const base = username.slice(0, -CLONE_SUFFIX.length)
  return username.endsWith(CLONE_SUFFIX) && base !== '' ? [base, username] : [username, username + CLONE_SUFFIX]
}

/** Postgres cuts names at 63 bytes (NAMEDATALEN), not characters; a cut clone may be the base itself. */
function checkName(name: string): void {
  if (name === '' || name.includes('\0')) throw new KeyturnError('invalid/name', 'a role name is empty or holds a NUL')
  const bytes = Buffer.byteLength(name, 'utf8')
  if (bytes > 63) throw new KeyturnError('invalid/name', `the role name ${name} is ${bytes} bytes long, Postgres cuts at 63`)
}

function agreedPair(
  document: readonly [string, string] | undefined,
  metadata: readonly [string, string] | undefined
): readonly [string, string] | undefined {
  if (document && metadata && [...document].sort().join('\0') !== [...metadata].sort().join('\0'))
    throw new KeyturnError('invalid/pair', 'the document and the metadata name different pairs')
  return document ?? metadata
}

/**
 * The advisory lock's key: the two names, so that two secrets with one pair exclude each other. Half of a SHA-256 and not
 * hashtext(), which differs between versions of the server.
 */
export function lockKey(halves: Halves): string {
  const digest = createHash('sha256')
    .update(['keyturn', ...[...halves.names].sort()].join('\0'))
    .digest()
  return digest.readBigInt64BE(0).toString()
}

const MARK = /^keyturn: pair=(.*) secret=(\S*)(?: (set|healed|retired)=(\S*))?$/m

function markOf(names: readonly string[], secret: string | undefined): string {
  const id = secret === undefined ? '-' : encodeText(secret).replaceAll(' ', '=20')
  return `keyturn: pair=${[...names].sort().map(encodeText).join('/')} secret=${id}`
}

export type Last = 'set' | 'healed' | 'retired'

/** Our line in a role's comment. */
export interface Mark {
  readonly pair: readonly string[]
  readonly secret: string
  /** What happened to the password last, and when by the server's clock: to be compared with other marks only. */
  readonly last: Last | undefined
  readonly at: string
}

/**
 * The record on a role that it is ours: a line in its comment, beside what a person wrote there. It is the only place a
 * role has for it, and world-readable, so it holds names and a time only.
 */
export function readMark(comment: string | null): Mark | undefined {
  const found = MARK.exec(comment ?? '')
  if (!found) return undefined
  const [, pair = '', secret = '', last, at = ''] = found
  return { pair: pair.split('/').map(decodeText), secret, last: last as Last | undefined, at }
}

export function standingOf(comment: string | null, halves: Halves): 'ours' | 'unmarked' | 'foreign' {
  const [found, own] = [readMark(comment), readMark(halves.mark)]
  if (!found || !own) return 'unmarked'
  const sameSecret = found.secret === own.secret || found.secret === '-' || own.secret === '-'
  return found.pair.join('\0') === own.pair.join('\0') && sameSecret ? 'ours' : 'foreign'
}

/** The comment with our line put in, or renewed. It changes with every password: readers wait for that. */
export function markedComment(comment: string | null, halves: Halves, last?: Last, at?: string): string {
  const others = (comment ?? '').split('\n').filter((line) => line !== '' && !MARK.test(line))
  // Who does not know the secret's id must not take away that another run did.
  const known = readMark(comment)
  const mark =
    known && readMark(halves.mark)?.secret === '-' ? halves.mark.replace(/secret=-$/, `secret=${known.secret}`) : halves.mark
  return [...others, last === undefined ? mark : `${mark} ${last}=${at}`].join('\n')
}
