/** Done once, by whoever asks first; a failure is not kept. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | undefined
  return async () => {
    const asked = kept ?? work()
    kept = asked
    try {
      return await asked
    } catch (e) {
      if (kept === asked) kept = undefined
      throw e
    }
  }
}
