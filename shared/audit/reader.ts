import type { AuditEvent } from './event.ts'

/** What a log is written in. */
export const FORMATS = ['vault', 'vault-server', 'cloudtrail', 'key-vault', 'gcp'] as const
export type Format = (typeof FORMATS)[number]

export type Emit = (event: AuditEvent) => void

/** Reads one record of one format. */
export interface Reader {
  readonly format: Format
  /**
   * `record`: a parsed JSON value; of a text log, the line. False: it is none of this format, or has not what a record must
   * have, and the caller counts and locates it. True: it was emitted, or is well formed and not about secrets. Never throws.
   */
  read(record: unknown, emit: Emit): boolean
}
