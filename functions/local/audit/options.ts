import { FRAMEWORKS, type Framework } from '../../../shared/audit/controls.ts'
import { SEVERITIES, type Severity } from '../../../shared/audit/finding.ts'
import { FORMATS, type Format } from '../../../shared/audit/reader.ts'
import { AUDIT_DEFAULTS, type AuditSettings, hoursIn, isZone } from '../../../shared/audit/settings.ts'
import { KeyturnError } from '../../../shared/errors.ts'
import { durationOption } from '../humane.ts'

/** As commander gives them. */
export interface AuditOptions {
  readonly since?: string
  readonly until?: string
  readonly state?: string
  readonly format?: string
  readonly html?: string
  readonly ocsf?: string
  readonly markdown?: string
  readonly csv?: string
  readonly framework?: string
  readonly failOn?: string
  readonly zone?: string
  readonly hours?: string
  readonly decoy?: readonly string[]
  readonly markReviewed?: string
  readonly workers?: string
  readonly signals?: true
}

export const OPTIONS: readonly (readonly [flags: string, text: string])[] = [
  ['--since <time>', 'leave out what is earlier: 2026-07-01, 2026-07-01T12:00Z, or 30d before now'],
  ['--until <time>', 'leave out what is not earlier than this'],
  ['--state <file>', 'keep what is usual there, for the next run; it is made'],
  ['--format <name>', `of the logs: ${FORMATS.join(', ')} (default: they tell themselves)`],
  ['--html <file>', 'write the report as one page that works offline'],
  ['--ocsf <file>', 'write findings as OCSF 1.6.0, one JSON object a line'],
  ['--markdown <file>', 'write the report as Markdown'],
  ['--csv <file>', 'write the inventory as CSV'],
  ['--framework <name>', `name the controls of one framework only: ${FRAMEWORKS.join(', ')}`],
  ['--fail-on <severity>', `exit with 6 when there is a finding as bad as this: ${SEVERITIES.join(', ')}`],
  ['--zone <name>', 'time zone that people work in, such as Europe/London (default: UTC)'],
  ['--hours <from-to>', 'hours of the day that people work in (default: 7-19)'],
  ['--decoy <name...>', 'secrets that nobody has a reason to touch; * stands for any text'],
  ['--mark-reviewed <reviewer>', 'the policies as they are now were looked at by this person: kept in the state'],
  ['--workers <number>', 'threads that read big files; worth it where processors are idle (default: 1)'],
  ['--signals', 'print the table of signals, and read nothing']
]

export interface Wanted {
  readonly settings: AuditSettings
  readonly since: number | undefined
  readonly until: number | undefined
  readonly format: Format | undefined
  readonly framework: Framework | undefined
  readonly failOn: Severity | undefined
  readonly workers: number
}

/** Throws `invalid/request` for the first option that is wrong. */
export function wantedOf(options: AuditOptions, now: number): Wanted {
  const { zone = AUDIT_DEFAULTS.zone, decoy = [] } = options
  if (!isZone(zone)) throw bad('--zone', 'a time zone such as Europe/London')
  const since = timeOf(options.since, '--since', now)
  const until = timeOf(options.until, '--until', now)
  if (since !== undefined && until !== undefined && since >= until) throw bad('--until', 'later than --since')
  return {
    settings: { ...AUDIT_DEFAULTS, zone, decoys: decoy, workHours: hoursOf(options.hours) },
    since,
    until,
    format: oneOf(options.format, FORMATS, '--format'),
    framework: oneOf(options.framework, FRAMEWORKS, '--framework'),
    failOn: oneOf(options.failOn, SEVERITIES, '--fail-on'),
    workers: workersOf(options.workers)
  }
}

const bad = (option: string, what: string): KeyturnError => new KeyturnError('invalid/request', `${option} must be ${what}`)

function oneOf<T extends string>(text: string | undefined, known: readonly T[], option: string): T | undefined {
  const found = known.find((one) => one === text)
  if (text !== undefined && found === undefined) throw bad(option, `one of ${known.join(', ')}`)
  return found
}

function timeOf(text: string | undefined, option: string, now: number): number | undefined {
  if (text === undefined) return undefined
  if (/^\d+(ms|[smhd])$/.test(text)) return now - durationOption(text, option)
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw bad(option, 'a time such as 2026-07-01 or 2026-07-01T12:00Z, or a duration such as 30d')
  return at
}

function hoursOf(text: string | undefined): AuditSettings['workHours'] {
  const hours = text === undefined ? AUDIT_DEFAULTS.workHours : hoursIn(text)
  if (!hours) throw bad('--hours', 'two hours of the day such as 7-19')
  return hours
}

function workersOf(text: string | undefined): number {
  if (text === undefined) return 1
  if (!/^\d{1,2}$/.test(text) || Number(text) < 1 || Number(text) > 64) throw bad('--workers', 'a whole number from 1 to 64')
  return Number(text)
}
