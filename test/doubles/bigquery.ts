import { ADMIN_TOKEN } from './google-iam-errors.ts'
import { type ProviderAnswer, type ProviderDouble, type ProviderRequest, type Route, startProvider } from './provider-double.ts'

export type Row = readonly (string | number | null)[]

/** What a query comes to: its rows, or the `reason` that it failed with. */
export type Outcome = { readonly rows: readonly Row[] } | { readonly reason: string; readonly status: number }

export interface BigQueryOptions {
  readonly execute: (sql: string) => Promise<Outcome>
  /** What a dry run says that a query would read. Default 1000. */
  readonly bytes?: number
  /** How often a query is asked for before it has ended. Default 0. */
  readonly looks?: number
}

export interface Job {
  readonly id: string
  readonly sql: string
  readonly maximumBytesBilled: string
  readonly isCancelled: () => boolean
}

export interface BigQueryDouble extends ProviderDouble {
  /** Those that were no dry runs. */
  readonly jobs: readonly Job[]
}

interface Kept extends Job {
  readonly outcome: Promise<Outcome>
  looks: number
  cancelled: boolean
}

export const bigQueryError = (status: number, reason: string): ProviderAnswer => {
  const message = 'said to people'
  return { status, body: { error: { code: status, message, errors: [{ message, domain: 'global', reason }], status: 'NAMED' } } }
}

/** bigquery/docs/reference/rest/v2, on 127.0.0.1; each page is named beside its behaviour. */
export async function startBigQuery(options: BigQueryOptions): Promise<BigQueryDouble> {
  const jobs: Kept[] = []
  const route = (op: string, method: string, path: string, answer: (request: ProviderRequest) => ProviderAnswer): Route => ({
    op,
    method,
    path: new RegExp(`^/bigquery/v2/projects/my-project${path}$`),
    answer: (request) =>
      request.headers.authorization === `Bearer ${ADMIN_TOKEN}` ? answer(request) : bigQueryError(401, 'authError')
  })
  const outcomes = new Map<string, Outcome>()
  const server = await startProvider({
    routes: [
      route('insert', 'POST', '/jobs', (request) => inserted(request, jobs, outcomes, options)),
      route('results', 'GET', '/queries/([^/]+)', (request) => results(request, jobs, outcomes)),
      route('cancel', 'POST', '/jobs/([^/]+)/cancel', ({ params: [id] }) => {
        const job = jobs.find((one) => one.id === id)
        if (!job) return bigQueryError(404, 'notFound')
        job.cancelled = true
        return { status: 200, body: { kind: 'bigquery#jobCancelResponse' } }
      })
    ],
    unknown: { status: 404, body: 'Not Found' }
  })
  return { ...server, jobs }
}

interface Insert {
  readonly jobReference: { readonly jobId?: string; readonly location: string }
  readonly configuration: {
    readonly dryRun?: boolean
    readonly query: { readonly query: string; readonly maximumBytesBilled: string; readonly useLegacySql: boolean }
  }
}

/** rest/v2/jobs/insert, rest/v2/Job#JobStatistics. An id that is there already is a 409, `duplicate`. */
function inserted(
  { json }: ProviderRequest,
  jobs: Kept[],
  outcomes: Map<string, Outcome>,
  options: BigQueryOptions
): ProviderAnswer {
  const { jobReference, configuration } = json as unknown as Insert
  if (configuration.dryRun)
    return { status: 200, body: { jobReference, statistics: { totalBytesProcessed: String(options.bytes ?? 1_000) } } }
  const id = jobReference.jobId ?? ''
  if (!/^[\w-]{1,1024}$/.test(id) || jobReference.location !== 'EU') return bigQueryError(400, 'invalid')
  if (jobs.some((one) => one.id === id)) return bigQueryError(409, 'duplicate')
  const { query: sql, maximumBytesBilled } = configuration.query
  const outcome = options.execute(sql)
  void outcome.then((one) => outcomes.set(id, one))
  const job: Kept = {
    id,
    sql,
    maximumBytesBilled,
    outcome,
    looks: options.looks ?? 0,
    cancelled: false,
    isCancelled: () => job.cancelled
  }
  jobs.push(job)
  return { status: 200, body: { jobReference, status: { state: 'PENDING' } } }
}

/**
 * rest/v2/jobs/getQueryResults: without an end, `jobComplete` is false and there are no rows; of a job that failed, the
 * answer is its error. Cells are texts.
 */
function results(
  { params: [id], url }: ProviderRequest,
  jobs: readonly Kept[],
  outcomes: ReadonlyMap<string, Outcome>
): ProviderAnswer {
  const job = jobs.find((one) => one.id === id)
  if (!job || url.searchParams.get('location') !== 'EU') return bigQueryError(404, 'notFound')
  if (job.cancelled) return bigQueryError(499, 'stopped')
  const outcome = outcomes.get(job.id)
  if (!outcome || job.looks-- > 0) return { status: 200, body: { jobComplete: false, jobReference: { jobId: id } } }
  if ('reason' in outcome) return bigQueryError(outcome.status, outcome.reason)
  const [from, size] = [Number(url.searchParams.get('pageToken') ?? 0), Number(url.searchParams.get('maxResults'))]
  const rows = outcome.rows
    .slice(from, from + size)
    .map((row) => ({ f: row.map((cell) => ({ v: cell === null ? null : String(cell) })) }))
  const more = from + size < outcome.rows.length && { pageToken: String(from + size) }
  const empty = outcome.rows.length === 0
  return {
    status: 200,
    body: { jobComplete: true, totalBytesProcessed: '900', totalRows: '1', ...(!empty && { rows }), ...more }
  }
}
