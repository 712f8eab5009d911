import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { own, runAs, serverEnv } from './folders.ts'

export type Program = {
  command: string
  args: readonly string[]
  /** Where it runs, what it owns, and what is removed should the tests end without stopping it. Its output goes to `log` in there. */
  folder: string
  /** What ends it at once and in good order. */
  quit: NodeJS.Signals
}

export type Daemon = {
  readonly pid: number
  /** What this start has written to the log until now. */
  said(): string
  hasEnded(): boolean
  /** Sends the signal and waits for the end; does nothing when it has ended. */
  end(signal: NodeJS.Signals): Promise<void>
}

export const logOf = (folder: string): string => join(folder, 'log')

/** Starts a program that stays, never as root. */
export function startDaemon({ command, args, folder, quit }: Program): Daemon {
  const log = openSync(logOf(folder), 'a')
  const offset = fstatSync(log).size
  own(logOf(folder))
  const child = spawn(command, args, { ...runAs(), cwd: folder, env: serverEnv, stdio: ['ignore', log, log] })
  child.on('error', () => {})
  closeSync(log)
  const { pid } = child
  if (pid === undefined) throw new Error(`${command} cannot be started`)
  const abandon = () => {
    child.kill(quit)
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', abandon)
  child.once('exit', () => process.off('exit', abandon))
  return {
    pid,
    said: () => readFileSync(logOf(folder)).subarray(offset).toString(),
    hasEnded: () => hasEnded(child),
    end: async (signal) => {
      if (hasEnded(child)) return
      const ended = once(child, 'exit', { signal: AbortSignal.timeout(30_000) })
      child.kill(signal)
      await ended
    }
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
