import { createHash } from 'node:crypto'
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
  /** The value under which this process knows a token: the first one that it was shown. */
  learn(token: Token, value: SecretText): void
  /** False, once: the value is not the one that was applied. What comes then is looked at anew. */
  agrees(token: Token, value: SecretText): boolean
  past(name: string, id: string): Past | undefined
  notePast(name: string, id: string, past: Past): void
}

const KEPT_MS = 60_000
const KEPT_VALUES = 16
const KEPT_OTHERS = 500

export function memoryOf(steadyMs: () => number): Memory {
  const seen = bounded<Seen>(KEPT_OTHERS)
  const values = bounded<{ readonly found: Valued; readonly untilMs: number }>(KEPT_VALUES)
  const told = bounded<string>(KEPT_OTHERS)
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
    learn: (token, value) => {
      if (told.get(token) === undefined) told.set(token, digestOf(value))
    },
    agrees: (token, value) => {
      const before = told.get(token)
      if (before === undefined || before === digestOf(value)) return true
      told.delete(token)
      return false
    },
    past: (name, id) => pasts.get(key(name, id)),
    notePast: (name, id, past) => pasts.set(key(name, id), past)
  }
}

/** In memory only. */
const digestOf = (value: SecretText): string => createHash('sha256').update(value.reveal()).digest('hex')

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
