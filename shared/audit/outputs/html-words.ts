import { html, type Markup } from './html-markup.ts'

const GROUPED = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })
const COMPACT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 2 })
const DAY_AND_HOUR = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC'
})
const MONTH = new Intl.DateTimeFormat('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' })

export const grouped = (count: number): string => GROUPED.format(count)

/** In two figures, where there is no room: `1.2K`. */
export const compact = (count: number): string => COMPACT.format(count)

/** `1 finding`, `2 findings`. */
export const many = (count: number, one: string, more = `${one}s`): string => `${grouped(count)} ${count === 1 ? one : more}`

/** `1 August 2026 at 23:00 UTC`. */
export const longTime = (at: number): string => (isDate(at) ? `${DAY_AND_HOUR.format(at)} UTC` : NO_DATE)

export const monthName = (at: number): string => (isDate(at) ? MONTH.format(at) : NO_DATE)

/** `2026-08-01`. */
export const dayOf = (at: number): string => isoOf(at).slice(0, 10)

/** `2026-08-01 23:00`. */
export const minuteOf = (at: number): string => isoOf(at).slice(0, 16).replace('T', ' ')

/** `2026-08-01 23:00`, with the whole of it for a program. UTC, as everything but the hours of the week. */
export const timeMark = (at: number | undefined): Markup =>
  at === undefined ? html`<span class="none">–</span>` : html`<time datetime="${isoOf(at)}">${minuteOf(at)}</time>`

export const dayMark = (at: number | undefined): Markup =>
  at === undefined ? html`<span class="none">–</span>` : html`<time datetime="${isoOf(at)}">${dayOf(at)}</time>`

const NO_DATE = 'no date'

/** Within what ECMAScript calls a time value: beyond it Date throws, and a damaged log may have any number. */
const isDate = (at: number): boolean => Math.abs(at) <= 8.64e15

const isoOf = (at: number): string => (isDate(at) ? new Date(at).toISOString() : NO_DATE)

const UNITS = [
  [86_400, 'days'],
  [3_600, 'h'],
  [60, 'min']
] as const

/** Of seconds: `35.3 h`. */
export function spanText(seconds: number): string {
  if (seconds === Number.POSITIVE_INFINITY) return 'without end'
  const [size, unit] = UNITS.find(([least]) => seconds >= 2 * least) ?? [1, 's']
  return `${grouped(Math.round((seconds / size) * 10) / 10)} ${unit}`
}

/** Of bytes: `1.8 GB`. */
export function bytesText(bytes: number): string {
  const power = Math.min(4, Math.floor(Math.log10(Math.max(bytes, 1)) / 3))
  return `${grouped(Math.round((bytes / 1_000 ** power) * 10) / 10)} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`
}

/** A name as the log has it, held apart from the direction of the text around it. */
export const name = (text: string): Markup => html`<bdi>${text}</bdi>`
