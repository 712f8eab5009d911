import { gzipSync } from 'node:zlib'
import type { LogSource } from '../../shared/audit/decode.ts'
import type { AuditEvent } from '../../shared/audit/event.ts'
import { BOUNDS } from '../../shared/audit/gunzip.ts'
import { type Reading, type ReadLogs, readLogs } from '../../shared/audit/read.ts'
import { seen } from '../../shared/audit/seen.ts'
import { AUDIT_DEFAULTS } from '../../shared/audit/settings.ts'

/** Later than all events of the tests. */
export const CLOCK = Date.UTC(2026, 11, 31)

/** Bytes in parts of a size, each in the same memory: a part is gone when the next one is asked for. */
export async function* inParts(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const memory = Buffer.alloc(Math.min(size, bytes.length))
  for (let at = 0; at < bytes.length; at += size) {
    const length = Math.min(size, bytes.length - at)
    memory.set(bytes.subarray(at, at + length))
    yield memory.subarray(0, length)
    memory.fill('}')
  }
}

export const ALL_AT_ONCE = Number.POSITIVE_INFINITY

/** A log of these bytes, read in parts. */
export function logOf(content: string | Uint8Array, size = ALL_AT_ONCE, more: Partial<LogSource> = {}): LogSource {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return { name: 'log', bytes: bytes.length, open: (from) => inParts(bytes.subarray(from), size), ...more }
}

export interface ReadAll extends ReadLogs {
  /** Those that count. */
  readonly all: readonly AuditEvent[]
  readonly ids: readonly string[]
}

export async function readAll(
  sources: Iterable<LogSource> | AsyncIterable<LogSource>,
  more: Partial<Reading> = {}
): Promise<ReadAll> {
  const all: AuditEvent[] = []
  const read = await readLogs(sources, {
    ...{ settings: AUDIT_DEFAULTS, seen: seen(), bounds: BOUNDS, since: undefined, until: undefined, clock: CLOCK },
    each: (event) => void all.push(event),
    ...more
  })
  return { ...read, all, ids: all.map(({ id }) => id) }
}

/** As one gzip file, or as several one behind the other, cut anywhere. */
export function packed(content: string | Uint8Array, members = 1): Buffer {
  const bytes = Buffer.from(content)
  const size = Math.ceil(bytes.length / members)
  return Buffer.concat(Array.from({ length: members }, (_, n) => gzipSync(bytes.subarray(n * size, (n + 1) * size))))
}
