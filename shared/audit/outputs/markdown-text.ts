import { shortened, visible } from './html-markup.ts'

/**
 * Text of a log within a sentence, on one line: nothing in it is markup, a link or a mention. What a renderer finds in text
 * only after the markup was read (GFM's autolinks, mentions, issue numbers, emoji) no backslash stops: a word joiner, which
 * is not seen, parts it. Never the first thing on a line.
 */
export const prose = (text: string): string =>
  visible(shortened(text))
    .replaceAll(/[\\`*_[\]<>~&$]/g, '\\$&')
    .replaceAll('|', '&#124;')
    .replaceAll('@', '\u2060@')
    .replaceAll(/@|#|:(?=\/\/|[\w+-]+:)|www(?=\.)/gi, '$&\u2060')

/**
 * A name as the log has it, in a code span, where no renderer finds anything. A bar is written as its code point: what
 * `\|` means in the code span of a table differs between renderers when a backslash is before it.
 */
export function code(text: string): string {
  if (text === '') return '–'
  const shown = visible(shortened(text)).replaceAll('|', '⟨U+007C⟩')
  const fence = '`'.repeat(1 + Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length)))
  const space = /^[` ]|[` ]$/.test(shown) ? ' ' : ''
  return `${fence}${space}${shown}${space}${fence}`
}

/** A table of GFM; the cells are Markdown without line breaks or bars. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

/** `2026-08-01 23:00`, UTC; a dash where nobody knows. */
export const minuteOf = (at: number | undefined): string =>
  at === undefined ? '–' : new Date(at).toISOString().slice(0, 16).replace('T', ' ')
