import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FunctionError {
  readonly errorType: string
  readonly errorMessage: string
}

export type Outcome = { readonly answer: unknown } | { readonly error: FunctionError }

export interface Invocation {
  readonly event: unknown
  /** The same for each delivery that Lambda itself repeats. */
  readonly requestId?: string | undefined
  readonly timeoutMs?: number | undefined
}

export interface RuntimeApi {
  /** host:port, as in AWS_LAMBDA_RUNTIME_API. */
  readonly address: string
  /** Waits until the runtime has taken the event and answered it. */
  invoke(invocation: Invocation): Promise<Outcome>
  /** Every invocation that waits, and every later one, is answered so: the process is gone. */
  fail(error: FunctionError): void
  close(): Promise<void>
}

interface Waiting extends Invocation {
  readonly id: string
  readonly settle: (outcome: Outcome) => void
}

export const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:123456789012:function:rotate-database'

/**
 * The Runtime API of Lambda (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, version 2018-06-01), for one process
 * that takes one invocation after the other.
 */
export async function startRuntimeApi(): Promise<RuntimeApi> {
  const state = newState()
  const server = createServer((request, response) => {
    route(state, request, response).catch((e: unknown) => response.writeHead(500).end(String(e)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const failAll = (error: FunctionError) => {
    state.dead = error
    for (const { settle } of [...state.queue.splice(0), ...state.running.values()]) settle({ error })
    state.running.clear()
  }
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    fail: failAll,
    invoke: (invocation) =>
      new Promise((settle) => {
        if (state.dead) return settle({ error: state.dead })
        state.queue.push({ ...invocation, id: invocation.requestId ?? randomUUID(), settle })
        hand(state)
      }),
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    }
  }
}

interface State {
  readonly queue: Waiting[]
  readonly running: Map<string, Waiting>
  /** The runtime's open call of `next`. */
  asking: ServerResponse | undefined
  dead: FunctionError | undefined
}

const newState = (): State => ({ queue: [], running: new Map(), asking: undefined, dead: undefined })

const PATH = /^\/2018-06-01\/runtime\/(?:invocation\/(?:(next)|([^/]+)\/(response|error))|init\/(error))$/

async function route(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, next, id = '', ends, init] = PATH.exec(request.url ?? '') ?? []
  if (next) {
    state.asking = response
    return hand(state)
  }
  const body = await bodyOf(request)
  if (init) {
    state.dead = JSON.parse(body) as FunctionError
    for (const { settle } of state.queue.splice(0)) settle({ error: state.dead })
  } else {
    const waiting = state.running.get(id)
    if (!waiting) return void response.writeHead(400).end('{"errorType":"InvalidRequestID"}')
    state.running.delete(id)
    const error = ends === 'error' ? (JSON.parse(body) as FunctionError) : undefined
    waiting.settle(error ? { error } : { answer: body === '' ? undefined : JSON.parse(body) })
  }
  response.writeHead(202, { 'Content-Type': 'application/json' }).end('{"status":"OK"}')
}

/** Gives the next invocation to the runtime, once there are both. */
function hand(state: State): void {
  const { asking } = state
  const next = asking && state.queue.shift()
  if (!asking || !next) return
  state.asking = undefined
  state.running.set(next.id, next)
  asking.writeHead(200, {
    'Content-Type': 'application/json',
    'Lambda-Runtime-Aws-Request-Id': next.id,
    'Lambda-Runtime-Deadline-Ms': String(Date.now() + (next.timeoutMs ?? 30_000)),
    'Lambda-Runtime-Invoked-Function-Arn': FUNCTION_ARN,
    'Lambda-Runtime-Trace-Id': 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0'
  })
  asking.end(JSON.stringify(next.event))
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
