import { randomUUID } from 'node:crypto'
import { type ProviderAnswer, type ProviderDouble, startFaulty } from './faulty-server.ts'

export type Row = readonly (string | number | null)[]

/** What a query comes to: its rows with the columns' names, or how it fails (APIReference/API_AthenaError). */
export type Outcome =
  | { readonly columns: readonly string[]; readonly rows: readonly Row[] }
  | { readonly state: 'FAILED' | 'CANCELLED'; readonly type?: number; readonly category?: number }

export interface AthenaOptions {
  readonly execute: (sql: string) => Promise<Outcome>
  /** How often a query is looked at before it has ended: first QUEUED, then RUNNING. Default 0. */
  readonly looks?: number
  /** Of the workgroup `audit`; undefined: it has no limit. Default 10 GB. */
  readonly bytesScannedCutoffPerQuery?: number | undefined
}

export interface Query {
  readonly id: string
  readonly input: StartInput
  readonly state: () => string
}

export interface AthenaDouble extends ProviderDouble {
  readonly queries: readonly Query[]
}

/** APIReference/API_StartQueryExecution. */
interface StartInput {
  readonly QueryString: string
  readonly ClientRequestToken: string
  readonly WorkGroup: string
  readonly QueryExecutionContext: { readonly Database: string; readonly Catalog: string }
  readonly ResultReuseConfiguration?: object
}

interface Execution extends Query {
  outcome: Outcome
  looks: number
  isStopped: boolean
}

type Input = Readonly<Record<string, unknown>>

const GIGABYTE = 2 ** 30

/** A double of Amazon Athena on 127.0.0.1, written from its API reference; each page is named beside its behaviour. */
export async function startAthena(options: AthenaOptions): Promise<AthenaDouble> {
  const queries: Execution[] = []
  const operations = operationsOf(options, queries)
  const server = await startFaulty({
    read: (message, text) => ({
      op: String(message.headers['x-amz-target'] ?? '').replace(/^AmazonAthena\./, ''),
      input: JSON.parse(text) as Input
    }),
    opOf: ({ op }) => op,
    answer: ({ op, input }) => operations[op]?.(input) ?? athenaFault('InvalidRequestException', 400),
    textType: 'application/x-amz-json-1.1',
    isDateGiven: false
  })
  return { ...server, queries }
}

/** The names of APIReference/CommonErrors and of each operation's own page. */
export const athenaFault = (name: string, status: number, more: object = {}): ProviderAnswer => ({
  status,
  headers: { 'x-amzn-errortype': name, 'content-type': 'application/x-amz-json-1.1' },
  body: { __type: name, Message: `of ${name}, said to people`, ...more }
})

const ok = (body: object): ProviderAnswer => ({ status: 200, headers: { 'content-type': 'application/x-amz-json-1.1' }, body })

function operationsOf({ execute, looks = 0, ...options }: AthenaOptions, queries: Execution[]) {
  const cutoff = 'bytesScannedCutoffPerQuery' in options ? options.bytesScannedCutoffPerQuery : 10 * GIGABYTE
  const find = (input: Input): Execution | undefined => queries.find(({ id }) => id === input.QueryExecutionId)
  const known =
    (answer: (one: Execution, input: Input) => ProviderAnswer) =>
    (input: Input): ProviderAnswer => {
      const one = find(input)
      return one ? answer(one, input) : athenaFault('InvalidRequestException', 400, { AthenaErrorCode: 'INVALID_INPUT' })
    }
  return {
    GetWorkGroup: ({ WorkGroup }) =>
      WorkGroup === 'audit'
        ? ok({ WorkGroup: { Name: WorkGroup, Configuration: { BytesScannedCutoffPerQuery: cutoff } } })
        : athenaFault('InvalidRequestException', 400),
    StartQueryExecution: async (input) => ok({ QueryExecutionId: (await start(input as unknown as StartInput)).id }),
    GetQueryExecution: known((one) => ok({ QueryExecution: described(one) })),
    GetQueryResults: known(results),
    StopQueryExecution: known((one) => {
      one.isStopped = true
      return ok({})
    })
  } satisfies Record<string, (input: Input) => ProviderAnswer | Promise<ProviderAnswer>> as Readonly<
    Record<string, (input: Input) => ProviderAnswer | Promise<ProviderAnswer>>
  >

  /** A token that was used before names the same query. */
  async function start(input: StartInput): Promise<Execution> {
    const before = queries.find((one) => one.input.ClientRequestToken === input.ClientRequestToken)
    if (before) return before
    const outcome = await execute(input.QueryString)
    const one: Execution = { id: randomUUID(), input, outcome, looks, isStopped: false, state: () => stateOf(one) }
    queries.push(one)
    return one
  }
}

function stateOf({ outcome, looks, isStopped }: Execution): string {
  if (isStopped) return 'CANCELLED'
  if (looks > 0) return looks > 1 ? 'QUEUED' : 'RUNNING'
  return 'state' in outcome ? outcome.state : 'SUCCEEDED'
}

/** APIReference/API_QueryExecution, API_QueryExecutionStatus. */
function described(one: Execution): object {
  const { id, input, outcome } = one
  const State = stateOf(one)
  if (one.looks > 0) one.looks--
  const failed = State === 'FAILED' && 'state' in outcome ? outcome : undefined
  return {
    QueryExecutionId: id,
    Query: input.QueryString,
    Status: {
      State,
      ...(failed && { AthenaError: { ErrorCategory: failed.category, ErrorType: failed.type, ErrorMessage: 'said to people' } }),
      ...(State === 'CANCELLED' && { StateChangeReason: 'said to people' })
    },
    Statistics: { DataScannedInBytes: 12_345 }
  }
}

/** APIReference/API_GetQueryResults: at most 1000 rows a page, and the columns' names are the first row of the first. */
function results({ outcome }: Execution, { MaxResults = 1_000, NextToken }: Input): ProviderAnswer {
  if ('state' in outcome || Number(MaxResults) > 1_000) return athenaFault('InvalidRequestException', 400)
  const all: readonly Row[] = [outcome.columns, ...outcome.rows]
  const from = Number(NextToken ?? 0)
  const to = from + Number(MaxResults)
  // A null is a datum without a value.
  const row = (cells: Row) => ({ Data: cells.map((cell) => (cell === null ? {} : { VarCharValue: String(cell) })) })
  return ok({ ResultSet: { Rows: all.slice(from, to).map(row) }, ...(to < all.length && { NextToken: String(to) }) })
}
