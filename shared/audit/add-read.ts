import { addTally } from './merge.ts'
import type { ReadLogs } from './read.ts'
import type { SourceRow } from './summary.ts'

const SUMS = ['records', 'events', 'malformed', 'duplicates', 'outside', 'future', 'bytes'] as const

/** Adds what reading one part of the logs gave to what reading the others gave. */
export function addRead(into: ReadLogs, from: ReadLogs): void {
  addTally(into.tally, from.tally)
  for (const member of SUMS) into[member] += from[member]
  into.first = Math.min(into.first, from.first)
  into.last = Math.max(into.last, from.last)
  into.damage.push(...from.damage)
  for (const [name, offset] of from.offsets) into.offsets.set(name, Math.max(offset, into.offsets.get(name) ?? 0))
  for (const row of from.sources) {
    const at = into.sources.findIndex(({ name }) => name === row.name)
    const known = into.sources[at]
    if (known) into.sources[at] = joinedRow(known, row)
    else into.sources.push(row)
  }
}

const joinedRow = (a: SourceRow, b: SourceRow): SourceRow => ({
  name: a.name,
  format: a.format ?? b.format,
  events: a.events + b.events,
  first: least(a.first, b.first),
  last: a.last === undefined ? b.last : Math.max(a.last, b.last ?? 0),
  problem: a.problem ?? b.problem
})

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : Math.min(a, b ?? Number.POSITIVE_INFINITY)
