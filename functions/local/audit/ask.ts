import { DAY_MS } from '../../../shared/duration.ts'
import { KeyturnError } from '../../../shared/errors.ts'
import {
  type AccessRow,
  type Answered,
  type Asked,
  type AuditQuery,
  QUESTIONS,
  type Question,
  type SignalRow
} from '../../../shared/ports/audit-query.ts'
import { instant } from '../../../shared/types.ts'
import type { Answer, Invocation } from '../command.ts'
import { clock, plural } from '../humane.ts'
import { type Paint, table } from '../output.ts'
import { signedIn } from '../signed-in.ts'
import { wantedOf } from './options.ts'
import { bytesText } from './reading-progress.ts'

/** As commander gives them. */
export interface AskOptions {
  readonly since?: string
  readonly until?: string
  readonly zone?: string
  readonly hours?: string
  readonly most?: string
  readonly database?: string
  readonly table?: string
  readonly accounts?: string
  readonly regions?: string
  readonly workgroup?: string
  readonly printTable?: true
  readonly bucket?: string
  readonly firstDay?: string
  readonly workspace?: string
  readonly project?: string
  readonly dataset?: string
  readonly location?: string
  readonly maxBytes?: string
}

/** Six weeks: what is usual in an hour of the week. */
const HISTORY_MS = 42 * DAY_MS

const needed = (text: string | undefined, option: string): string => {
  if (text === undefined || text === '') throw new KeyturnError('invalid/request', `--${option} must be given`)
  return text
}

const trailOf = (o: AskOptions) => ({
  database: needed(o.database, 'database'),
  table: needed(o.table, 'table'),
  accounts: needed(o.accounts, 'accounts').split(','),
  regions: needed(o.regions, 'regions').split(',')
})

/** Each loads its own cloud's client, and asks as whoever is signed in there. */
const SERVICES: Readonly<Record<string, (options: AskOptions) => Promise<AuditQuery>>> = {
  athena: async (o) => {
    const { athena } = await import('../../../shared/queries/aws-athena.ts')
    return athena({ ...trailOf(o), workgroup: needed(o.workgroup, 'workgroup') })
  },
  'log-analytics': async (o) => {
    const [{ logAnalytics }, { DefaultAzureCredential }] = await Promise.all([
      import('../../../shared/queries/azure-log-analytics.ts'),
      import('@azure/identity')
    ])
    return logAnalytics({ workspaceId: needed(o.workspace, 'workspace'), credential: new DefaultAzureCredential() })
  },
  bigquery: async (o) => {
    const { bigquery } = await import('../../../shared/queries/gcp-bigquery.ts')
    return bigquery({
      ...{ project: needed(o.project, 'project'), dataset: needed(o.dataset, 'dataset') },
      ...{ location: needed(o.location, 'location'), maximumBytesBilled: Number(needed(o.maxBytes, 'max-bytes')) },
      authorize: signedIn().googleHeaders
    })
  }
}

interface Told<Row> extends Answered {
  readonly about: Question | 'inventory'
  readonly all: readonly Row[]
}

/** `keyturn ask`. */
export async function ask(i: Invocation, service: string, options: AskOptions): Promise<Answer> {
  const open = Object.hasOwn(SERVICES, service) ? SERVICES[service] : undefined
  if (!open) throw new KeyturnError('invalid/request', `the service must be one of ${Object.keys(SERVICES).join(', ')}`)
  if (options.printTable) return printed(options)
  const asked = askedOf(options, Date.now())
  const query = await open(options)
  const { signal } = i.deadline
  const findings: Told<SignalRow>[] = []
  for (const about of QUESTIONS) {
    i.progress.say(`${query.name}: ${about}`)
    const all: SignalRow[] = []
    findings.push({ about, all, ...(await query.ask(about, asked, (row) => void all.push(row), signal)) })
  }
  i.progress.say(`${query.name}: inventory`)
  const all: AccessRow[] = []
  const inventory: Told<AccessRow> = {
    about: 'inventory',
    all,
    ...(await query.inventory(asked, (row) => void all.push(row), signal))
  }
  return {
    exit: 0,
    json: {
      action: 'ask',
      ok: true,
      place: query.name,
      since: iso(asked.since),
      until: iso(asked.until),
      answers: [...findings, inventory].map(jsonOf)
    },
    text: (paint) => [...findings.map((told) => foundText(told, paint)), accessText(inventory, paint)].join('\n\n')
  }
}

async function printed(options: AskOptions): Promise<Answer> {
  const { trailTable } = await import('../../../shared/queries/aws-athena-table.ts')
  const { bucket, firstDay } = options
  const statement = trailTable({ ...trailOf(options), bucket: needed(bucket, 'bucket'), firstDay: needed(firstDay, 'first-day') })
  return { exit: 0, json: { action: 'ask', ok: true, statement }, text: () => statement }
}

function askedOf({ since = '1d', until, zone, hours, most = '1000' }: AskOptions, now: number): Asked {
  if (!/^\d{1,7}$/.test(most) || Number(most) < 1)
    throw new KeyturnError('invalid/request', '--most must be a whole number of rows')
  const wanted = wantedOf({ since, ...(until && { until }), ...(zone && { zone }), ...(hours && { hours }) }, now)
  return {
    since: wanted.since ?? now,
    until: wanted.until ?? now,
    historyMs: HISTORY_MS,
    settings: wanted.settings,
    mostRows: Number(most)
  }
}

const iso = (at: number): string => new Date(at).toISOString()

const jsonOf = ({ about, all, rows, isCapped, scannedBytes }: Told<SignalRow | AccessRow>) => ({
  ...{ about, rows, isCapped, scannedBytes: scannedBytes ?? null },
  answer: all.map((row) => ({ ...row, first: iso(row.first), last: iso(row.last) }))
})

const headText = ({ about, rows, isCapped, scannedBytes }: Answered & { readonly about: string }, paint: Paint): string =>
  `${paint('bold', about)}: ${plural(rows, 'row')}${isCapped ? ', and more' : ''}${scannedBytes === undefined ? '' : ` (${bytesText(scannedBytes)} read)`}`

function foundText(told: Told<SignalRow>, paint: Paint): string {
  if (told.all.length === 0) return headText(told, paint)
  const rows = told.all.map((row) => [
    ...[row.identityName || row.address, row.secretName || row.network || row.source, String(row.count)],
    ...[row.observed === undefined ? '' : `${row.observed} (usual ${row.usual ?? '–'})`, clock(instant(row.first))]
  ])
  return `${headText(told, paint)}\n${table(['who', 'what', 'events', 'observed', 'first'], rows, paint)}`
}

function accessText(told: Told<AccessRow>, paint: Paint): string {
  if (told.all.length === 0) return headText(told, paint)
  const rows = told.all.map(({ identityName, secretName, reads, writes, denied, last }) => [
    ...[identityName, secretName, String(reads), String(writes), String(denied), clock(instant(last))]
  ])
  return `${headText(told, paint)}\n${table(['who', 'secret', 'reads', 'writes', 'denied', 'last'], rows, paint)}`
}
