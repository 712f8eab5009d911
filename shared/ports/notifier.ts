/** What people are told. Names and addresses, never a value. */
export interface Notice {
  /** The same for the same news: receivers, and channels that can, drop a repeat. 1 to 128 characters of [A-Za-z0-9-]. */
  readonly id: string
  readonly severity: 'low' | 'medium' | 'high' | 'critical'
  /** One line, at most 200 characters. */
  readonly title: string
  /** Lines of plain text. May hold what a log says: a channel escapes it for its own markup. */
  readonly lines: readonly string[]
  /** What a program asks for: flat, small, strings only. */
  readonly fields: Readonly<Record<string, string>>
  /** Where more is, or undefined. */
  readonly link: string | undefined
  /** Milliseconds since the epoch. */
  readonly at: number
}

/**
 * One channel to people or programs. At least once: a repeat of an id may arrive twice, and says the same. Throws
 * KeyturnError of class `denied`, `throttled`, `unavailable` or `invalid/notice` (longer than the channel takes even when cut).
 */
export interface Notifier {
  /** For reports: `sns:alerts`, `slack`. Never an address that is a secret itself (a webhook's URL). */
  readonly name: string
  send(notice: Notice, signal: AbortSignal): Promise<void>
}
