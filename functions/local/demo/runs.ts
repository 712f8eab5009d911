import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { SecretReport } from '../../../shared/report.ts'
import type { Job } from './child.ts'
import type { KillPoint } from './killing.ts'
import { runTool } from './tool.ts'

/** Runs of keyturn in processes of their own, some of which are killed. */
export interface Runs {
  readonly kills: () => number
  /** Killed at each point in turn and started again, and at the end not killed. */
  finish(job: Omit<Job, 'killAt'>, kills: readonly KillPoint[], onKill: (at: KillPoint) => void): Promise<Done>
}

export type Done = Extract<SecretReport, { readonly ok: true }>

export function runsIn(environment: Readonly<Record<string, string>>, ends: AsyncDisposableStack): Runs {
  let killed = 0
  // The next process is started while the one before it works: starting is most of what a run costs.
  let spare = start(environment)
  ends.defer(() => void spare.kill('SIGKILL'))
  const once = async (job: Job): Promise<SecretReport | 'killed'> => {
    const child = spare
    spare = start(environment)
    return outcomeOf(child, job)
  }
  return {
    kills: () => killed,
    async finish(job, kills, onKill) {
      const left = [...kills]
      for (let tries = 0; tries < 200; tries++) {
        const killAt = left[0]
        const outcome = await once({ ...job, killAt })
        if (outcome === 'killed' && killAt !== undefined) {
          left.shift()
          killed++
          onKill(killAt)
        } else if (outcome === 'killed') throw new Error('a run ended without a word')
        else if (outcome.ok && killAt !== undefined) throw new Error(`nothing happened ${killAt}`)
        else if (outcome.ok) return outcome
        else if (!outcome.retryable) throw new Error(`${outcome.code}: ${outcome.message}`)
        // The server has not noticed yet that the one before is dead.
        else await setTimeout(50)
      }
      throw new Error(`${job.action} found no end`)
    }
  }
}

/** Compiled once, so that a new process is there in a third of the time. Killed ones leave no cache behind. */
export async function compileInto(folder: string, ends: AsyncDisposableStack): Promise<Readonly<Record<string, string>>> {
  const env = { NODE_COMPILE_CACHE: folder }
  await runTool(process.execPath, [CHILD], { env }, ends)
  return env
}

const CHILD = join(import.meta.dirname, 'child.ts')

function start(environment: Readonly<Record<string, string>>): ChildProcess {
  const env = { PATH: process.env.PATH ?? '', ...environment }
  const child = fork(CHILD, { env, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const abandon = () => void child.kill('SIGKILL')
  process.once('exit', abandon)
  child.once('exit', () => process.off('exit', abandon))
  return child
}

async function outcomeOf(child: ChildProcess, job: Job): Promise<SecretReport | 'killed'> {
  const said = new Promise<SecretReport | 'killed'>((resolve) => {
    child.once('message', (report) => resolve(report as SecretReport))
    child.once('exit', () => resolve('killed'))
    child.once('error', () => resolve('killed'))
  })
  child.send(job)
  return said
}
