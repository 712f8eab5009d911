import type { Framework } from '../controls.ts'

/** What an output says of itself. */
export interface About {
  /** Of keyturn: `0.1.0`. */
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly generatedAt: number
  /** Controls of this one only; undefined: of all. */
  readonly framework?: Framework | undefined
}

/** ISO 8601, UTC. */
export const isoTime = (at: number): string => new Date(at).toISOString()
