import { type Found, find, typeOf } from './google-secrets-proto.ts'
import { invalid, type Json } from './google-secrets-state.ts'

type Predicate = (message: Json) => boolean

/**
 * The filter of a list: docs.cloud.google.com/secret-manager/docs/filtering (its examples work here) and AIP-160 behind it:
 * `OR` binds tighter than `AND`, `:` is "has", `:*` "is set and not empty", `*` inside a value any text; no regular
 * expressions. `name` is the whole resource name. A field that the message does not have is refused; how the service
 * says that is not known.
 */
export function filterOf(text: string, messageName: 'Secret' | 'SecretVersion'): Predicate {
  const of = find(messageName)
  if (!of) throw new Error(`double: no message ${messageName}`)
  const reader: Reader = { text, at: 0, of }
  const predicate = all(reader)
  skip(reader)
  if (reader.at < text.length) throw syntax(reader)
  return predicate
}

interface Reader {
  readonly text: string
  at: number
  readonly of: Found
}

/** googleapis/google-cloud-dotnet#10639 shows the words. */
const syntax = ({ text, at }: Reader): Error => invalid(`syntax error at line 1, column ${at}, token '${text[at] ?? ''}'`)
const skip = (r: Reader): void => void take(r, /\s*/y)

function take(r: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = r.at
  const found = pattern.exec(r.text)?.[0]
  if (found !== undefined) r.at += found.length
  return found
}

const word = (r: Reader, keyword: string): boolean => {
  skip(r)
  return take(r, new RegExp(`${keyword}(?=[\\s()]|$)`, 'y')) !== undefined
}

/** Terms side by side are all wanted, with AND or without. */
function all(r: Reader): Predicate {
  const parts = [some(r)]
  for (;;) {
    const joined = word(r, 'AND')
    skip(r)
    if (!joined && (r.at >= r.text.length || r.text[r.at] === ')')) return (m) => parts.every((p) => p(m))
    parts.push(some(r))
  }
}

function some(r: Reader): Predicate {
  const parts = [term(r)]
  while (word(r, 'OR')) parts.push(term(r))
  return (m) => parts.some((p) => p(m))
}

function term(r: Reader): Predicate {
  const negated = word(r, 'NOT') || take(r, /-/y) !== undefined
  skip(r)
  const inner = take(r, /\(/y) === undefined ? restriction(r) : closed(r, all(r))
  return negated ? (m) => !inner(m) : inner
}

function closed<T>(r: Reader, inner: T): T {
  skip(r)
  if (take(r, /\)/y) === undefined) throw syntax(r)
  return inner
}

function restriction(r: Reader): Predicate {
  const start = r.at
  const field = take(r, /[A-Za-z_][\w.-]*/y)
  skip(r)
  const operator = take(r, /<=|>=|!=|[=<>:]/y)
  if (field === undefined || operator === undefined) throw syntax(r)
  const path = pathOf({ ...r, at: start }, field)
  skip(r)
  if (take(r, /\(/y) === undefined) return comparison(path, operator, value(r))
  const values = [value(r)]
  while (word(r, 'OR')) values.push(value(r))
  const parts = closed(r, values).map((v) => comparison(path, operator, v))
  return (m) => parts.some((p) => p(m))
}

function value(r: Reader): string {
  skip(r)
  const quoted = take(r, /"(?:[^"\\]|\\.)*"/y)
  if (quoted !== undefined) return quoted.slice(1, -1).replace(/\\(.)/g, '$1')
  const plain = take(r, /[^\s()"]+/y)
  if (plain === undefined) throw syntax(r)
  return plain
}

function pathOf(r: Reader, field: string): readonly string[] {
  const path: string[] = []
  let of: Found | undefined = r.of
  for (const part of field.split('.')) {
    if (!of) {
      path.push(part)
      continue
    }
    const name = part.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase())
    const found: Parameters<typeof typeOf>[0] | undefined = of.type.fields?.[name]
    if (!found) throw syntax(r)
    path.push(name)
    of = found.keyType ? undefined : typeOf(found, of)
  }
  return path
}

/** A list of messages is searched through: `replication.user_managed.replicas.location`. */
function read(message: unknown, path: readonly string[]): readonly unknown[] {
  const [head, ...rest] = path
  if (Array.isArray(message)) return message.flatMap((m) => read(m, path))
  if (head === undefined) return message === undefined ? [] : [message]
  return typeof message === 'object' && message !== null ? read((message as Json)[head], rest) : []
}

function comparison(path: readonly string[], operator: string, wanted: string): Predicate {
  const test = tests(wanted)[operator] ?? (() => false)
  return operator === '!='
    ? (m) => !read(m, path).some((held) => tests(wanted)['=']?.(held))
    : (m) => read(m, path).some((held) => test(held))
}

const wild = (text: string, whole: boolean): RegExp => {
  const source = text
    .split('*')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*')
  return new RegExp(whole ? `^${source}$` : source, 'is')
}

const order = (held: unknown, wanted: string): number => {
  const [a, b] = [Date.parse(String(held)), Date.parse(wanted)]
  return Number.isNaN(a) || Number.isNaN(b) ? String(held).localeCompare(wanted) : a - b
}

const tests = (wanted: string): Readonly<Record<string, (held: unknown) => boolean>> => ({
  ':': (held) => {
    if (wanted === '*') return held !== ''
    if (typeof held === 'object' && held !== null) return wanted in held
    return wild(wanted, false).test(String(held))
  },
  '=': (held) => wild(wanted, true).test(String(held)),
  '<': (held) => order(held, wanted) < 0,
  '<=': (held) => order(held, wanted) <= 0,
  '>': (held) => order(held, wanted) > 0,
  '>=': (held) => order(held, wanted) >= 0
})
