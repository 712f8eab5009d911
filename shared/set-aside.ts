import { KeyturnError } from './errors.ts'

/** The failures of single secrets in a list of many. */
export interface SetAside {
  /** Keeps what will fail again until somebody acts on it; throws everything else, which is no secret's own. */
  readonly put: (e: unknown) => undefined
  /** Throws the first that was kept. */
  readonly say: () => void
}

/** One secret that is denied, or cannot be understood, must not hide the others, nor stay hidden itself: it is said at the end. */
export function setAside(): SetAside {
  let first: KeyturnError | undefined
  return {
    put: (e) => {
      if (!(e instanceof KeyturnError) || e.retryable) throw e
      first ??= e
    },
    say: () => {
      if (first !== undefined) throw first
    }
  }
}
