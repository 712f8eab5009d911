import type { KeyturnError } from '../errors.ts'
import type { Notice } from './notifier.ts'

/** A channel that a notice did not get through to, and why. */
export interface Untold {
  /** The notifier's name. */
  readonly channel: string
  readonly error: KeyturnError
}

/**
 * Tells every channel of a deployment, all at once, and gives back those that it did not get through to. Never throws, and
 * ends in bounded time. A repeat of a notice's id within the same process goes to those channels alone that were not told.
 * `only`: what was given back before, by its `channel`; others are not told.
 */
export type Notify = (notice: Notice, signal: AbortSignal, only?: readonly string[]) => Promise<readonly Untold[]>
