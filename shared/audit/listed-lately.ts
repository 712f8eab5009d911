import { asKeyturnError, type KeyturnError } from '../errors.ts'
import type { SecretFacts } from '../ports/secret-store.ts'

type List = (signal: AbortSignal) => AsyncIterable<SecretFacts>

/** So long a list is good enough for reports, which count days. */
const GOOD_MS = 3_600_000

/**
 * A list that asks the store once an hour. Each list is an event in the store's own log: where that log starts the function,
 * one that lists each time would start itself for ever. A refusal, which is logged too, is remembered as well; what may be
 * better the next time is not.
 */
export function listedLately(list: List, now: () => number): List {
  let kept: { readonly at: number; readonly facts: readonly SecretFacts[]; readonly error: KeyturnError | undefined } | undefined
  return async function* (signal) {
    const at = now()
    if (kept && at - kept.at < GOOD_MS) {
      yield* kept.facts
      if (kept.error) throw kept.error
      return
    }
    const facts: SecretFacts[] = []
    try {
      for await (const one of list(signal)) {
        facts.push(one)
        yield one
      }
    } catch (e) {
      const error = asKeyturnError(e)
      if (!error.retryable) kept = { at, facts, error }
      throw error
    }
    kept = { at, facts, error: undefined }
  }
}
