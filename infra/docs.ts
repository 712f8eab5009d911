import { readFile, writeFile } from 'node:fs/promises'
import { CODES } from '../shared/errors.ts'
import { PHASES } from '../shared/rotation/machine.ts'

/** A part of the README that repeats the code: written from it, between `<!-- name -->` and `<!-- /name -->`. */
export type Section = readonly [name: string, text: () => string]

const cell = (text: string): string => text.replaceAll('|', '\\|')

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const phases = (): string =>
  markdownTable(
    ['phase', 'readers hold', 'target takes', 'step', 'killed in it'],
    PHASES.map((r) => [`\`${r.phase}\``, r.readers, r.target, r.does, r.dying])
  )

const codes = (): string =>
  markdownTable(
    ['code', 'try again?', 'what to do'],
    Object.entries(CODES).map(([code, [retryable, todo]]) => [`\`${code}\``, retryable ? 'yes' : 'no', todo])
  )

export const SECTIONS: readonly Section[] = [
  ['phases', phases],
  ['codes', codes]
]

/** The text with every section written anew. Throws when a marker is missing: a table must not vanish unseen. */
export function generated(text: string, sections: readonly Section[] = SECTIONS): string {
  return sections.reduce((before, [name, write]) => {
    const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
    const [from, to] = [before.indexOf(open), before.indexOf(close)]
    if (from < 0 || to < from) throw new Error(`README.md has no section ${open} … ${close}`)
    return `${before.slice(0, from + open.length)}\n${write()}\n${before.slice(to)}`
  }, text)
}

if (import.meta.main) await writeFile('README.md', generated(await readFile('README.md', 'utf8')))
