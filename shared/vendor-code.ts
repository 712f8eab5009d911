import type { Code } from './errors.ts'
import { entryOf } from './table.ts'

/** A word of a vendor's own, such as an error code, that may be shown. */
export const wordIn = (value: unknown): string | undefined =>
  typeof value === 'string' && /^\w{1,100}$/.test(value) ? value : undefined

/** keyturn's code for a vendor's own; without one in the table the status tells who is denied, and the next look the rest. */
export const codeFor = (table: Readonly<Record<string, Code>>, vendor: string, status: number): Code =>
  entryOf(table, vendor) ?? (status === 401 || status === 403 ? 'denied/provider' : 'unavailable/provider')
