import { KeyturnError } from './errors.ts'

/** The time that an invocation has left, less a margin to stop in. By a monotonic clock. */
export interface Deadline {
  /** Aborts network waits when the time is over. */
  readonly signal: AbortSignal
  readonly remainingMs: () => number
  /** Asked between two steps, never inside one: throws `unavailable/deadline` when less than `neededMs` is left. */
  readonly ensure: (neededMs: number) => void
  /** Frees the timer. */
  readonly end: () => void
}

/**
 * @param remainingMs what the host says is left (Lambda: context.getRemainingTimeInMillis()).
 * @param marginMs kept back for the answer and the log.
 */
export function deadline(remainingMs: number, marginMs = 500): Deadline {
  const ends = performance.now() + remainingMs - marginMs
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), Math.max(0, Math.min(remainingMs - marginMs, 2 ** 31 - 1)))
  timer.unref?.()
  const left = (): number => ends - performance.now()
  return {
    signal: abort.signal,
    remainingMs: left,
    ensure: (neededMs) => {
      if (left() < neededMs)
        throw new KeyturnError('unavailable/deadline', `${Math.max(0, Math.round(left()))} ms left, ${neededMs} ms needed`)
    },
    end: () => clearTimeout(timer)
  }
}
