import type { Delivery } from '../../shared/act.ts'
import { type Deadline, deadline } from '../../shared/deadline.ts'
import { logResult } from '../../shared/report.ts'
import type { Instant } from '../../shared/types.ts'
import type { Gcp } from './compose.ts'

/** Kept back for the answer: after its timeout a function is not heard any more. */
const MARGIN_MS = 2_000

/** Works inside the run's time limit, or inside `mostMs` where that is shorter. */
export async function within<T>({ settings, enter }: Gcp, mostMs: number, work: (limit: Deadline) => Promise<T>): Promise<T> {
  const leave = enter()
  const limit = deadline(Math.min(settings.runLimitMs, mostMs), MARGIN_MS)
  try {
    return await work(limit)
  } finally {
    limit.end()
    await leave()
  }
}

export const deliveryOf = ({ config, log }: Gcp, limit: Deadline, id: string, sentAt?: Instant): Delivery => ({
  id,
  sentAt,
  deadline: limit,
  sweepConcurrency: config.sweepConcurrency,
  onResult: (report) => logResult(log, report)
})
