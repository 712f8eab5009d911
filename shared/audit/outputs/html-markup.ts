/** Text that is HTML already. Nothing that was read from a log can be one: the key of its only member is no text. */
export interface Markup {
  readonly [MARKUP]: string
}

const MARKUP = Symbol('markup')

export type Part = string | number | Markup | undefined | readonly Part[]

/** Names in a log may be of any length; of more characters than this the rest is counted and left away. */
export const MOST_CHARACTERS = 400

/** HTML with what is put into it escaped, in text and in quoted attributes alike. Undefined is nothing; a list is joined. */
export const html = (parts: TemplateStringsArray, ...values: readonly Part[]): Markup =>
  trusted(parts.reduce((text, part, at) => text + part + (at < values.length ? markupOf(values[at]) : ''), ''))

/** For what this program has made itself: paths of a chart, its own style and script. */
export const trusted = (text: string): Markup => ({ [MARKUP]: text })

export const textOf = (markup: Markup): string => markup[MARKUP]

export const join = (parts: readonly Part[], between: string): Part =>
  parts.flatMap((part, at) => (at === 0 ? [part] : [between, part]))

function markupOf(part: Part): string {
  if (part === undefined) return ''
  if (typeof part === 'number') return `${part}`
  if (typeof part === 'string') return escaped(visible(shortened(part)))
  return MARKUP in part ? part[MARKUP] : part.map(markupOf).join('')
}

export const shortened = (text: string): string =>
  text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}… (${text.length} characters)`

/**
 * What has no shape of its own, and what turns the direction of the line, is written as its code point: a name that hides
 * its end (Unicode TR 36, "bidirectional text spoofing") is read as it is.
 */
export const visible = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, (found) => {
    const code = found.codePointAt(0) ?? 0
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`
  })

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;'
}

const escaped = (text: string): string => text.replaceAll(/[&<>"'`]/g, (found) => ESCAPES[found] ?? '')
