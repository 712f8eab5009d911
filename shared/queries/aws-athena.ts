import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { AthenaClient, AthenaClientConfig, QueryExecution, ResultSet } from '@aws-sdk/client-athena'
import { KeyturnError } from '../errors.ts'
import { once } from '../once.ts'
import type { AuditQuery } from '../ports/audit-query.ts'
import { type Cells, checkedName } from './asked.ts'
import { type RunText, textQuery } from './asked-query.ts'
import { type AthenaOp, athenaError, failedQuery } from './aws-athena-errors.ts'
import { athenaSql, type TrailTable } from './aws-athena-sql.ts'
import { checkedTable } from './aws-athena-table.ts'
import { sqlTexts } from './sql-questions.ts'

export interface AthenaSettings extends TrailTable {
  /**
   * Where the query runs. It must have a limit of bytes that one query may read, a place for its results, and Athena's engine
   * version 3.
   */
  readonly workgroup: string
  /** The database's catalog. Default AwsDataCatalog. */
  readonly catalog?: string | undefined
  /** An answer to the same question that is not older is taken again, and costs nothing. Default 60, at most 10080; 0: never. */
  readonly reuseMinutes?: number | undefined
  /** Default: the environment's (AWS_REGION). */
  readonly region?: string | undefined
  /** For a VPC endpoint of one's own, or a test. */
  readonly endpoint?: string | undefined
  /** Default: the environment's, as the SDK finds them. */
  readonly credentials?: AthenaClientConfig['credentials'] | undefined
  /** How often one request is sent at most. Default 4. */
  readonly maxAttempts?: number | undefined
  /** How long one request may take. Default 10 s. */
  readonly requestTimeoutMs?: number | undefined
  /** Between two looks at a query that runs: the last one again and again. Default 0.3 to 5 s. */
  readonly pollMs?: readonly number[] | undefined
  /** Rows in one page of results. Default, and at most, 1000. */
  readonly pageSize?: number | undefined
}

/**
 * CloudTrail in Amazon Athena, in the table that trailTable (aws-athena-table.ts) describes. Needs athena:GetWorkGroup,
 * StartQueryExecution, GetQueryExecution, GetQueryResults and StopQueryExecution, to read the table in Glue and the logs in
 * S3, and to write the workgroup's results. Throws `invalid/query` for names that are none.
 */
export function athena(settings: AthenaSettings): AuditQuery {
  const { database, table, workgroup, catalog } = checkedTable(settings)
  checkedName(workgroup, /^[\w.-]{1,128}$/, 'the workgroup')
  if (catalog !== undefined) checkedName(catalog, /^[\w.:/-]{1,256}$/, 'the catalog')
  return textQuery(`athena://${database}/${table}`, sqlTexts(athenaSql(settings)), runner(settings))
}

interface Athena {
  readonly settings: AthenaSettings
  readonly client: AthenaClient
}

const POLL_MS = [300, 500, 1_000, 2_000, 5_000]

function runner(settings: AthenaSettings): RunText {
  const connected = once(async (): Promise<Athena> => {
    const { AthenaClient } = await import('@aws-sdk/client-athena')
    return { settings, client: new AthenaClient(configOf(settings)) }
  })
  let isBounded = false
  return async (text, _, each, signal) => {
    const one = await connected()
    if (!isBounded) await checkBound(one, signal)
    isBounded = true
    const id = await started(one, text, signal)
    const { Statistics } = await ended(one, id, signal)
    await pages(one, id, each, signal)
    return Statistics?.DataScannedInBytes
  }
}

/** Every request may be sent again: a start has its token, by which Athena knows it (API_StartQueryExecution, ClientRequestToken). */
function configOf({
  region,
  endpoint,
  credentials,
  maxAttempts = 4,
  requestTimeoutMs = 10_000
}: AthenaSettings): AthenaClientConfig {
  return {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
    maxAttempts,
    retryMode: 'standard',
    requestHandler: { connectionTimeout: 3_000, requestTimeout: requestTimeoutMs, throwOnRequestTimeout: true }
  }
}

async function ask<T>(op: AthenaOp, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (e) {
    throw signal.aborted ? overdue() : athenaError(e, op)
  }
}

const overdue = (): KeyturnError => new KeyturnError('unavailable/deadline', 'the time for the query is over; it was cancelled')

/** Athena takes no limit with a query: what one may cost is the workgroup's to say, and one that says nothing is not asked. */
async function checkBound({ client, settings: { workgroup } }: Athena, signal: AbortSignal): Promise<void> {
  const { GetWorkGroupCommand } = await import('@aws-sdk/client-athena')
  const command = new GetWorkGroupCommand({ WorkGroup: workgroup })
  const { WorkGroup } = await ask('GetWorkGroup', signal, () => client.send(command, { abortSignal: signal }))
  if (WorkGroup?.Configuration?.BytesScannedCutoffPerQuery === undefined)
    throw new KeyturnError('invalid/query', `the workgroup ${workgroup} has no limit of bytes that a query may read: set one`)
}

async function started({ client, settings }: Athena, text: string, signal: AbortSignal): Promise<string> {
  const { workgroup, database, catalog = 'AwsDataCatalog', reuseMinutes = 60 } = settings
  const { StartQueryExecutionCommand } = await import('@aws-sdk/client-athena')
  const command = new StartQueryExecutionCommand({
    QueryString: text,
    ClientRequestToken: randomUUID(),
    QueryExecutionContext: { Database: database, Catalog: catalog },
    WorkGroup: workgroup,
    ...(reuseMinutes > 0 && {
      ResultReuseConfiguration: { ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: reuseMinutes } }
    })
  })
  const { QueryExecutionId } = await ask('StartQueryExecution', signal, () => client.send(command, { abortSignal: signal }))
  if (QueryExecutionId === undefined)
    throw new KeyturnError('unavailable/query', 'athena:StartQueryExecution: an answer without an id')
  return QueryExecutionId
}

/** Whatever ends the wait, a query that may still run is stopped: it costs. */
async function ended(athena: Athena, id: string, signal: AbortSignal): Promise<QueryExecution> {
  const { client, settings } = athena
  const { workgroup, pollMs = POLL_MS } = settings
  const { GetQueryExecutionCommand } = await import('@aws-sdk/client-athena')
  const look = new GetQueryExecutionCommand({ QueryExecutionId: id })
  let isOver = false
  try {
    for (let looks = 0; ; looks++) {
      const { QueryExecution: execution } = await ask('GetQueryExecution', signal, () =>
        client.send(look, { abortSignal: signal })
      )
      const { State, AthenaError = {} } = execution?.Status ?? {}
      isOver = State === 'SUCCEEDED' || State === 'FAILED' || State === 'CANCELLED'
      if (State === 'SUCCEEDED' && execution) return execution
      if (State === 'FAILED' || State === 'CANCELLED') throw failedQuery(State, AthenaError, workgroup)
      const pauseMs = pollMs[Math.min(looks, pollMs.length - 1)] ?? 1_000
      await setTimeout(pauseMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => {
        throw overdue()
      })
    }
  } finally {
    if (!isOver) await stop(athena, id)
  }
}

const STOP_MS = 2_000

/** By a signal of its own, since the caller's may be over. What it answers changes nothing. */
async function stop({ client }: Athena, id: string): Promise<void> {
  const { StopQueryExecutionCommand } = await import('@aws-sdk/client-athena')
  const command = new StopQueryExecutionCommand({ QueryExecutionId: id })
  await client.send(command, { abortSignal: AbortSignal.timeout(STOP_MS) }).catch(() => undefined)
}

/** API_GetQueryResults: the first row of the first page of a SELECT has the columns' names. */
async function pages({ client, settings }: Athena, id: string, each: (cells: Cells) => void, signal: AbortSignal): Promise<void> {
  const { GetQueryResultsCommand } = await import('@aws-sdk/client-athena')
  let token: string | undefined
  for (let page = 0; page === 0 || token !== undefined; page++) {
    const input = {
      QueryExecutionId: id,
      MaxResults: settings.pageSize ?? 1_000,
      ...(token !== undefined && { NextToken: token })
    }
    const command = new GetQueryResultsCommand(input)
    const { ResultSet, NextToken } = await ask('GetQueryResults', signal, () => client.send(command, { abortSignal: signal }))
    for (const cells of rowsIn(ResultSet).slice(page === 0 ? 1 : 0)) each(cells)
    token = NextToken
  }
}

const rowsIn = (found: ResultSet | undefined): readonly Cells[] =>
  (found?.Rows ?? []).map(({ Data = [] }) => Data.map(({ VarCharValue }) => VarCharValue))
