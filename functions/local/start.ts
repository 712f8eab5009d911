import { randomUUID } from 'node:crypto'
import { asKeyturnError, KeyturnError } from '../../shared/errors.ts'
import { failureOf } from '../../shared/report.ts'
import type { Answer, Invocation, Start } from './command.ts'
import { composeLocal, LONGEST_RUN_MS } from './compose.ts'
import { exitOf } from './exit-codes.ts'
import { duration, durationOption } from './humane.ts'
import { interruptible } from './interruptible.ts'
import { failureText } from './output.ts'
import { type Progress, progressOn, shown } from './progress.ts'
import type { Terminal } from './terminal.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** The options that every command takes. */
export interface Globals {
  readonly store?: string
  readonly folder?: string
  readonly timeout: string
  readonly verbose?: true
  readonly json?: true
  readonly dryRun?: true
  readonly requestId?: string
}

/** Composes what a command works with, runs it, and prints its answer or its error. */
export function starter(globals: () => Globals, environment: Environment, terminal: Terminal, print: (a: Answer) => void): Start {
  return async (action, work) => {
    const options = globals()
    const progress = await progressOn(terminal.stderr, options.json !== true)
    try {
      const invocation = await invocationOf(action, options, environment, terminal, progress)
      const answer = await work(invocation).finally(async () => {
        invocation.deadline.end()
        await invocation.local.end()
      })
      progress.end()
      print(answer)
    } catch (e) {
      progress.end()
      print(failedAnswer(action, e, terminal.interrupted.aborted))
    }
  }
}

async function invocationOf(
  action: string,
  options: Globals,
  environment: Environment,
  terminal: Terminal,
  progress: Progress
): Promise<Invocation> {
  const timeoutMs = durationOption(options.timeout, '--timeout')
  if (timeoutMs > LONGEST_RUN_MS) throw new KeyturnError('invalid/request', `--timeout is at most ${duration(LONGEST_RUN_MS)}`)
  const { store, folder, verbose = false } = options
  const mayBeNew = ['create', 'audit', 'ask'].includes(action)
  const local = await composeLocal({ environment, store, folder, verbose, mayBeNew, logTo: { write: progress.line } })
  return {
    local: { ...local, core: { ...local.core, log: shown(local.core.log, progress) } },
    deadline: interruptible(timeoutMs, terminal.interrupted),
    dryRun: options.dryRun === true,
    id: options.requestId ?? randomUUID(),
    progress,
    stdin: terminal.stdin,
    ask: terminal.ask
  }
}

export function failedAnswer(action: string, e: unknown, wasInterrupted = false): Answer {
  const failure = failureOf(asKeyturnError(e))
  return {
    exit: wasInterrupted && failure.code === 'unavailable/deadline' ? 130 : exitOf(failure),
    json: { action, ok: false, ...failure },
    text: () => '',
    problem: (paint) => failureText(failure, paint)
  }
}
