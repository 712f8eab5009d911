import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { until } from '../servers/until.ts'
import type { Json } from './gcp-events.ts'
import { type BuiltFunction, builtFunction } from './lambda-runtime.ts'

export type Target = 'onSecretEvent' | 'onRequest' | 'onLogEntry' | 'onObject'

export interface HttpRequest {
  /** POST, when it is not given. */
  readonly method?: string
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: string | Json | undefined
}

export interface FrameworkAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Undefined: it is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests assert.
  readonly json: any
}

/** A process of the genuine functions-framework, with one of the bundle's functions as its target. */
export interface Framework {
  /** http://127.0.0.1:PORT */
  readonly url: string
  send(request: HttpRequest): Promise<FrameworkAnswer>
  /** Everything that the process has written until now: an answer may be faster than the line that was logged before it. */
  output(): Promise<string>
  /** As much of it as has arrived. */
  arrived(): string
  /** `undefined` while it runs; else how it ended. */
  exitCode(): number | undefined
  stop(): Promise<void>
}

const repository = resolve(import.meta.dirname, '../..')
const MAIN = join(repository, 'node_modules/@google-cloud/functions-framework/build/src/main.js')

/**
 * The function as it ships, and what a deployment adds to the bundle: the framework asks node where the folder's module is
 * (loader.ts, getFunctionModulePath).
 */
export async function builtGcpFunction(name = 'rotate-database'): Promise<BuiltFunction> {
  const built = await builtFunction(`gcp/${name}`)
  const manifest = { name, main: 'index.mjs', private: true }
  writeFileSync(join(built.folder, 'package.json'), JSON.stringify(manifest))
  return built
}

/** `env` wins over what the platform sets; a value that is undefined is not set. */
export async function startFramework(settings: {
  readonly folder: string
  readonly target: Target
  readonly env: Readonly<Record<string, string | undefined>>
}): Promise<Framework> {
  const child = spawn(
    join(repository, 'node_modules/.bin/node'),
    ['--import', join(import.meta.dirname, 'gcp-loopback.ts'), MAIN],
    { cwd: settings.folder, env: environment(settings), stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }
  )
  const { arrived, written } = collect(child)
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = once(child, 'exit').then(() => process.off('exit', kill))
  const address = (await Promise.race([once(child, 'message').then(([said]: unknown[]) => said), ended])) as
    | { port: number }
    | undefined
  if (typeof address?.port !== 'number') throw new Error(`functions-framework did not start:\n${arrived().slice(-4000)}`)
  const url = `http://127.0.0.1:${address.port}`
  return {
    url,
    arrived,
    output: async () => {
      if (child.exitCode === null && child.signalCode === null) await written()
      return arrived()
    },
    send: (request) => send(url, request),
    exitCode: () => child.exitCode ?? undefined,
    stop: async () => {
      kill()
      await ended
    }
  }
}

/** By node's own client, because fetch makes one header of two. */
async function send(url: string, { method = 'POST', headers = [], body }: HttpRequest): Promise<FrameworkAnswer> {
  const sent = request(url, { method, agent: false, signal: AbortSignal.timeout(60_000) })
  for (const name of new Set(headers.map(([name]) => name))) {
    const values = headers.flatMap(([key, value]) => (key === name ? [value] : []))
    sent.setHeader(name, values.length === 1 ? (values[0] ?? '') : values)
  }
  sent.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  const said = await text(answer)
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: said, json: jsonOf(said) }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function collect(child: ChildProcess) {
  const streams = [child.stdout, child.stderr].map((stream) => {
    let said = ''
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
    })
    return () => said
  })
  const arrived = () =>
    streams
      .map((said) => said())
      .join('')
      .replaceAll(MARKS, '')
  const written = async () => {
    const mark = `mark-${randomUUID()}`
    child.send(mark)
    await until('what was written', 30_000, () => streams.every((said) => said().includes(mark)) || undefined)
  }
  return { arrived, written }
}

const MARKS = /^mark-[\w-]+\n/gm

/** What Cloud Run functions set (run/docs/container-contract, functions/docs/configuring/env-var), and nothing of the machine's. */
function environment({ folder, target, env }: Parameters<typeof startFramework>[0]): Record<string, string> {
  const all: Readonly<Record<string, string | undefined>> = {
    PORT: '0',
    K_SERVICE: 'rotate-database',
    K_REVISION: 'rotate-database-00001-abc',
    K_CONFIGURATION: 'rotate-database',
    FUNCTION_TARGET: target,
    FUNCTION_SIGNATURE_TYPE: target === 'onRequest' ? 'http' : 'cloudevent',
    FUNCTION_SOURCE: folder,
    CLOUD_RUN_TIMEOUT_SECONDS: '540',
    LOG_EXECUTION_ID: 'true',
    NODE_ENV: 'production',
    HOME: '/nonexistent',
    PATH: '/usr/bin:/bin',
    ...env
  }
  return Object.fromEntries(Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))
}
