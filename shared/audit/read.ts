import { DAY_MS } from '../duration.ts'
import { asKeyturnError, type Code, KeyturnError } from '../errors.ts'
import { counter } from './count.ts'
import { decode, type LogSource } from './decode.ts'
import type { AuditEvent } from './event.ts'
import type { Bounds } from './gunzip.ts'
import type { Format } from './reader.ts'
import { type Records, records } from './recognise.ts'
import { references } from './references.ts'
import type { Seen } from './seen.ts'
import type { AuditSettings } from './settings.ts'
import { SIGNALS } from './signals.ts'
import type { Damage, SourceRow } from './summary.ts'
import { emptyTally, type Tally } from './tally.ts'

export interface Reading {
  readonly settings: AuditSettings
  readonly seen: Seen
  readonly bounds: Bounds
  /** Milliseconds since the epoch; events outside are left out. */
  readonly since: number | undefined
  readonly until: number | undefined
  /** What is later than this, by more than a day, is of a wrong clock. */
  readonly clock: number
  readonly signal?: AbortSignal | undefined
  readonly progressed?: ((bytes: number, source: Pick<LogSource, 'name'>) => void) | undefined
  /** Every event that counts, for who wants them one by one. */
  readonly each?: ((event: AuditEvent) => void) | undefined
  /** What was asked and not answered in these sources, as lines: its answer may be in another part. Default: it counts. */
  readonly waiting?: ((lines: readonly Uint8Array[]) => void) | undefined
}

/** What reading logs gave. */
export interface ReadLogs {
  readonly tally: Tally
  readonly sources: SourceRow[]
  readonly damage: Damage[]
  readonly offsets: Map<string, number>
  records: number
  events: number
  malformed: number
  duplicates: number
  outside: number
  future: number
  bytes: number
  first: number
  last: number
}

export const emptyRead = (): ReadLogs => ({
  ...{ tally: emptyTally(), sources: [], damage: [], offsets: new Map() },
  ...{ records: 0, events: 0, malformed: 0, duplicates: 0, outside: 0, future: 0, bytes: 0 },
  ...{ first: Number.POSITIVE_INFINITY, last: 0 }
})

const [MOST_DAMAGE, MOST_SOURCES] = [20, 1_000]

/** Reads logs one after the other into one tally. What cannot be read is said and does not end it; a lost source does. */
export async function readLogs(sources: AsyncIterable<LogSource> | Iterable<LogSource>, reading: Reading): Promise<ReadLogs> {
  const read = emptyRead()
  const row = { ...NO_ROW }
  const all = counted(records(references(), taking(read, row, reading)), read, row)
  for await (const source of sources) {
    Object.assign(row, NO_ROW)
    const problem = await readOne(source, all, read, row, reading)
    const seen = row.events > 0 ? { first: row.first, last: row.last } : { first: undefined, last: undefined }
    const format: Format | undefined = all.format()
    if (read.sources.length < MOST_SOURCES) read.sources.push({ name: source.name, format, events: row.events, ...seen, problem })
  }
  if (reading.waiting) reading.waiting(all.waiting())
  else all.flush()
  return read
}

/** Of one source. `taken`: records that are of a known log. */
interface Row {
  taken: number
  events: number
  first: number
  last: number
}

const NO_ROW: Row = { taken: 0, events: 0, first: Number.POSITIVE_INFINITY, last: 0 }

/** So many records, and none of a known log: it is something else. */
const MOST_STRANGE = 20

/** Counts what is offered, where it is taken or not. */
const counted = (all: Records, read: ReadLogs, row: Row): Records => ({
  ...all,
  whole: (bytes, from, to) => {
    read.records++
    const isTaken = all.whole(bytes, from, to)
    if (isTaken) row.taken++
    return isTaken
  },
  started: (bytes, from, to) => {
    const end = all.started?.(bytes, from, to) ?? -1
    if (end > 0) {
      read.records++
      row.taken++
    }
    return end
  }
})

/** Returns what was wrong with the log as a whole. */
async function readOne(source: LogSource, all: Records, read: ReadLogs, row: Row, reading: Reading): Promise<string | undefined> {
  const damage: Damage[] = []
  let [reached, count] = [source.from ?? 0, 0]
  const damaged = (offset: number, why: string): void => {
    count++
    reached = offset
    if (damage.length < MOST_DAMAGE) damage.push({ source: source.name, offset, why })
    if (row.taken === 0 && count === MOST_STRANGE) throw strange()
  }
  const told = (problem?: string): string | undefined => {
    read.malformed += count
    read.damage.push(...damage.slice(0, MOST_DAMAGE - read.damage.length))
    return problem
  }
  const stopped = (offset: number): void => {
    reached = offset
  }
  const progressed = (bytes: number): void => {
    reading.signal?.throwIfAborted()
    reading.progressed?.(bytes, source)
  }
  try {
    const { bytes, offset } = await decode(source, all, reading.bounds, { damaged, progressed, stopped })
    read.bytes += bytes
    if (row.taken === 0 && count > 0) throw strange()
    read.offsets.set(source.name, offset)
    return told()
  } catch (e) {
    if (reading.signal?.aborted) throw new KeyturnError('unavailable/deadline', 'the time for reading logs is over')
    const { code, message } = asKeyturnError(e)
    if (!OF_ONE_SOURCE.includes(code)) throw e
    const isStrange = row.taken === 0
    if (isStrange) damage.splice(0, damage.length)
    count = isStrange ? 1 : count + 1
    damage.push({ source: source.name, offset: isStrange ? 0 : reached, why: message })
    return told(`${code}: ${message}`)
  }
}

/** What is wrong with one log and says nothing of the others: it is gone, or was moved to an archive class. */
const OF_ONE_SOURCE: readonly Code[] = ['invalid/log', 'invalid/object', 'not-found/object']

const strange = (): KeyturnError => new KeyturnError('invalid/log', 'nothing at its beginning is a record of any known log')

/** Takes an event once, where it is of the period. */
function taking(read: ReadLogs, row: Row, reading: Reading): (event: AuditEvent) => void {
  const { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY, clock, seen, each } = reading
  const count = counter(read.tally, reading.settings, SIGNALS)
  return (event) => {
    const { at } = event
    if (at < since || at >= until) {
      read.outside++
      return
    }
    if (at > clock + DAY_MS) {
      read.future++
      return
    }
    if (seen.add(event.id)) {
      read.duplicates++
      return
    }
    read.events++
    row.events++
    if (at < row.first) row.first = at
    if (at > row.last) row.last = at
    if (at < read.first) read.first = at
    if (at > read.last) read.last = at
    count(event)
    each?.(event)
  }
}
