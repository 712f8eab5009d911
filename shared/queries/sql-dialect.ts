import type { SignalRow } from '../ports/audit-query.ts'
import { namesByKind } from './asked.ts'

/**
 * What the SQL of two services says differently. The questions (sql-questions.ts) are written in what both understand, and
 * ask one relation, `events`: what AuditEvent has, a row an event, each event once. A text is never null; where there is
 * none, it is empty.
 *
 * id, ms (since the epoch), account, kind, operation, outcome, identity, identity_name, identity_type, is_compute, address,
 * network, secret, secret_name, ttl (seconds; null: no token was given out; FOREVER: it never ends), source
 */
export interface SqlDialect {
  readonly store: SignalRow['store']
  /** Common table expressions, the last of which is `events`: those at or after `from`, and before `until`. */
  events(from: number, until: number): string
  /** Of an hour since the epoch, in a time zone: `00` to `23`, `1` Monday to `7`, `2026-07-01`. Texts. */
  local(hour: string, zone: string, what: 'hour' | 'weekday' | 'day'): string
  /** The group of a pattern in a text; empty where it does not match. */
  extract(text: string, pattern: string): string
}

/** A text that is known to have no single quote in it: a constant, or of a form that asked.ts has checked. */
export const quoted = (text: string): string => `'${text}'`
export const listed = (texts: readonly string[]): string => texts.map(quoted).join(', ')

/** APIs as a log names them, and the operations of each. */
export type Apis = Iterable<readonly [api: string, operations: ReadonlyMap<string, { readonly kind: string }>]>

/** Whether a record is of an operation that is known. */
export const isKnown = (apis: Apis, api: string, operation: string): string =>
  [...apis]
    .map(([name, operations]) => `${api} = ${quoted(name)} AND ${operation} IN (${listed([...operations.keys()])})`)
    .join('\n      OR ')

/** What an operation is. */
export function kindOf(apis: Apis, api: string, operation: string): string {
  const named = [...apis].flatMap(([name, operations]) => [...operations].map(([one, what]) => [`${name}/${one}`, what] as const))
  const cases = [...namesByKind(named)].map(
    ([kind, names]) => `WHEN CONCAT(${api}, '/', ${operation}) IN (${listed(names)}) THEN ${quoted(kind)}`
  )
  return `CASE ${cases.join('\n      ')} ELSE 'other' END`
}

/** Rounded down. */
export const whole = (value: string): string => `CAST(FLOOR(${value}) AS BIGINT)`

/** The first of some texts that is there and not empty, or empty. */
export const firstOf = (...texts: readonly string[]): string =>
  `COALESCE(${texts.map((text) => `NULLIF(${text}, '')`).join(', ')}, '')`

const V4 = '(\\d{1,3}\\.\\d{1,3}\\.\\d{1,3})\\.\\d{1,3}$'
const V6 = '^([0-9a-fA-F:]*:[0-9a-fA-F:.]*)$'

/** Empty for what is no address: a name of the cloud's own. */
export const addressIn = ({ extract }: SqlDialect, text: string): string => {
  const is = firstOf(extract(text, `^(?:::ffff:)?${V4}`), extract(text, V6))
  return `CASE WHEN ${is} <> '' THEN ${text} ELSE '' END`
}

/**
 * As networkOf of the engine: /24, or /48 by its first three groups. Of an address that begins with zeros, `::`, they are
 * zero; none of the internet does.
 */
export const networkOf = ({ extract }: SqlDialect, address: string): string => {
  const before = extract(address, '^(.*?)(?:::|$)')
  const group = (skipped: number): string => {
    const digits = extract(before, `^(?:[^:]*:){${skipped}}0*([^:]*)`)
    return `COALESCE(NULLIF(LOWER(${digits}), ''), '0')`
  }
  const v4 = extract(address, `^(?:::ffff:)?${V4}`)
  const v6 = [0, 1, 2].map((skipped) => group(skipped)).join(`, ':', `)
  return `CASE WHEN ${v4} <> '' THEN CONCAT(${v4}, '.0/24') WHEN ${address} <> '' THEN CONCAT(${v6}, '::/48') ELSE '' END`
}
