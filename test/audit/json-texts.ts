import fc from 'fast-check'
import { type Node, parseTree } from 'jsonc-parser'

/** JSON as a text, laid out in every way that RFC 8259 allows. */

export const PATHS = ['a', 'a.b', 'a.b.c', 'b', 'b.a', 'c.c', 'é', 'a.é.b', '__proto__.a', '🔑', 'ab'] as const

const PLAIN_NAMES = ['a', 'b', 'c', 'é', '🔑', '__proto__', '', 'aa', 'ab', 'A', 'a.b', '\ufeffa']
const NAMES = [...PLAIN_NAMES, '"', '\\', '\u0000', 'b\n']

const space = fc.constantFrom('', '', '', ' ', '\n', ' \t\r\n')
const around = (text: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.tuple(space, text, space).map((parts) => parts.join(''))

const hex = (text: string): string =>
  text
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
const SHORT = new Map(
  [...'"\\/']
    .map((mark) => [mark, `\\${mark}`] as const)
    .concat([
      ['\n', '\\n'],
      ['\t', '\\t']
    ])
)

/** A text in quotes, each of its characters spelled as itself, in short or in hex. */
const quoted = (text: string): fc.Arbitrary<string> => fc.tuple(...[...text].map(spelled)).map((all) => `"${all.join('')}"`)

function spelled(character: string): fc.Arbitrary<string> {
  const short = SHORT.get(character)
  const isPlain = character >= ' ' && character !== '"' && character !== '\\'
  const ways = [hex(character), hex(character).replace(/[a-f]/g, (digit) => digit.toUpperCase())]
  return fc.constantFrom(...(isPlain ? Array<string>(3).fill(character) : []), ...(short ? [short] : []), ...ways)
}

const scalar = fc.oneof(
  fc.constantFrom('null', 'true', 'false', '0', '-0', '1e5', '-12.50E-3', '123456789012345678901234567890'),
  fc.string({ maxLength: 8 }).chain(quoted),
  fc.constantFrom(...NAMES, '","a":1,"', '}', ']}', '\\', '\\"').chain(quoted)
)

const enclosed = (open: string, parts: readonly string[], close: string): fc.Arbitrary<string> =>
  space.map((inside) => `${open}${parts.length === 0 ? inside : parts.join(',')}${close}`)

function objectOf(name: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const { object } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, scalar, tie('object'), tie('list')),
    list: fc.array(around(tie('value')), { maxLength: 3 }).chain((parts) => enclosed('[', parts, ']')),
    object: fc.array(fc.tuple(around(name), around(tie('value'))), { maxLength: 6 }).chain((members) =>
      enclosed(
        '{',
        members.map((member) => member.join(':')),
        '}'
      )
    )
  }))
  return fc.tuple(space, object).map((parts) => parts.join(''))
}

/** Members of any name, each spelled in any way, as often as you like. */
export const jsonObject = objectOf(fc.constantFrom(...NAMES).chain(quoted))

/** Without escapes in names. */
export const plainKeyedObject = objectOf(fc.constantFrom(...PLAIN_NAMES).map((name) => `"${name}"`))

/** The text of the value at a path, by a parser that is not ours; of double members the last one's. */
export function textAt(json: string, path: string): string | undefined {
  let at: Node | undefined = parseTree(json)
  for (const member of path.split('.'))
    at =
      at?.type === 'object' ? at.children?.findLast(({ children }) => children?.[0]?.value === member)?.children?.[1] : undefined
  return at && json.slice(at.offset, at.offset + at.length)
}

/** In a list of one, so that a value that is there can be told from none. */
export function valueAt(value: unknown, path: string): readonly [unknown] | undefined {
  let at: unknown = value
  for (const member of path.split('.')) {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, member)) return undefined
    at = (at as Readonly<Record<string, unknown>>)[member]
  }
  return [at]
}

/** Bytes that tell which of them were read outside of [from, to). */
export function fenced(bytes: Uint8Array, from: number, to: number): { bytes: Uint8Array; outside: string[] } {
  const outside: string[] = []
  const get = (target: Uint8Array, key: string | symbol): unknown => {
    if (typeof key === 'string' && /^-?\d+$/.test(key) && !(Number(key) >= from && Number(key) < to)) outside.push(key)
    const member: unknown = Reflect.get(target, key, target)
    return typeof member === 'function' ? member.bind(target) : member
  }
  return { bytes: new Proxy(new Uint8Array(bytes), { get }), outside }
}
