import { type Node, parseTree } from 'jsonc-parser'
import { KeyturnError } from './errors.ts'
import { SecretText } from './types.ts'

/** A value of the top level, and its place in the text. */
export type Member = { readonly value: unknown; readonly offset: number; readonly length: number }
export type Members = ReadonlyMap<string, Member>

/**
 * The members of the top level, with the place of each value in the text. `known`: the names that count, none of which may
 * be there twice. Throws `invalid/document`; JSON.parse quotes its input, so its message stays here.
 */
export function membersOf(text: SecretText, known: ReadonlySet<string>): Members {
  const source = text.reveal()
  const value = parsed(source)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new KeyturnError('invalid/document', 'the secret is JSON, but not an object')
  const members = new Map<string, Member>()
  for (const property of parseTree(source)?.children ?? []) {
    const [key, node] = (property.children ?? []) as readonly (Node | undefined)[]
    if (key === undefined || node === undefined) continue
    const name = String(key.value)
    // Readers disagree on which one counts: the first, or (JSON.parse) the last.
    if (members.has(name) && known.has(name)) throw new KeyturnError('invalid/document', `the secret names ${name} twice`)
    members.set(name, { value: (value as Record<string, unknown>)[name], offset: node.offset, length: node.length })
  }
  return members
}

/** Reads members one by one and names everything that is wrong at the end, together. */
export function reader(members: Members) {
  const wrong: string[] = []
  const read = <T>(key: string, want: string, check: (value: unknown) => T | undefined, fallback?: T): T | undefined => {
    const value = members.get(key)?.value
    // AWS's console and CloudFormation write null for "not given".
    if ((value === undefined || value === null) && fallback !== undefined) return fallback
    const found = check(value ?? undefined)
    if (found === undefined) wrong.push(`${key} ${want}`)
    return found
  }
  const optional = <T>(key: string, want: string, check: (value: unknown) => T | undefined): T | undefined =>
    (members.get(key)?.value ?? undefined) === undefined ? undefined : read(key, want, check)
  const end = <T>(found: { readonly [K in keyof T]: T[K] | undefined }): T => {
    if (wrong.length > 0) throw new KeyturnError('invalid/document', `the secret’s ${wrong.join('; ')}`)
    return found as T
  }
  return { read, optional, end }
}

/** The same text with other values of some members, and every other byte as it was. Throws `invalid/document` where one is missing. */
export function replaceMembers(
  text: SecretText,
  values: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>
): SecretText {
  const members = membersOf(text, known)
  const edits = Object.entries(values).map(([name, value]) => ({ name, value, at: members.get(name) }))
  const missing = edits.flatMap(({ name, at }) => (at ? [] : [name]))
  if (missing.length > 0) throw new KeyturnError('invalid/document', `the secret has no ${missing.join(' and no ')} to replace`)
  let result = text.reveal()
  for (const { value, at } of edits.sort((x, y) => (y.at?.offset ?? 0) - (x.at?.offset ?? 0)))
    if (at) result = result.slice(0, at.offset) + JSON.stringify(value) + result.slice(at.offset + at.length)
  return new SecretText(result)
}

function parsed(source: string): unknown {
  if (source.trim() === '') throw new KeyturnError('invalid/document', 'the secret is empty')
  try {
    return JSON.parse(source)
  } catch {
    throw new KeyturnError('invalid/document', 'the secret is not JSON')
  }
}

// Postgres ends every text of the startup message at a NUL, and an HTTP header takes none: what follows would be cut, not refused.
export const filled = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && !value.includes('\0') ? value : undefined

/** A text of a form. */
export const matching =
  (form: RegExp) =>
  (value: unknown): string | undefined =>
    typeof value === 'string' && form.test(value) ? value : undefined

export const secret = (value: unknown): SecretText | undefined => {
  const text = filled(value)
  return text === undefined ? undefined : new SecretText(text)
}
