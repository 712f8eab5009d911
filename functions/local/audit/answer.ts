import type { Finding, Severity } from '../../../shared/audit/finding.ts'
import { SEVERITIES } from '../../../shared/audit/finding.ts'
import { visible } from '../../../shared/audit/outputs/html-markup.ts'
import { SIGNALS } from '../../../shared/audit/signals.ts'
import type { Coverage, Summary } from '../../../shared/audit/summary.ts'
import { instant } from '../../../shared/types.ts'
import { clock, plural } from '../humane.ts'
import { type Paint, table } from '../output.ts'
import { bytesText } from './reading-progress.ts'

const COLOURS = { critical: 'red', high: 'red', medium: 'yellow', low: 'cyan' } as const satisfies Record<Severity, string>

/** More of a table than this is for --html, --csv or --json. */
const MOST_ROWS = 20

/** The answer for eyes: what was read, what was found, what is overdue, and what cannot be said. */
export function summaryText(summary: Summary, paint: Paint): string {
  const { findings, inventory, rotation, drift, orphans } = summary
  const overdue = rotation.filter(({ state }) => state === 'overdue' || state === 'failing' || state === 'never')
  const changed = drift.filter(({ state }) => state !== 'same')
  const parts = [
    coverageText(summary, paint),
    findings.length === 0
      ? noFindings(summary, paint)
      : `${SEVERITIES.toReversed()
          .flatMap((severity) => counted(findings, severity, paint))
          .join(', ')}\n${findings
          .slice(0, MOST_ROWS)
          .map((one) => findingText(one, paint))
          .join('\n')}${more(findings.length, 'finding')}`,
    section(
      'rotation',
      overdue.map(({ secret, state, why }) => [secret, state, why]),
      ['secret', 'state', 'why'],
      paint
    ),
    section(
      'policies changed since the last review',
      changed.map((row) => [row.policy, row.changedBy, clock(instant(row.changedAt)), row.state]),
      ['policy', 'by', 'at', 'state'],
      paint
    ),
    section(
      'secrets that nobody reads',
      orphans.map(({ secret, why }) => [secret, why]),
      ['secret', 'why'],
      paint
    ),
    `${plural(inventory.length, 'pair')} of identity and secret in the inventory (--csv, --html)`,
    limits(summary.coverage, paint)
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

const counted = (findings: readonly Finding[], severity: Severity, paint: Paint): readonly string[] => {
  const count = findings.filter((one) => one.severity === severity).length
  return count === 0 ? [] : [paint(COLOURS[severity], `${count} ${severity}`)]
}

function coverageText({ coverage, period }: Summary, paint: Paint): string {
  const { sources, events, records, bytes } = coverage
  const when =
    period.first === undefined || period.last === undefined
      ? ''
      : `, from ${clock(instant(period.first))} to ${clock(instant(period.last))}`
  return `${paint('bold', plural(events, 'event'))} of ${plural(records, 'record')} in ${plural(sources.length, 'log')} (${bytesText(bytes)})${when}`
}

/** Never green because little was seen. */
const noFindings = ({ coverage }: Summary, paint: Paint): string =>
  coverage.events === 0
    ? paint('yellow', 'nothing was read that says anything of secrets')
    : coverage.learning.length > 0
      ? paint('yellow', 'no finding yet: what is usual is still learned')
      : paint('green', 'no finding')

function findingText({ severity, signal, title, why, evidence, todo }: Finding, paint: Paint): string {
  const ids = evidence.length === 0 ? '' : `\n  ${paint('dim', `events: ${evidence.map(visible).join(' ')}`)}`
  return `${paint(COLOURS[severity], severity.padEnd(8))} ${paint('bold', visible(title))} ${paint('dim', `[${signal}]`)}\n  ${visible(why)}${ids}\n  ${paint('dim', 'what to do')}: ${todo}`
}

const more = (count: number, noun: string): string => (count > MOST_ROWS ? `\n… and ${plural(count - MOST_ROWS, noun)} more` : '')

function section(title: string, rows: readonly (readonly string[])[], head: readonly string[], paint: Paint): string {
  if (rows.length === 0) return ''
  const shown = rows.slice(0, MOST_ROWS).map((row) => row.map(visible))
  return `${paint('bold', title)}\n${table(head, shown, paint)}${more(rows.length, 'row')}`
}

function limits({ learning, gaps, damage }: Coverage, paint: Paint): string {
  const lines = [
    ...learning.map(({ signal, until, why }) => `${signal} is learning until ${clock(instant(until))}: ${why}`),
    ...gaps.map(({ text }) => text),
    ...damage.map(({ source, offset, why }) => `${source}, byte ${offset}: ${why}`)
  ]
  return lines.length === 0
    ? ''
    : `${paint('bold', 'what this rests on')}\n${lines.map((line) => `  ${visible(line)}`).join('\n')}`
}

export const signalRows = () =>
  SIGNALS.map(({ name, question, severity, technique, todo }) => ({ name, question, severity, technique, todo }))

export const signalsText = (paint: Paint): string =>
  table(
    ['signal', 'question', 'severity', 'MITRE'],
    SIGNALS.map(({ name, question, severity, technique }) => [name, question, severity, technique]),
    paint
  )
