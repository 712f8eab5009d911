import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'

/** One of the handlers that are compared. */
export interface Subject {
  readonly name: 'keyturn' | 'plain' | 'empty'
  readonly file: string
  readonly env: Readonly<Record<string, string>>
}

export interface Answer {
  readonly answer?: unknown
  readonly error?: { readonly errorType: string; readonly errorMessage: string }
  readonly rssBytes: number
}

/** A process that stays: what Lambda calls warm, once it has answered. */
export interface Warm {
  /** Throws what the handler threw. */
  send(event: object): Promise<Answer>
  stop(): Promise<void>
}

// Not node_modules/.bin/node: that is a link, and following it costs time that is not the bundle's.
const NODE = resolve(import.meta.dirname, '../../node_modules/node/bin/node')
const LAUNCHER = join(import.meta.dirname, 'launcher.mjs')

export async function startWarm({ file, env }: Subject): Promise<Warm> {
  const child = spawn(NODE, [LAUNCHER, file], { env: { ...environment, ...env }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  await message(child)
  return {
    send: async (event) => {
      const answered = message(child)
      child.send(event)
      return thrown((await answered) as Answer)
    },
    stop: async () => {
      process.off('exit', kill)
      const ended = once(child, 'exit')
      kill()
      await ended
    }
  }
}

/** Milliseconds from the start of a new process to the answer of its first event. */
export async function coldStart({ file, env }: Subject, event: object): Promise<number> {
  const { ms, said } = await untilItSays(LAUNCHER, [file, JSON.stringify(event)], { ...environment, ...env })
  if (said === undefined) throw new Error(`${file} ended without an answer`)
  thrown(JSON.parse(said) as Answer)
  return ms
}

/** Milliseconds from the start of a new process to what it writes to descriptor 3; nothing, when it ends without. */
export async function untilItSays(
  launcher: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>
): Promise<{ readonly ms: number; readonly said: string | undefined }> {
  const begin = performance.now()
  const child = spawn(NODE, [launcher, ...args], { env, stdio: ['ignore', 'ignore', 'inherit', 'pipe'] })
  const ended = once(child, 'exit')
  const pipe = child.stdio[3]
  if (!pipe) throw new Error('no descriptor 3')
  const [chunk] = (await Promise.race([once(pipe, 'data'), ended.then(() => [])])) as readonly Buffer[]
  const ms = performance.now() - begin
  await ended
  return { ms, said: chunk?.toString() }
}

function thrown(answer: Answer): Answer {
  if (answer.error) throw Object.assign(new Error(answer.error.errorMessage), { name: answer.error.errorType })
  return answer
}

async function message(child: ChildProcess): Promise<unknown> {
  const stopped = new AbortController()
  try {
    return await Promise.race([
      once(child, 'message', stopped).then(([said]: unknown[]) => said),
      once(child, 'exit', stopped).then(([code]: unknown[]) => Promise.reject(new Error(`the process ended with ${code}`)))
    ])
  } finally {
    stopped.abort()
  }
}

const environment = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'example',
  AWS_SESSION_TOKEN: 'example',
  HOME: '/nonexistent',
  TZ: ':UTC'
}
