import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serverEnv } from './folders.ts'
import { freePort } from './ports.ts'
import { until } from './until.ts'

export type CloudProgram = {
  name: string
  command: string
  /** How many ports it listens on, and its arguments with these. It runs in a temporary folder of its own. */
  ports: number
  args: (ports: readonly number[]) => readonly string[]
  /** What it writes when it listens, and when a port was taken since it was chosen. */
  ready: RegExp
  portTaken: RegExp
  /** Opens a channel for messages to and from a Node program. */
  messages?: boolean
}

export type RunningProgram = {
  readonly child: ChildProcess
  readonly folder: string
  readonly ports: readonly number[]
  /** Ends it and removes its folder. */
  close(): Promise<void>
}

/** Starts the program on free ports of 127.0.0.1 and waits until it listens. `prepare` puts its files into its folder. */
export async function startProgram(program: CloudProgram, prepare: Prepare = () => {}): Promise<RunningProgram> {
  const folder = mkdtempSync(join(tmpdir(), `keyturn-${program.name}-`))
  try {
    return await until(`${program.name} on free ports`, 60_000, () => attempt(program, folder, prepare))
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

type Prepare = (folder: string, ports: readonly number[]) => void

async function attempt(program: CloudProgram, folder: string, prepare: Prepare): Promise<RunningProgram | undefined> {
  const ports = await freePorts(program.ports)
  prepare(folder, ports)
  const logFile = join(folder, 'log')
  const child = launch(program, folder, ports, logFile)
  const said = () => readFileSync(logFile, 'utf8')
  const end = endOf(child, folder)
  const isUp = await until(`the start of ${program.name}`, 60_000, () =>
    hasEnded(child) ? false : program.ready.test(said()) || undefined
  ).catch(async (error: unknown) => {
    await end()
    throw error
  })
  if (isUp) return { child, folder, ports, close: async () => end().then(() => rmSync(folder, { recursive: true, force: true })) }
  if (!program.portTaken.test(said())) throw new Error(`${program.name} did not start:\n${said().slice(-4000)}`)
  return undefined
}

/** As whoever runs the tests: these programs are not kept from root, and where they are installed others may not read. */
function launch(program: CloudProgram, folder: string, ports: readonly number[], logFile: string): ChildProcess {
  const log = openSync(logFile, 'w', 0o600)
  const child = spawn(program.command, program.args(ports), {
    cwd: folder,
    env: { ...serverEnv, HOME: folder },
    stdio: program.messages ? ['ignore', log, log, 'ipc'] : ['ignore', log, log]
  })
  child.on('error', () => {})
  closeSync(log)
  if (child.pid === undefined) throw new Error(`${program.command} cannot be started`)
  return child
}

/** Killed and not asked: nothing of it is wanted any more, and nobody waits for its last breath. */
function endOf(child: ChildProcess, folder: string): () => Promise<void> {
  const abandon = () => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', abandon)
  child.once('exit', () => process.off('exit', abandon))
  return async () => {
    if (hasEnded(child)) return
    const ended = once(child, 'exit', { signal: AbortSignal.timeout(30_000) })
    child.kill('SIGKILL')
    await ended
  }
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await freePort())
  return [...ports]
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
