import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { expect } from 'vitest'
import { recordsIn } from '../../shared/audit/envelopes.ts'
import { type AuditEvent, KINDS } from '../../shared/audit/event.ts'
import type { Reader } from '../../shared/audit/reader.ts'
import { type References, references } from '../../shared/audit/references.ts'

export interface Read {
  /** Whether the record was taken for one of the format. */
  readonly isTaken: boolean
  readonly events: readonly AuditEvent[]
}

export function read(reader: Reader, record: unknown): Read {
  const events: AuditEvent[] = []
  const isTaken = reader.read(record, (event) => events.push(event))
  return { isTaken, events }
}

/** What a well formed record gives that nobody needs to see. */
export const NOTHING: Read = { isTaken: true, events: [] }
/** What a record gives that lacks what it must have, or is of another format. */
export const REFUSED: Read = { isTaken: false, events: [] }

const EVENTS = resolve(import.meta.dirname, '../../events')

export type Json = Readonly<Record<string, unknown>>

/** Records of `events/CLOUD/audit` by the names of their files, and what a new reader makes of one. */
export function shelf(cloud: 'azure' | 'gcp', makeReader: (refs: References) => Reader) {
  const folder = join(EVENTS, cloud, 'audit')
  const records = new Map(
    globSync('*.json', { cwd: folder }).map((file) => [
      file.replace(/\.json$/, ''),
      JSON.parse(readFileSync(join(folder, file), 'utf8')) as Json
    ])
  )
  const readOne = (one: unknown): Read => read(makeReader(references()), one)
  return {
    names: [...records.keys()].sort(),
    record: (name: string): Json => {
      const found = records.get(name)
      if (!found) throw new Error(`no record ${name}`)
      return (recordsIn(found)?.[0] ?? found) as Json
    },
    readOne,
    eventOf: (one: unknown): AuditEvent | undefined => readOne(one).events[0]
  }
}

/** A record with another value at a path: `properties.httpStatusCode`. Undefined takes the member away. */
export function withMember(record: Json, path: string, value: unknown): Json {
  const [name = '', ...rest] = path.split('.')
  const inner = rest.length === 0 ? value : withMember((record[name] ?? {}) as Json, rest.join('.'), value)
  return Object.fromEntries(Object.entries({ ...record, [name]: inner }).filter(([, member]) => member !== undefined))
}

/** Every place in a JSON value, as the names on the way there. */
const placesIn = (value: unknown): readonly (readonly string[])[] =>
  typeof value !== 'object' || value === null
    ? [[]]
    : [[], ...Object.entries(value).flatMap(([name, inner]) => placesIn(inner).map((rest) => [name, ...rest]))]

function replaced(value: unknown, [name, ...rest]: readonly string[], other: unknown): unknown {
  if (name === undefined) return other
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>
  copy[name] = replaced(copy[name], rest, other)
  return copy
}

const DEEP = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown
const HOSTILE = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(undefined, DEEP, [DEEP], { '0': DEEP }, JSON.parse('{"__proto__":{"code":7}}'), '', 'constructor')
)

/**
 * Reads whatever JSON can be, and real records of which any place holds something else. Throws where the reader does, where it
 * emits from what it refuses, and where an event is not what an event must be.
 */
export function provokes(reader: Reader, records: readonly unknown[]): void {
  const check = (record: unknown): void => {
    const { isTaken, events } = read(reader, record)
    expect(typeof isTaken).toBe('boolean')
    if (!isTaken) expect(events).toEqual([])
    for (const { id, at, account, kind, operation, address, issuer, policy, marks } of events) {
      expect([id, account, operation, address, issuer, policy].map((text) => typeof text)).toEqual(Array(6).fill('string'))
      expect([Number.isInteger(at), Number.isInteger(marks), KINDS.includes(kind)]).toEqual([true, true, true])
    }
  }
  const settings = { seed: 6, numRuns: 2_000 }
  fc.assert(fc.property(HOSTILE, check), settings)
  const changed = fc
    .constantFrom(...records)
    .chain((record) => fc.tuple(fc.constant(record), fc.constantFrom(...placesIn(record)), HOSTILE))
  fc.assert(
    fc.property(changed, ([record, place, other]) => check(replaced(record, place, other))),
    settings
  )
}
