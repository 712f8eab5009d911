import { createHash } from 'node:crypto'
import { isIP } from 'node:net'

/** A look into parsed JSON that nobody has checked: whatever is not of the kind asked for is nothing, and nothing throws. */
export type Members = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value)

const NOTHING: Members = {}

export const membersOf = (value: unknown): Members => (isObject(value) ? value : NOTHING)

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** A number, or a text that is one, as logs write those that are long; else NaN. */
export const numberOf = (value: unknown): number =>
  typeof value === 'number' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : Number.NaN

/** Milliseconds since the epoch of an RFC 3339 time, or of one whose offset has no colon; else NaN. */
export const timeIn = (value: unknown): number =>
  typeof value === 'string' && RFC_3339.test(value) ? Date.parse(value) : Number.NaN

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/

/** Empty for what is no address: `private`, `gce-internal-ip`. */
export const addressOf = (value: unknown): string => (typeof value === 'string' && isIP(value) !== 0 ? value : '')

/** SHA-256 of the JSON, in hex. Empty where it is nested so deep that it cannot be written. */
export function hashOf(value: unknown): string {
  try {
    return createHash('sha256').update(JSON.stringify(value)).digest('hex')
  } catch {
    return ''
  }
}
