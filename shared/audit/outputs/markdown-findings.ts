import { controlsOf, type Framework } from '../controls.ts'
import { type Finding, SEVERITIES } from '../finding.ts'
import { techniqueUrl } from './attack.ts'
import { countsOf } from './html-verdict.ts'
import { grouped, many, spanText } from './html-words.ts'
import { code, minuteOf, prose, table } from './markdown-text.ts'

/** So many findings are told, and so many rows of each report: nobody reads more. The JSON has all. */
export const MOST_ROWS = 100

/** A list of the findings, then each of them in full. */
export function findingsSection(findings: readonly Finding[], framework: Framework | undefined): readonly string[] {
  if (findings.length === 0) return []
  const told = findings.slice(0, MOST_ROWS)
  const rows = told.map(({ severity, signal, title, last, count }) => [
    severity,
    signal,
    prose(title),
    minuteOf(last),
    grouped(count)
  ])
  return [
    '## Findings',
    countsText(findings),
    table(['severity', 'signal', 'what', 'last seen', 'events'], rows),
    ...leftAway(findings.length),
    ...told.map((one) => findingMarkdown(one, framework))
  ]
}

/** One finding, for a ticket of its own: a heading of the third level and a list. */
export function findingMarkdown(one: Finding, framework?: Framework): string {
  const { severity, signal, title, why, subject, first, last, count, evidence, technique, todo, account, store } = one
  const facts: readonly (readonly [label: string, text: string])[] = [
    ['Why', prose(why)],
    ['What to do', prose(todo)],
    ...subjectOf(subject),
    ...(store === undefined ? [] : [['Store', `${store} ${code(account ?? '')}`] as const]),
    ['Seen', `${minuteOf(first)} to ${minuteOf(last)} UTC, ${many(count, 'event')}`],
    ...measured(one),
    ['Events in the log', evidence.map(code).join(', ')],
    ['MITRE ATT&CK', techniqueLink(technique)],
    ['Controls', controlsOf(signal, framework).join(', ')],
    ['Finding', code(one.id)]
  ]
  return [`### ${severity}: ${prose(title)}`, facts.map(([label, text]) => `- **${label}:** ${text}`).join('\n')].join('\n\n')
}

const SUBJECT = [
  ['Identity', 'identityName', 'identity'],
  ['Secret', 'secretName', 'secret'],
  ['Address', 'address', undefined],
  ['Network', 'network', undefined],
  ['Policy', 'policy', undefined],
  ['Source', 'source', undefined]
] as const

const subjectOf = (subject: Finding['subject']): readonly (readonly [string, string])[] =>
  SUBJECT.flatMap(([label, name, key]) => {
    const id = key && subject[key]
    const text = subject[name] ?? id
    if (text === undefined) return []
    return [[label, id === undefined || id === text ? code(text) : `${code(text)} (${code(id)})`] as const]
  })

const measured = ({ observed, usual, unit }: Finding): readonly (readonly [string, string])[] => {
  if (observed === undefined) return []
  const text = (value: number): string => (unit === 's' ? spanText(value) : `${grouped(value)} ${unit ?? ''}`)
  return [['Measured', `${prose(text(observed))}${usual === undefined ? '' : `; usual: ${prose(text(usual))}`}`]]
}

const techniqueLink = (technique: string): string =>
  /^T\d{4}(\.\d{3})?$/.test(technique) ? `[${technique}](${techniqueUrl(technique)})` : code(technique)

const countsText = (findings: readonly Finding[]): string => {
  const counts = countsOf(findings)
  return SEVERITIES.toReversed()
    .map((severity) => `**${counts[severity]}** ${severity}`)
    .join(' · ')
}

/** Said wherever less is told than there is. */
export const leftAway = (count: number): readonly string[] =>
  count > MOST_ROWS ? [`${grouped(count - MOST_ROWS)} more are left away here; the JSON has all.`] : []
