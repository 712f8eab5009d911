import { expect } from 'vitest'
import { AUDIT_DEFAULTS } from '../../shared/audit/settings.ts'
import { KeyturnError } from '../../shared/errors.ts'
import type { Answered, Asked, AuditQuery, SignalRow } from '../../shared/ports/audit-query.ts'
import { SIGNAL_COLUMNS } from '../../shared/queries/asked.ts'

export const ASKED: Asked = {
  since: Date.UTC(2026, 6, 9),
  until: Date.UTC(2026, 6, 10),
  historyMs: 42 * 86_400_000,
  settings: AUDIT_DEFAULTS,
  mostRows: 5_000
}

export type Cell = string | number | null

/** As many rows as a service would answer with; each has its number as its identity. */
export const someRows = (count: number): readonly (readonly Cell[])[] =>
  Array.from({ length: count }, (_, at) =>
    SIGNAL_COLUMNS.map((name): Cell => {
      if (name === 'identity') return `i-${at}`
      if (name === 'usual') return 2.5
      return ['first_ms', 'last_ms', 'calls'].includes(name) ? at : ['observed', 'breadth', 'taken_ms'].includes(name) ? null : ''
    })
  )

export interface Heard {
  readonly rows: readonly SignalRow[]
  readonly answered: Answered
}

export async function heard(query: AuditQuery, asked = ASKED, signal = new AbortController().signal): Promise<Heard> {
  const rows: SignalRow[] = []
  const answered = await query.ask('denied', asked, (row) => rows.push(row), signal)
  return { rows, answered }
}

/** How a question failed. What a vendor says to people, and a token, are in none of it. */
export async function refusal(query: AuditQuery, signal = new AbortController().signal): Promise<KeyturnError> {
  const error = await heard(query, ASKED, signal).then(
    () => undefined,
    (e: unknown) => e
  )
  expect(error).toBeInstanceOf(KeyturnError)
  const { code, message, vendor, stack } = error as KeyturnError
  expect([code, message, vendor, stack].join('\n')).not.toMatch(/said to people|ya29|eyJ|AKIA/)
  return error as KeyturnError
}
