/** Of an AbortSignal, and of the one that Azure's SDKs declare. */
interface Signal {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** Waits for work that knows no signal, but no longer than a signal lets: `over` is thrown then, and the work goes on unheard. */
export async function unlessAborted<T>(work: Promise<T>, signal: Signal | undefined, over: () => Error): Promise<T> {
  if (!signal) return work
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(over())
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
