import { randomUUID } from 'node:crypto'
import { hasClass, KeyturnError } from '../errors.ts'
import { arrayIn, type GoogleSettings, googleApi, recordIn, textIn } from '../google-api.ts'
import { reasonIn } from '../objects/gcp-storage-errors.ts'
import type { AuditQuery } from '../ports/audit-query.ts'
import type { ApiAnswer, ApiRequest, ProviderApi } from '../provider-api.ts'
import { type Cells, checkedName } from './asked.ts'
import { type RunText, textQuery } from './asked-query.ts'
import { type BigQueryAct, refusedQuery, silentQuery } from './gcp-bigquery-errors.ts'
import { bigquerySql, type LogView } from './gcp-bigquery-sql.ts'
import { sqlTexts } from './sql-questions.ts'

export interface BigQuerySettings extends LogView, GoogleSettings {
  /** Where the query is run and billed. Default: the dataset's project. */
  readonly jobProject?: string | undefined
  /** Of the dataset: `EU`, `europe-west1`. */
  readonly location: string
  /** A query that would read more is not run. */
  readonly maximumBytesBilled: number
  /** Default: https://bigquery.googleapis.com. */
  readonly endpoint?: string | undefined
  /** How long BigQuery itself waits for the end of a query before it answers that it still runs. Default 10 s. */
  readonly waitMs?: number | undefined
  /** Rows in one page of results. Default 2000. */
  readonly pageSize?: number | undefined
}

const PROJECT = /^(?:[a-z][a-z0-9.-]{0,61}[a-z0-9]:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/

/**
 * Cloud Audit Logs in BigQuery: the dataset that is linked to a log bucket with Log Analytics. By the REST API, because
 * Google's client wants Node 22 and is 470 kB. Needs bigquery.jobs.create in the project of the jobs, and to read the dataset.
 * Throws `invalid/query` for names that are none, and `invalid/config` for the endpoint.
 */
export function bigquery(settings: BigQuerySettings): AuditQuery {
  const { project, dataset, view = '_AllLogs', jobProject = project, location, maximumBytesBilled, waitMs, pageSize } = settings
  checkedName(project, PROJECT, 'the project')
  checkedName(jobProject, PROJECT, 'the project of the jobs')
  checkedName(dataset, /^\w{1,1024}$/, 'the dataset')
  checkedName(view, /^[\w-]{1,1024}$/, 'the view')
  checkedName(location, /^[A-Za-z][A-Za-z0-9-]{1,40}$/, 'the location')
  if (!Number.isSafeInteger(maximumBytesBilled) || maximumBytesBilled < 1)
    throw new KeyturnError('invalid/query', 'maximumBytesBilled must be a whole number of bytes')
  const {
    endpoint = 'https://bigquery.googleapis.com',
    ca,
    lookup,
    pausesMs,
    now,
    authorize,
    requestTimeoutMs = 30_000
  } = settings
  const api = googleApi({ ca, lookup, pausesMs, now, authorize, requestTimeoutMs }, 'BigQuery', endpoint)
  const jobs: Jobs = { api, jobProject, location, maximumBytesBilled, waitMs: waitMs ?? 10_000, pageSize: pageSize ?? 2_000 }
  return textQuery(`bigquery://${project}/${dataset}`, sqlTexts(bigquerySql(settings)), runner(jobs))
}

interface Jobs {
  readonly api: ProviderApi
  readonly jobProject: string
  readonly location: string
  readonly maximumBytesBilled: number
  readonly waitMs: number
  readonly pageSize: number
}

const runner =
  (jobs: Jobs): RunText =>
  async (text, _, each, signal) => {
    await checkCost(jobs, text, signal)
    const id = `keyturn_${randomUUID()}`
    try {
      await insert(jobs, { jobReference: { projectId: jobs.jobProject, jobId: id, location: jobs.location } }, text, signal)
      return await results(jobs, id, each, signal)
    } catch (e) {
      // It may still run, and then it costs.
      if (hasClass(e, 'unavailable')) await cancel(jobs, id)
      throw e
    }
  }

async function ask({ api, jobProject }: Jobs, act: BigQueryAct, request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer> {
  const path = `/bigquery/v2/projects/${encodeURIComponent(jobProject)}${request.path}`
  try {
    const answer = await api({ ...request, path }, signal)
    if (answer.status === 200 && answer.isJson) return answer
    if (answer.status === 409 && act === 'insert' && reasonIn(answer) === 'duplicate') return answer
    throw refusedQuery(answer, act)
  } catch (e) {
    throw signal.aborted ? overdue() : silentQuery(e)
  }
}

const overdue = (): KeyturnError => new KeyturnError('unavailable/deadline', 'the time for the query is over; it was cancelled')

/**
 * rest/v2/jobs/insert. The id is ours, so that a request that is sent again makes no second job: that one is answered 409,
 * `duplicate`, which says that the first was taken.
 */
function insert(jobs: Jobs, job: object, text: string, signal: AbortSignal): Promise<ApiAnswer> {
  const { dryRun, ...rest } = job as { readonly dryRun?: boolean }
  const query = { query: text, useLegacySql: false, maximumBytesBilled: String(jobs.maximumBytesBilled) }
  const body = { ...rest, configuration: { ...(dryRun && { dryRun }), query } }
  return ask(jobs, 'insert', { method: 'POST', path: '/jobs', body, repeatable: true }, signal)
}

/** A dry run costs nothing, and says what the query would read (bigquery/docs/running-queries, "Dry run"). */
async function checkCost(jobs: Jobs, text: string, signal: AbortSignal): Promise<void> {
  const job = { dryRun: true, jobReference: { projectId: jobs.jobProject, location: jobs.location } }
  const { json } = await insert(jobs, job, text, signal)
  const bytes = Number(recordIn(recordIn(json).statistics).totalBytesProcessed)
  if (bytes > jobs.maximumBytesBilled)
    throw new KeyturnError(
      'throttled/query',
      `BigQuery: the query would read ${bytes} bytes, more than ${jobs.maximumBytesBilled}`
    )
}

/** rest/v2/jobs/getQueryResults: a job that failed is answered with its error; numbers are texts. */
async function results(jobs: Jobs, id: string, each: (cells: Cells) => void, signal: AbortSignal): Promise<number | undefined> {
  let page: string | undefined
  let bytes: number | undefined
  let isFirst = true
  while (isFirst || page !== undefined) {
    const query = new URLSearchParams({
      location: jobs.location,
      maxResults: String(jobs.pageSize),
      timeoutMs: String(jobs.waitMs)
    })
    if (page !== undefined) query.set('pageToken', page)
    const { json } = await ask(jobs, 'results', { method: 'GET', path: `/queries/${id}?${query}` }, signal)
    const { jobComplete, rows, pageToken, totalBytesProcessed } = recordIn(json)
    if (jobComplete !== true) continue
    if (totalBytesProcessed !== undefined) bytes = Number(totalBytesProcessed)
    for (const row of arrayIn(rows)) each(arrayIn(recordIn(row).f).map((cell) => recordIn(cell).v))
    page = textIn(pageToken)
    isFirst = false
  }
  return bytes
}

const CANCEL_MS = 2_000

/** rest/v2/jobs/cancel, by a signal of its own, since the caller's may be over. What it answers changes nothing. */
async function cancel(jobs: Jobs, id: string): Promise<void> {
  const path = `/jobs/${id}/cancel?${new URLSearchParams({ location: jobs.location })}`
  await ask(jobs, 'cancel', { method: 'POST', path }, AbortSignal.timeout(CANCEL_MS)).catch(() => undefined)
}
