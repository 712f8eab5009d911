import { type Deadline, deadline } from '../../shared/deadline.ts'
import { KeyturnError } from '../../shared/errors.ts'

/** A deadline that a person can bring forward: the step under way is finished, the next one is not begun. */
export function interruptible(timeoutMs: number, interrupted: AbortSignal): Deadline {
  const limit = deadline(timeoutMs, 0)
  return {
    ...limit,
    ensure: (neededMs) => {
      if (interrupted.aborted) throw new KeyturnError('unavailable/deadline', 'interrupted between two steps')
      limit.ensure(neededMs)
    }
  }
}
