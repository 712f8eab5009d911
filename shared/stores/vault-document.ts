import { visit } from 'jsonc-parser'
import { KeyturnError } from '../errors.ts'
import { SecretText } from '../types.ts'

/** The data of one version, as KV version 2 keeps it: an object, whose fields applications read by their names. */
export type KvData = Readonly<Record<string, unknown>>

/**
 * A document that is a JSON object is kept as its fields (`vault kv get -field=password`); any other text under this one
 * field. `value`, which people use for the same, would make their own `{"value": …}` ambiguous.
 */
export const TEXT_FIELD = 'keyturn-text'

/** The text of a version's data: the same for equal fields, whatever their order. */
export function textOf(data: KvData): SecretText {
  const text = data[TEXT_FIELD]
  return new SecretText(typeof text === 'string' && Object.keys(data).length === 1 ? text : canonical(data))
}

/** The data that `textOf` gives back as this text. */
export const dataOf = (text: SecretText): KvData => objectIn(text.reveal()) ?? { [TEXT_FIELD]: text.reveal() }

/**
 * A document as KV will give it back. Throws `invalid/document` for what KV would keep with another meaning: a name
 * given twice, a number that no double holds (Go's encoding/json reads float64), half a surrogate pair (it becomes
 * U+FFFD); and for what servers refuse by default: nesting (Vault's max_json_depth) and many texts (OpenBao's
 * max_request_json_strings, 1000 with those around the document).
 */
export function keptAs(document: SecretText): SecretText {
  const text = document.reveal()
  const data = objectIn(text)
  if (HALF_PAIR.test(text)) throw unfit('has half a surrogate pair')
  if (!data) return document
  if (typeof data[TEXT_FIELD] === 'string' && Object.keys(data).length === 1)
    throw unfit(`has ${TEXT_FIELD} as its only field, which stands for a text`)
  refuseChanged(text)
  return textOf(data)
}

const MAX_DEPTH = 64
const MAX_TEXTS = 900
const HALF_PAIR = /\p{Surrogate}/u

const unfit = (why: string): KeyturnError =>
  new KeyturnError('invalid/document', `the document cannot be kept in Vault KV: it ${why}`)

/** Throws from within: what is nested too deep is not walked to its end. */
function refuseChanged(text: string): void {
  const names: Set<string>[] = []
  let depth = 0
  let texts = 0
  const began = (): void => {
    depth += 1
    if (depth > MAX_DEPTH) throw unfit(`is nested deeper than ${MAX_DEPTH}`)
  }
  const counted = (value: string): void => {
    texts += 1
    if (texts > MAX_TEXTS) throw unfit(`has more than ${MAX_TEXTS} names and texts`)
    if (HALF_PAIR.test(value)) throw unfit('has half a surrogate pair')
  }
  visit(text, {
    onObjectBegin: () => {
      began()
      names.push(new Set())
    },
    onObjectEnd: () => {
      depth -= 1
      names.pop()
    },
    onArrayBegin: began,
    onArrayEnd: () => {
      depth -= 1
    },
    onObjectProperty: (name) => {
      counted(name)
      if (names.at(-1)?.has(name)) throw unfit('names a field twice')
      names.at(-1)?.add(name)
    },
    onLiteralValue: (value: unknown, offset, length) => {
      if (typeof value === 'string') counted(value)
      if (typeof value === 'number' && !isExact(text.slice(offset, offset + length)))
        throw unfit('has a number that no double can hold')
    }
  })
}

/** Whether a number is the same after it was a double. */
function isExact(literal: string): boolean {
  const value = Number(literal)
  return Number.isFinite(value) && decimal(literal) === decimal(String(value))
}

/** The same decimal, however it is written: its digits without zeros around them, and their exponent. */
function decimal(literal: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(literal) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
}

function objectIn(text: string): KvData | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as KvData) : undefined
  } catch {
    return undefined
  }
}

/** Vault sorts names by their bytes, JavaScript puts numbers first: sorted here, so that neither shows. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`
}
