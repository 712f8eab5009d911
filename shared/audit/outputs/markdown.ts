import { controlsIn, controlsNamed, FRAMEWORK_FACTS, FRAMEWORKS, type Framework } from '../controls.ts'
import type { Coverage, Period, Summary } from '../summary.ts'
import type { About } from './about.ts'
import { verdictOf } from './html-verdict.ts'
import { bytesText, grouped, many } from './html-words.ts'
import { findingsSection, leftAway, MOST_ROWS } from './markdown-findings.ts'
import { code, minuteOf, prose, table } from './markdown-text.ts'

/**
 * A summary in GitHub-flavoured Markdown, for who audits: findings, reports, what they rest on, and controls. Times are UTC.
 * A ticket is better made of one finding (`findingMarkdown`): trackers take 64 kB or less.
 */
export function auditMarkdown(summary: Summary, { version, generatedAt, framework }: About): string {
  const { text, thin } = verdictOf(summary)
  const blocks = [
    '# Audit of secrets',
    `**${text}**${thin.length > 0 ? ` What this rests on is thin: ${thin.join('; ')}.` : ''}`,
    periodText(summary.period, summary.coverage),
    ...findingsSection(summary.findings, framework),
    ...reports(summary, framework),
    ...coverageSection(summary.coverage),
    ...controlsSection(framework),
    `Made by keyturn ${prose(version)} at ${minuteOf(generatedAt)} UTC.`
  ]
  return `${blocks.join('\n\n')}\n`
}

const periodText = ({ since, until, first, last }: Period, { events, bytes, sources }: Coverage): string => {
  const asked = [
    ...(since === undefined ? [] : [`since ${minuteOf(since)} UTC`]),
    ...(until === undefined ? [] : [`until ${minuteOf(until)} UTC`])
  ]
  return [
    `- **Events:** ${grouped(events)} from ${many(sources.length, 'source')}, ${bytesText(bytes)}`,
    `- **First and last:** ${minuteOf(first)} to ${minuteOf(last)} UTC`,
    `- **Asked for:** ${asked.join(', ') || 'everything'}`
  ].join('\n')
}

type Rows = readonly (readonly string[])[]
type Named = (names: readonly string[]) => string

const reports = (summary: Summary, framework: Framework | undefined): readonly string[] => {
  const named: Named = (names) =>
    controlsNamed(names, framework)
      .map(({ name }) => name)
      .join(', ')
  return [
    ...rotationSection(summary, named),
    ...driftSection(summary, named),
    ...orphansSection(summary, named),
    ...inventorySection(summary),
    ...retentionSection(summary, named)
  ]
}

const rotationSection = ({ rotation }: Summary, named: Named): readonly string[] =>
  section(
    'Rotation',
    ['secret', 'store', 'state', 'last rotated', 'due', 'why', 'controls'],
    rotation.map((row) => [
      ...[code(row.secret), prose(row.store), row.state, minuteOf(row.lastRotated), minuteOf(row.due), prose(row.why)],
      named(row.controls)
    ])
  )

const driftSection = ({ drift }: Summary, named: Named): readonly string[] =>
  section(
    'Policies that changed',
    ['policy', 'store', 'account', 'state', 'changed', 'by', 'reviewed', 'reviewer', 'controls'],
    drift.map((row) => [
      ...[code(row.policy), row.store, code(row.account), row.state, minuteOf(row.changedAt), code(row.changedBy)],
      ...[minuteOf(row.reviewedAt), code(row.reviewer ?? ''), named(row.controls)]
    ])
  )

const orphansSection = ({ orphans }: Summary, named: Named): readonly string[] =>
  section(
    'Secrets that nobody reads',
    ['secret', 'store', 'last read', 'days', 'why', 'controls'],
    orphans.map((row) => [
      ...[code(row.secret), prose(row.store), minuteOf(row.lastRead), row.days === undefined ? '–' : grouped(row.days)],
      ...[prose(row.why), named(row.controls)]
    ])
  )

const inventorySection = ({ inventory }: Summary): readonly string[] =>
  section(
    'Who touched what',
    ['identity', 'type', 'secret', 'store', 'first', 'last', 'reads', 'writes', 'denied'],
    inventory.map((row) => [
      ...[code(row.identityName), row.identityType, code(row.secretName), row.store, minuteOf(row.first), minuteOf(row.last)],
      ...[grouped(row.reads), grouped(row.writes), grouped(row.denied)]
    ])
  )

const retentionSection = ({ retention }: Summary, named: Named): readonly string[] =>
  section(
    'How long events must be kept',
    ['events', 'class', 'days', 'seen', 'first', 'last', 'what cannot be shown', 'controls'],
    retention.map((row) => [
      ...[row.name, row.class, row.days === undefined ? 'for ever' : grouped(row.days), grouped(row.events)],
      ...[minuteOf(row.first), minuteOf(row.last), row.gaps.map(prose).join('; '), named(row.controls)]
    ])
  )

const section = (title: string, head: readonly string[], rows: Rows): readonly string[] =>
  rows.length === 0 ? [] : [`## ${title}`, table(head, rows.slice(0, MOST_ROWS)), ...leftAway(rows.length)]

function coverageSection({ sources, gaps, learning, damage, ...counts }: Coverage): readonly string[] {
  const { records, events, skipped, duplicates, malformed } = counts
  const said = [
    ...gaps.map(({ text }) => `- gap: ${prose(text)}`),
    ...learning.map(
      ({ signal, until, why }) => `- learning: ${prose(signal)}${until > 0 ? ` until ${minuteOf(until)} UTC` : ''}, ${prose(why)}`
    ),
    ...damage.map(({ source, offset, why }) => `- damaged: ${code(source)} at byte ${grouped(offset)}, ${prose(why)}`)
  ]
  const rows = sources.map(({ name, format, events, first, last, problem }) => [
    ...[code(name), format ?? '–', grouped(events), minuteOf(first), minuteOf(last), problem === undefined ? '' : prose(problem)]
  ])
  return [
    '## What this rests on',
    `Of ${grouped(records)} records ${grouped(events)} are events, ${grouped(skipped)} are not about secrets, ${grouped(duplicates)} were delivered before and ${grouped(malformed)} could not be read.`,
    ...(said.length > 0 ? [said.join('\n')] : []),
    ...(rows.length > 0
      ? [table(['source', 'format', 'events', 'first', 'last', 'problem'], rows.slice(0, MOST_ROWS)), ...leftAway(rows.length)]
      : [])
  ]
}

function controlsSection(framework: Framework | undefined): readonly string[] {
  const rows = controlsIn(framework).map(({ name, title, source, backs }) => [`[${name}](${source})`, title, backs.join(', ')])
  const editions = FRAMEWORKS.filter((one) => framework === undefined || one === framework).map((one) => {
    const { name, edition, source } = FRAMEWORK_FACTS[one]
    return `- **${name}:** [${edition}](${source})`
  })
  return ['## Controls', editions.join('\n'), table(['control', 'title', 'answered by'], rows)]
}
