import type { InvocationContext } from '@azure/functions'
import type { Delivery } from '../../shared/act.ts'
import { type Deadline, deadline } from '../../shared/deadline.ts'
import { asKeyturnError, type KeyturnError } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import { logFailure, logResult, type SecretReport } from '../../shared/report.ts'
import type { Core } from '../../shared/rotation/core.ts'
import type { Instant } from '../../shared/types.ts'
import type { Azure } from './compose.ts'
import { invocationLog } from './log.ts'

/** What one event is worked on with. */
export interface Invocation {
  readonly core: Core
  readonly log: Log
  readonly delivery: (id: string, sentAt?: Instant) => Delivery
}

/** Kept back for the answer: the host's timeout ends the process, and every other invocation in it. */
const MARGIN_MS = 2_000

/** Works with the invocation's own log, inside the run's time limit, or inside `mostMs` where that is shorter. */
export async function limited<T>(
  { config, settings, enter }: Pick<Azure, 'config' | 'settings' | 'enter'>,
  context: InvocationContext,
  work: (log: Log, limit: Deadline) => Promise<T>,
  mostMs = settings.runLimitMs
): Promise<T> {
  const leave = enter()
  const limit = deadline(Math.min(settings.runLimitMs, mostMs), MARGIN_MS)
  try {
    return await work(invocationLog(context, config.logLevel), limit)
  } finally {
    limit.end()
    await leave()
  }
}

/** The same, on secrets. */
export async function within<T>(
  azure: Azure,
  context: InvocationContext,
  work: (invocation: Invocation) => Promise<T>,
  mostMs?: number
): Promise<T> {
  const { core, config } = azure
  const invocation = (log: Log, limit: Deadline): Invocation => {
    const { sweepConcurrency } = config
    const onResult = (report: SecretReport): void => logResult(log, report)
    return { core: core(log), log, delivery: (id, sentAt) => ({ id, sentAt, deadline: limit, sweepConcurrency, onResult }) }
  }
  return limited(azure, context, (log, limit) => work(invocation(log, limit)), mostMs)
}

/** For triggers that take an answer by a throw alone. The error has the code as its name, and what to do in its message. */
export async function failing(log: () => Log, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (e) {
    const error = asKeyturnError(e)
    logFailure(log(), error)
    throw functionError(error)
  }
}

/** The worker tells the host message and stack, never the name (its src/setupEventStream.ts): the code is in the message too. */
function functionError({ code, message, todo }: KeyturnError): Error {
  const error = new Error(`${code}: ${message}. ${todo}`)
  error.name = code
  return error
}
