/** The way out of what `enter` began; a repeat does nothing. */
export type Leave = () => Promise<void>

/**
 * Counts who is inside, and runs `last` when the last one leaves: what is shared by the invocations of one process must not
 * be ended under those that go on.
 */
export function lastOut(last: () => Promise<void>): () => Leave {
  let inside = 0
  return () => {
    let left = false
    inside++
    return async () => {
      if (left) return
      left = true
      inside--
      if (inside === 0) await last()
    }
  }
}

/** Where there is nothing to end. */
export const nothingToEnd = (): Leave => async () => {}
