import { styleText } from 'node:util'
import Table from 'cli-table3'
import type { Failure } from '../../shared/report.ts'

/** Colours a text where the reader is a terminal. */
export type Paint = (format: Parameters<typeof styleText>[0], text: string) => string

export const painter =
  (colours: boolean): Paint =>
  (format, text) =>
    colours ? styleText(format, text, { validateStream: false }) : text

/** A table without lines, for eyes; programs take --json. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string {
  const printed = new Table({
    head: head.map((title) => paint('bold', title)),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2, compact: true }
  })
  printed.push(...rows.map((row) => [...row]))
  return printed
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Two columns: what, and what about it. */
export const facts = (rows: readonly (readonly [string, string])[], paint: Paint): string =>
  table(
    [],
    rows.map(([name, value]) => [paint('dim', name), value]),
    paint
  )

export const failureText = ({ code, message, todo }: Failure, paint: Paint): string =>
  `${paint('red', code)}: ${message}\n${paint('dim', 'what to do')}: ${todo}`

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ''
}
