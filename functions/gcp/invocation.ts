import type { Delivery } from '../../shared/act.ts'
import { type Deadline, deadline } from '../../shared/deadline.ts'
import type { KeyturnError } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import { logFailure, logResult } from '../../shared/report.ts'
import type { Instant } from '../../shared/types.ts'
import type { Gcp } from './compose.ts'

/** functions/docs/configuring/timeout. */
export const EVENT_LIMIT_MS = 540_000
export const HTTP_LIMIT_MS = 3_600_000

/** Kept back for the answer: after its timeout a function is not heard any more. */
const MARGIN_MS = 2_000

/** Works inside the run's time limit, or inside `mostMs` where that is shorter. */
export async function within<T>(
  { settings, enter }: Pick<Gcp, 'settings' | 'enter'>,
  mostMs: number,
  work: (limit: Deadline) => Promise<T>
): Promise<T> {
  const leave = enter()
  const limit = deadline(Math.min(settings.runLimitMs, mostMs), MARGIN_MS)
  try {
    return await work(limit)
  } finally {
    limit.end()
    await leave()
  }
}

/** Logs a failure, and gives the error to reject with: the framework prints its stack. */
export function failed(log: Log, error: KeyturnError): Error {
  logFailure(log, error)
  return Object.assign(new Error(`${error.message}. ${error.todo}`), { name: error.code })
}

export const deliveryOf = ({ config, log }: Gcp, limit: Deadline, id: string, sentAt?: Instant): Delivery => ({
  id,
  sentAt,
  deadline: limit,
  sweepConcurrency: config.sweepConcurrency,
  onResult: (report) => logResult(log, report)
})
