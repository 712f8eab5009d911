import { createHmac, randomBytes } from 'node:crypto'
import type { SecretText, Token } from '../types.ts'
import type { Valued, Version } from './azure-calls.ts'
import type { Lineage, Past, Sibling } from './azure-lineage.ts'

/** The last that this process saw of a secret. What it saw to be over stays over; all else may be old. */
export interface Seen {
  readonly main: Version
  readonly sibling: Sibling
  readonly lineage: Lineage
}

/**
 * What one process keeps between two calls, so that the same thing is not asked twice. Nothing here decides alone: what may
 * be old is used only where the journal proves that nobody wrote since.
 */
export interface Memory {
  seen(name: string): Seen | undefined
  note(name: string, seen: Seen): void
  /** Also the values: what is looked at anew is not answered from before. */
  forget(name: string): void
  /** Keeps a value for the one read that follows: a minute at most, and few of them. */
  keep(name: string, found: Valued): void
  take(name: string, id: string): Valued | undefined
  /** The value under which this process knows a token, for an hour: the first one that it was shown. */
  learn(token: Token, value: SecretText): void
  /** False, once: the value is not the one that was applied. What comes then is looked at anew. */
  agrees(token: Token, value: SecretText): boolean
  past(name: string, id: string): Past | undefined
  notePast(name: string, id: string, past: Past): void
}

const KEPT_MS = 60_000
const TOLD_MS = 3_600_000
const KEPT_VALUES = 16
const KEPT_OTHERS = 500

export function memoryOf(steadyMs: () => number): Memory {
  const seen = bounded<Seen>(KEPT_OTHERS)
  const values = bounded<{ readonly found: Valued; readonly untilMs: number }>(KEPT_VALUES)
  const pasts = bounded<Past>(KEPT_OTHERS)
  const key = (name: string, id = ''): string => `${name.toLowerCase()}/${id}`
  return {
    seen: (name) => seen.get(key(name)),
    note: (name, what) => seen.set(key(name), what),
    forget: (name) => {
      seen.delete(key(name))
      values.deleteAll((k) => k.startsWith(key(name)))
    },
    keep: (name, found) => {
      values.set(key(name, found.id), { found, untilMs: steadyMs() + KEPT_MS })
      // Also where nobody asks any more.
      setTimeout(() => values.deleteAll((_, { untilMs }) => untilMs < steadyMs()), KEPT_MS + 1).unref()
    },
    take: (name, id) => {
      const kept = values.get(key(name, id))
      values.delete(key(name, id))
      return kept && kept.untilMs >= steadyMs() ? kept.found : undefined
    },
    ...appliedValues(steadyMs),
    past: (name, id) => pasts.get(key(name, id)),
    notePast: (name, id, past) => pasts.set(key(name, id), past)
  }
}

function appliedValues(steadyMs: () => number): Pick<Memory, 'learn' | 'agrees'> {
  const told = bounded<{ readonly digest: string; readonly untilMs: number }>(KEPT_OTHERS)
  const digestOf = digestWith(randomBytes(32))
  const forgetOld = (): void => told.deleteAll((_, { untilMs }) => untilMs < steadyMs())
  return {
    learn: (token, value) => {
      forgetOld()
      if (!told.get(token)) told.set(token, { digest: digestOf(value), untilMs: steadyMs() + TOLD_MS })
    },
    agrees: (token, value) => {
      forgetOld()
      const before = told.get(token)
      if (!before || before.digest === digestOf(value)) return true
      told.delete(token)
      return false
    }
  }
}

/** A document may hold a password that a person chose: without the key, which is of this process, nothing can be guessed. */
const digestWith =
  (key: Buffer) =>
  (value: SecretText): string =>
    createHmac('sha256', key).update(value.reveal()).digest('hex')

/** The newest so many. */
function bounded<T>(most: number) {
  const kept = new Map<string, T>()
  return {
    get: (key: string): T | undefined => kept.get(key),
    set: (key: string, value: T): void => {
      kept.delete(key)
      kept.set(key, value)
      for (const oldest of kept.keys()) {
        if (kept.size <= most) break
        kept.delete(oldest)
      }
    },
    delete: (key: string): void => void kept.delete(key),
    deleteAll: (is: (key: string, value: T) => boolean): void => {
      for (const [key, value] of kept) if (is(key, value)) kept.delete(key)
    }
  }
}
