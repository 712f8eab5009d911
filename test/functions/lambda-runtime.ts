import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildFunction, FUNCTIONS } from '../../infra/build.ts'
import { leaveOut } from '../left-out.ts'
import { type Outcome, startRuntimeApi } from './lambda-runtime-api.ts'

export type { FunctionError, Outcome } from './lambda-runtime-api.ts'

/** `aws-lambda-ric` is AWS's own; the stand-in calls the same bundle by the same API, and needs nothing installed. */
export type Runtime = 'aws-lambda-ric' | 'stand-in'

export interface LambdaFunction {
  /** What one event is answered with. Events are taken one after the other; a new process for each `startLambda`. */
  invoke(event: unknown, options?: { requestId?: string; timeoutMs?: number }): Promise<Outcome>
  /** Everything that the process has written until now: its log, and what the runtime adds to it. */
  output(): string
  pid(): number | undefined
  /** Ends the process at once, as Lambda does with one that it no longer needs. A repeat does nothing. */
  stop(): Promise<void>
}

const here = dirname(fileURLToPath(import.meta.url))
const repository = resolve(here, '../..')

/** Where CI installs it: `<folder>/node_modules/aws-lambda-ric`, compiled for the Node of node_modules/.bin. */
const ricFolder = () => process.env.KEYTURN_LAMBDA_RUNTIME ?? join(repository, '.ci/servers/ric')
const ricEntry = () => join(ricFolder(), 'node_modules/aws-lambda-ric/index.mjs')

/** The runtimes to test on: both, or the stand-in alone where the genuine one is missing. */
export function lambdaRuntimes(): readonly Runtime[] {
  if (existsSync(ricEntry())) return ['aws-lambda-ric', 'stand-in']
  leaveOut('the genuine Lambda runtime', `aws-lambda-ric is not installed in ${ricFolder()}`)
  return ['stand-in']
}

export interface BuiltFunction {
  readonly folder: string
  remove(): void
}

/** One function as it ships, built into a temporary folder. */
export async function builtFunction(name: string): Promise<BuiltFunction> {
  const found = FUNCTIONS.find((f) => f.name === name)
  if (!found) throw new Error(`infra/build.ts builds no ${name}`)
  const outdir = mkdtempSync(join(tmpdir(), 'keyturn-dist-'))
  await buildFunction(found, outdir)
  return { folder: join(outdir, name), remove: () => rmSync(outdir, { recursive: true, force: true }) }
}

/** Starts a process of the function in `folder` (index.mjs, which exports `handler`). */
export async function startLambda(settings: {
  readonly folder: string
  readonly runtime: Runtime
  readonly env: Readonly<Record<string, string>>
}): Promise<LambdaFunction> {
  const api = await startRuntimeApi()
  const script = settings.runtime === 'stand-in' ? join(here, 'lambda-stand-in.ts') : ricEntry()
  const child = spawn(join(repository, 'node_modules/.bin/node'), [script], {
    cwd: settings.folder,
    env: { ...environment(settings.folder, api.address), ...settings.env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const output = collect(child)
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  // Not `exit`: what it has written is read to its end first.
  const ended = once(child, 'close').then(() => {
    process.off('exit', kill)
    api.fail({ errorType: 'Runtime.ExitError', errorMessage: `the process ended: ${output().slice(-2000)}` })
  })
  return {
    output,
    pid: () => child.pid,
    invoke: async (event, options = {}) => {
      // Lambda ends the process of an invocation that takes too long (runtimes-api: the deadline is its own business).
      const late = setTimeout(() => {
        api.fail({ errorType: 'Sandbox.Timedout', errorMessage: `no answer in time: ${output().slice(-2000)}` })
        kill()
      }, options.timeoutMs ?? 30_000)
      const outcome = await api.invoke({ event, ...options })
      clearTimeout(late)
      return outcome
    },
    stop: async () => {
      kill()
      await ended
      await api.close()
    }
  }
}

function collect(child: ChildProcess): () => string {
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}

/** What Lambda sets (docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), and nothing of the machine's. */
const environment = (folder: string, api: string): Record<string, string> => ({
  AWS_LAMBDA_RUNTIME_API: api,
  LAMBDA_TASK_ROOT: folder,
  _HANDLER: 'index.handler',
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'example',
  AWS_SESSION_TOKEN: 'example',
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  AWS_LAMBDA_FUNCTION_NAME: 'rotate-database',
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
  AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/rotate-database',
  AWS_LAMBDA_LOG_STREAM_NAME: 'test',
  TZ: ':UTC',
  LANG: 'en_US.UTF-8',
  PATH: '/usr/bin:/bin'
})
