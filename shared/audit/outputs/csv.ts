import { controlsOf, type Framework } from '../controls.ts'
import type { Access } from '../summary.ts'
import { isoTime } from './about.ts'

type Column = readonly [head: string, cell: (row: Access) => string | number]

const COLUMNS: readonly Column[] = [
  ['identity', ({ identity }) => identity],
  ['identity_name', ({ identityName }) => identityName],
  ['identity_type', ({ identityType }) => identityType],
  ['secret', ({ secret }) => secret],
  ['secret_name', ({ secretName }) => secretName],
  ['store', ({ store }) => store],
  ['account', ({ account }) => account],
  ['first', ({ first }) => isoTime(first)],
  ['last', ({ last }) => isoTime(last)],
  ['reads', ({ reads }) => reads],
  ['writes', ({ writes }) => writes],
  ['denied', ({ denied }) => denied]
]

/**
 * The inventory as RFC 4180 has it, in UTF-8 without a mark: a head and a line for each identity and secret, CRLF behind
 * each. Lines, so that a large one is never a single text. A text that a spreadsheet would take for a formula has an
 * apostrophe before it (OWASP, "CSV Injection"), which is then part of the cell: take such names from the JSON.
 */
export function* inventoryCsv(inventory: readonly Access[], framework?: Framework): Generator<string> {
  const controls = controlsOf('inventory', framework).join('; ')
  yield line([...COLUMNS.map(([head]) => head), 'controls'])
  for (const row of inventory) yield line([...COLUMNS.map(([, cell]) => cell(row)), controls])
}

const line = (cells: readonly (string | number)[]): string => `${cells.map(cellOf).join(',')}\r\n`

const cellOf = (value: string | number): string => (typeof value === 'number' ? String(value) : quoted(value))

/** Every text is quoted: an apostrophe helps only where a `;` or a line break does not begin another cell. */
const quoted = (text: string): string => `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`

/** `=`, `+`, `-` and `@`, also in full width and behind spaces that a spreadsheet drops; tab, CR and LF by themselves. */
const FORMULA = /^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/u
