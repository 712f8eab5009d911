import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join, resolve } from 'node:path'

/** What the host's protocol calls TypedData (azure-functions-language-worker-protobuf, FunctionRpc.proto), as far as it is used. */
export interface Rpc {
  readonly string?: string
  readonly json?: string
  readonly bytes?: Uint8Array
  readonly collectionString?: { readonly string: readonly string[] }
  readonly collectionBytes?: { readonly bytes: readonly Uint8Array[] }
  readonly http?: object
}

/** A function as it was registered. */
export interface Described {
  readonly name: string
  readonly bindings: Readonly<Record<string, { readonly type: string; readonly [option: string]: unknown }>>
  readonly retryOptions?: object
}

export interface Line {
  readonly level: string
  readonly category: string
  readonly message: string
}

export type ToWorker = {
  readonly id: string
  readonly name: string
  readonly data: Rpc
  readonly metadata: Readonly<Record<string, Rpc>>
}

export interface Exception {
  readonly message: string
  readonly stackTrace: string
}

export type ToHost =
  | { readonly kind: 'loaded'; readonly functions: readonly Described[]; readonly capabilities: Readonly<Record<string, string>> }
  | { readonly kind: 'log'; readonly line: Line }
  | ({ readonly kind: 'answer'; readonly id: string } & Outcome)

export type Outcome = { readonly returned: Rpc | undefined } | { readonly exception: Exception }

export interface HttpQuestion {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Text and bytes as they are; anything else as JSON. */
  readonly body?: unknown
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** A function app as the host sees it: what it registered, and one way in for each of its triggers. */
export interface FunctionApp {
  readonly functions: readonly Described[]
  readonly capabilities: Readonly<Record<string, string>>
  /** The host sends a timer's information as JSON. */
  timer(name: string, info: object): Promise<Outcome>
  /** The text of a queue's message, as the host took it off. */
  message(name: string, text: string, metadata?: Readonly<Record<string, Rpc>>): Promise<Outcome>
  /** A batch of an event hub's, texts or bytes, as the host hands them to a worker that takes typed collections. */
  batch(name: string, messages: readonly (string | Uint8Array)[]): Promise<Outcome>
  http(name: string, question: HttpQuestion): Promise<HttpAnswer>
  readonly lines: readonly Line[]
  /** Everything that the process wrote and logged until now. */
  output(): string
  /** A repeat does nothing. */
  stop(): Promise<void>
}

const repository = resolve(import.meta.dirname, '../..')

/** Starts a worker process for the bundle in `folder` (index.cjs). Its environment is `env` and nothing of the machine's. */
export async function startFunctionApp(folder: string, env: Readonly<Record<string, string>>): Promise<FunctionApp> {
  const child = spawn(join(repository, 'node_modules/.bin/node'), [join(import.meta.dirname, 'azure-host-process.ts'), folder], {
    cwd: folder,
    env: { ...HOST, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced'
  })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const seen = listen(child)
  const ended = once(child, 'exit').then(() => {
    process.off('exit', kill)
    seen.end()
  })
  const invoke = async (name: string, data: Rpc, metadata: Readonly<Record<string, Rpc>> = {}): Promise<Outcome> => {
    const id = randomUUID()
    const answer = seen.answerOf(id)
    child.send({ id, name, data, metadata } satisfies ToWorker)
    return answer
  }
  const { functions, capabilities } = await seen.loaded
  return {
    ...{ functions, capabilities, lines: seen.lines, output: seen.output },
    timer: (name, info) => invoke(name, { json: JSON.stringify(info) }),
    message: (name, text, metadata) => invoke(name, { string: text }, metadata),
    batch: (name, messages) => invoke(name, collectionOf(messages)),
    http: async (name, question) => httpAnswer(await invoke(name, { http: httpData(name, question) })),
    stop: async () => {
      kill()
      await ended
    }
  }
}

function collectionOf(messages: readonly (string | Uint8Array)[]): Rpc {
  const texts = messages.filter((message) => typeof message === 'string')
  if (texts.length === messages.length) return { collectionString: { string: texts } }
  return { collectionBytes: { bytes: messages.map((message) => Buffer.from(message)) } }
}

/** What the host sets for a worker (azure-functions/functions-app-settings). */
const HOST = { FUNCTIONS_WORKER_RUNTIME: 'node', WEBSITE_SITE_NAME: 'rotate-database', TZ: 'UTC', PATH: '/usr/bin:/bin' }

type Loaded = Extract<ToHost, { kind: 'loaded' }>

function listen(child: ChildProcess) {
  const lines: Line[] = []
  const written: string[] = []
  const waiting = new Map<string, (outcome: Outcome) => void>()
  const load = { resolve: (_: Loaded): void => {}, reject: (_: Error): void => {} }
  const loaded = new Promise<Loaded>((resolve, reject) => Object.assign(load, { resolve, reject }))
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => written.push(chunk.toString('utf8')))
  const output = () => [...lines.map(({ message }) => message), ...written].join('\n')
  let isOver = false
  const over = (): Exception => ({ message: `the worker ended: ${output().slice(-2000)}`, stackTrace: '' })
  child.on('message', (message: ToHost) => {
    if (message.kind === 'log') lines.push(message.line)
    else if (message.kind === 'loaded') load.resolve(message)
    else waiting.get(message.id)?.('exception' in message ? { exception: message.exception } : { returned: message.returned })
  })
  return {
    ...{ lines, output, loaded },
    answerOf: (id: string) =>
      new Promise<Outcome>((settle) => {
        if (isOver) settle({ exception: over() })
        waiting.set(id, settle)
      }),
    /** An invocation in a process that ends is lost, as it is on the host. */
    end: () => {
      isOver = true
      load.reject(new Error(over().message))
      for (const settle of waiting.values()) settle({ exception: over() })
    }
  }
}

/** With the worker's capabilities RawHttpBodyBytes and UseNullableValueDictionaryForHttp: bytes, and values that may be null. */
function httpData(name: string, { method = 'POST', headers = {}, body }: HttpQuestion): object {
  const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  const bytes = Buffer.from(raw ? (body ?? '') : JSON.stringify(body))
  const nullableHeaders = Object.fromEntries(
    Object.entries({ host: 'rotate-database.azurewebsites.net', 'content-type': 'application/json', ...headers }).map(
      ([key, value]) => [key, { value }]
    )
  )
  const url = `https://rotate-database.azurewebsites.net/api/${name}`
  return { method, url, nullableHeaders, nullableQuery: {}, nullableParams: {}, ...(bytes.length > 0 && { body: { bytes } }) }
}

interface RpcHttp {
  readonly statusCode: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Rpc
}

function httpAnswer(outcome: Outcome): HttpAnswer {
  if ('exception' in outcome) throw new Error(`the function threw, and the host answered 500: ${outcome.exception.message}`)
  const { statusCode, headers, body } = (outcome.returned?.http ?? { statusCode: '200', headers: {} }) as RpcHttp
  const text = body?.string ?? Buffer.from(body?.bytes ?? []).toString('utf8')
  return { status: Number(statusCode), headers, body: text === '' ? undefined : JSON.parse(text) }
}
