import type { Answered, Asked, AuditQuery, Question, SignalRow } from '../ports/audit-query.ts'
import { accessRow, type Cells, checkedAsked, signalRow } from './asked.ts'

/** What is asked, in the language of one service. Each text asks for one row more than `mostRows`. */
export interface QueryTexts {
  readonly store: SignalRow['store']
  question(question: Question, asked: Asked): string
  inventory(asked: Asked): string
}

/** Runs a text and gives its rows as they come. */
export type RunText = (text: string, asked: Asked, each: (cells: Cells) => void, signal: AbortSignal) => Promise<Scanned>

/** Bytes that the service read, where it says so. */
export type Scanned = number | undefined

/** The questions in one service's language, asked by whoever can run a text of it. */
export function textQuery(name: string, texts: QueryTexts, run: RunText): AuditQuery {
  const answered = async (text: string, asked: Asked, each: (cells: Cells) => void, signal: AbortSignal): Promise<Answered> => {
    let rows = 0
    const scannedBytes = await run(
      text,
      asked,
      (cells) => {
        if (++rows <= asked.mostRows) each(cells)
      },
      signal
    )
    return { rows: Math.min(rows, asked.mostRows), isCapped: rows > asked.mostRows, scannedBytes }
  }
  return {
    name,
    ask: async (question, given, each, signal) => {
      const asked = checkedAsked(given)
      const row = (cells: Cells): void => each(signalRow(question, texts.store, cells))
      return answered(texts.question(question, asked), asked, row, signal)
    },
    inventory: async (given, each, signal) => {
      const asked = checkedAsked(given)
      return answered(texts.inventory(asked), asked, (cells) => each(accessRow(texts.store, cells)), signal)
    }
  }
}
