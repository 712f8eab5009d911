import { type Bounds, bounded, isGzip } from './gunzip.ts'
import { afterSpace, afterValue } from './json-fields.ts'
import type { Format } from './reader.ts'
import type { Records } from './recognise.ts'
import { isLines, lines, type Splitter, values } from './split.ts'

/** One log: a file, an object, what a pipe gives. */
export interface LogSource {
  readonly name: string
  /** As it lies there; undefined: not known before its end. */
  readonly bytes: number | undefined
  /** Read before up to here, of bytes as they lie there; only what grows by lines, and is not packed, is read on. */
  readonly from?: number | undefined
  /** More lines may be written to it: a line at its end that is half of one is left for the next run. */
  readonly isGrowing?: boolean | undefined
  /** Undefined: it tells itself. */
  readonly format?: Format | undefined
  open(from: number): AsyncIterable<Uint8Array>
}

/** A log that is held in memory. */
export const heldLog = (name: string, bytes: Uint8Array, format?: Format): LogSource => ({
  ...{ name, bytes: bytes.length, format },
  open: async function* () {
    yield bytes
  }
})

export interface Decoded {
  /** After decompression. */
  readonly bytes: number
  /** Where the next run goes on, when it has grown; 0 for what does not grow by lines: then all of it is read again. */
  readonly offset: number
}

export interface Watch {
  /** Where: bytes after decompression, from the beginning of the source. */
  readonly damaged: (offset: number, why: string) => void
  /** Bytes as they lie there. */
  readonly progressed: (bytes: number) => void
  /** Where it was when reading it failed; what comes before was read. */
  readonly stopped: (offset: number) => void
}

/** A record longer than this is not read: it is damage. Vault's longest lines, of lists, are tens of MB. */
const MOST_RECORD = 32 * 2 ** 20
const FIRST_BUFFER = 2 * 2 ** 20

/** Of the log before: a folder has thousands of small ones, and nothing of it is used when it is over. */
let spare: Buffer | undefined
/** So much tells how it is laid out. */
const HEAD = 512
const [NEWLINE, OPEN] = [10, 123]
const BYTE_ORDER_MARK = Buffer.from('\ufeff')

/**
 * Reads a log to its end in one pass, with as much memory as its longest record. What can be read is read; where it is
 * damaged is told and never thrown. Throws what the source throws, and `invalid/log` for what is bigger than the bounds.
 */
export async function decode(source: LogSource, records: Records, bounds: Bounds, watch: Watch): Promise<Decoded> {
  const from = source.from ?? 0
  records.begin(source.format)
  let [buffer, held, base] = [spare ?? Buffer.allocUnsafe(FIRST_BUFFER), 0, from]
  spare = undefined
  let splitter: Splitter | undefined
  let isSkipping = false
  let isByLines = false
  const damaged = (at: number, why: string): void => watch.damaged(base + at, why)

  const begun = (): Splitter => {
    const mark = from === 0 && held >= 3 && buffer.subarray(0, 3).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0
    buffer.copyWithin(0, mark, held)
    held -= mark
    base += mark
    isByLines = isLines(buffer.subarray(0, held))
    return isByLines ? lines(records, damaged) : values(records, damaged)
  }
  const split = (isLast: boolean): void => {
    splitter ??= begun()
    const used = splitter.split(buffer, held, isLast)
    records.release(damaged)
    buffer.copyWithin(0, used, held)
    held -= used
    base += used
  }
  const roomFor = (chunk: Uint8Array): void => {
    if (held + chunk.length <= buffer.length) return
    const bigger = Buffer.allocUnsafe(Math.max(buffer.length * 2, held + chunk.length))
    buffer.copy(bigger, 0, 0, held)
    buffer = bigger
  }
  /** A line that is too long is left out up to its end. */
  const afterTooLong = (chunk: Uint8Array): Uint8Array => {
    if (!isSkipping) return chunk
    const end = chunk.indexOf(NEWLINE)
    isSkipping = end < 0
    const gone = end < 0 ? chunk.length : end + 1
    base += gone
    return chunk.subarray(gone)
  }
  const take = (given: Uint8Array): void => {
    const chunk = afterTooLong(given)
    roomFor(chunk)
    buffer.set(chunk, held)
    held += chunk.length
    if (splitter || held >= HEAD) split(false)
    if (held > MOST_RECORD) {
      damaged(0, `a record longer than ${MOST_RECORD / 2 ** 20} MiB`)
      base += held
      ;[held, isSkipping] = [0, true]
      buffer = Buffer.allocUnsafe(FIRST_BUFFER)
    }
  }
  const [chunks, isPacked] = await opened(source, from, watch)
  try {
    for await (const given of bounded(chunks, isPacked, bounds)) take(given)
  } catch (e) {
    if (!splitter) split(false)
    watch.stopped(base + held)
    throw e
  }
  split(false)
  const isLeft = isByLines && !isPacked && source.isGrowing === true && !isObject(buffer, held)
  if (!isLeft) split(true)
  if (buffer.length === FIRST_BUFFER) spare = buffer
  return { bytes: base + held - from, offset: isByLines && !isPacked ? base : 0 }
}

/** A whole object, of which no half is one. What a device or a collector puts before it may be before it. */
function isObject(bytes: Buffer, to: number): boolean {
  const from = bytes.subarray(0, to).indexOf(OPEN)
  return from >= 0 && afterSpace(bytes, afterValue(bytes, from, to), to) === to
}

/** The bytes, and whether they are packed, which the first two of them tell. */
async function opened(
  source: LogSource,
  from: number,
  { progressed }: Watch
): Promise<[chunks: AsyncIterable<Uint8Array>, isPacked: boolean]> {
  const chunks = told(source.open(from), progressed)
  let head = Buffer.alloc(0)
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    head = Buffer.concat([head, next.value])
    if (head.length >= 2) break
  }
  const all = async function* () {
    try {
      yield head
      yield* chunks
    } finally {
      await chunks.return(undefined)
    }
  }
  return [all(), isGzip(head)]
}

async function* told(chunks: AsyncIterable<Uint8Array>, progressed: Watch['progressed']): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of chunks) {
    progressed(chunk.length)
    yield chunk
  }
}
