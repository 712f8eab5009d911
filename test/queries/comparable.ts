import type { Finding } from '../../shared/audit/finding.ts'
import type { Access } from '../../shared/audit/summary.ts'
import type { AccessRow, Question, SignalRow } from '../../shared/ports/audit-query.ts'

type Said = Omit<SignalRow, 'store' | 'breadth' | 'takenAt'> & { readonly how: string }

/** What a row and a finding have in common, in an order of its own. */
export const ofRows = (rows: readonly SignalRow[]): readonly Said[] =>
  sorted(
    rows.map(({ store: _, breadth, takenAt, ...rest }) => ({ ...rest, how: howOf(rest.signal, breadth, takenAt, rest.first) }))
  )

/** What the engine says in words only: how many things, and whether a login was taken afterwards. */
export const ofFindings = (findings: readonly Finding[], question: Question): readonly Said[] =>
  sorted(
    findings
      .filter(({ signal }) => signal === question)
      .map(({ subject, account, first, last, count, observed, usual, why, severity }) => ({
        ...{
          signal: question,
          account: account ?? '',
          identity: subject.identity ?? '',
          identityName: subject.identityName ?? ''
        },
        ...{ secret: subject.secret ?? '', secretName: subject.secretName ?? '', address: subject.address ?? '' },
        ...{ network: subject.network ?? '', source: subject.source ?? '', first, last, count, observed, usual },
        how: saidHow(question, why, severity)
      }))
  )

function howOf(question: Question, breadth: number | undefined, takenAt: number | undefined, first: number): string {
  if (question === 'denied') return `${breadth} things`
  return question === 'failed-logins' ? `${breadth} accounts, ${(takenAt ?? 0) >= first ? 'taken' : 'not taken'}` : ''
}

function saidHow(question: Question, why: string, severity: string): string {
  const [, count] = /for (\d+) different/.exec(why) ?? []
  if (question === 'denied') return `${count} things`
  return question === 'failed-logins' ? `${count} accounts, ${severity === 'critical' ? 'taken' : 'not taken'}` : ''
}

export const ofAccess = (rows: readonly (Access | AccessRow)[]): readonly Access[] => sorted(rows)

const sorted = <T>(rows: readonly T[]): readonly T[] => {
  const keyed = rows.map((row) => [JSON.stringify(row, Object.keys(row as object).sort()), row] as const)
  return keyed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}
