import { KeyturnError } from '../errors.ts'
import type { Notice } from '../ports/notifier.ts'

/** A notice as a program reads it: the JSON of every channel that has no form of its own. */
export interface NoticeJson {
  readonly id: string
  readonly severity: Notice['severity']
  readonly title: string
  readonly lines: readonly string[]
  readonly fields: Readonly<Record<string, string>>
  readonly link: string | null
  /** ISO 8601. */
  readonly at: string
}

export const noticeJson = ({ id, severity, title, lines, fields, link, at }: Notice): NoticeJson => ({
  ...{ id, severity, title, lines, fields },
  link: link ?? null,
  at: new Date(at).toISOString()
})

/** A notice as people read it where there is no markup. */
export function noticeText(notice: Notice): string {
  const link = notice.link === undefined ? [] : [notice.link, '']
  return [notice.title, '', ...notice.lines, '', ...link, ...factsOf(notice)].join('\n')
}

/** What a program asks for, a line each, for people. */
export const factsOf = ({ id, severity, fields, at }: Notice): readonly string[] =>
  Object.entries({ ...fields, severity, at: new Date(at).toISOString(), id }).map(([name, value]) => `${name}: ${value}`)

/** What subscriptions filter by: the id and the severity, whatever the fields say, and as many fields as the channel takes. */
export function attributesOf(
  { id, severity, fields }: Notice,
  most: number,
  isTaken: (name: string, value: string) => boolean
): readonly (readonly [name: string, value: string])[] {
  const others = Object.entries(fields).filter(([name, value]) => !['id', 'severity'].includes(name) && isTaken(name, value))
  return [['id', id] as const, ['severity', severity] as const, ...others].slice(0, most)
}

/**
 * Control characters end a line or move a terminal’s cursor; the bidirectional ones (UAX #9) make a text look like another. Some
 * channels refuse such characters, and SQS behind SNS drops the message (API_SendMessage, MessageBody). None belongs in a name.
 */
const UNSEEN = /[\p{Cc}\u2028\u2029\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFFFE\uFFFF]+/gu

/** One line of well-formed text. */
const line = (text: string): string => Buffer.from(text, 'utf8').toString('utf8').replaceAll(UNSEEN, ' ')

const MOST_TITLE = 200

/** The notice with every text as one plain line each. Throws `invalid/notice` for an id that channels do not take. */
export function plain(notice: Notice): Notice {
  if (!/^[A-Za-z0-9-]{1,128}$/.test(notice.id))
    throw new KeyturnError('invalid/notice', 'the id of a notice must be 1 to 128 characters of A-Z, a-z, 0-9 and -')
  return {
    ...notice,
    title: cut(line(notice.title), MOST_TITLE),
    lines: notice.lines.map(line),
    fields: Object.fromEntries(Object.entries(notice.fields).map(([name, value]) => [line(name), line(value)])),
    link: notice.link === undefined ? undefined : line(notice.link)
  }
}

/** No longer than so, with `…` where something was cut off, and no half of a character. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text
  return `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

/** A line of this length was written to be read. */
const MOST_LINE = 2_000

/**
 * As much of the notice as a channel takes, with a note of what was cut: first lines of more than 2,000 characters, then the last
 * ones. Throws `invalid/notice` where it is too long without any.
 */
export function fitted(notice: Notice, fits: (notice: Notice) => boolean): Notice {
  if (fits(notice)) return notice
  const lines = notice.lines.map((one) => cut(one, MOST_LINE))
  const withFirst = (count: number): Notice => ({ ...notice, lines: [...lines.slice(0, count), noteOf(lines.length - count)] })
  if (!fits(withFirst(0))) throw new KeyturnError('invalid/notice', 'the title and the fields alone are too long')
  let [most, tooMany] = [0, lines.length + 1]
  while (tooMany - most > 1) {
    const count = (most + tooMany) >> 1
    if (fits(withFirst(count))) most = count
    else tooMany = count
  }
  return withFirst(most)
}

const noteOf = (left: number): string =>
  left === 0
    ? '(lines of more than 2,000 characters were cut: the channel takes no more)'
    : `(${left} more ${left === 1 ? 'line was' : 'lines were'} cut: the channel takes no more)`
