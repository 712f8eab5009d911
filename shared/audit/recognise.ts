import { jsonIn } from '../json-in.ts'
import { recordsIn } from './envelopes.ts'
import { cloudTrailReader } from './from-cloudtrail.ts'
import { gcpReader, isGcp } from './from-gcp.ts'
import { isKeyVault, keyVaultReader } from './from-key-vault.ts'
import { vaultReader } from './from-vault.ts'
import { isVaultServer, vaultServerReader } from './from-vault-server.ts'
import { isObject } from './members.ts'
import type { Emit, Format, Reader } from './reader.ts'
import type { References } from './references.ts'
import { NO_RECORD, type Take } from './split.ts'

/** Reads records of every format that is known, each by its own reader, whatever they are wrapped in. */
export interface Records extends Take {
  /** What was read last. */
  format(): Format | undefined
  /** A new source begins: of a stated format, or of one that tells itself. */
  begin(stated: Format | undefined): void
  /** The bytes that were given are about to change. `damaged`: what was taken and turned out to be no record. */
  release(damaged: (at: number, why: string) => void): void
  /** All sources are read: what was asked and not answered counts now, */
  flush(): void
  /** or is left to whoever reads the rest of the log, as lines. */
  waiting(): readonly Uint8Array[]
}

const isVault = (record: unknown): boolean => isObject(record) && isObject(record.request) && typeof record.type === 'string'
const isCloudTrail = (record: unknown): boolean => isObject(record) && 'eventSource' in record && 'eventName' in record

/** Envelopes in envelopes: a subscription of a queue of records. */
const DEEPEST = 4

export function records(refs: References, emit: Emit): Records {
  const vault = vaultReader(refs)
  const cloudTrail = cloudTrailReader(refs)
  const ofBytes = (format: Format, read: (bytes: Uint8Array) => boolean): Reader => ({
    format,
    read: (record) => {
      const bytes = bytesOf(record)
      return bytes !== undefined && read(bytes)
    }
  })
  const table: readonly (readonly [is: (record: unknown) => boolean, reader: Reader])[] = [
    [isVault, ofBytes('vault', (bytes) => vault.read(bytes, 0, bytes.length, emit))],
    [isCloudTrail, ofBytes('cloudtrail', (bytes) => cloudTrail.read(bytes, 0, bytes.length, emit) > 0)],
    [isKeyVault, keyVaultReader(refs)],
    [isGcp, gcpReader(refs)],
    [isVaultServer, vaultServerReader(refs)]
  ]
  let format: Format | undefined
  let stated: Format | undefined

  const value = (record: unknown, depth = 0): boolean => {
    if (typeof record === 'string') return text(record, depth)
    for (const [is, reader] of table) {
      if ((stated ?? reader.format) !== reader.format || !is(record)) continue
      format = reader.format
      return reader.read(record, emit)
    }
    const inside = depth < DEEPEST ? recordsIn(record) : undefined
    return inside?.map((one) => value(one, depth + 1)).every(Boolean) ?? false
  }
  /** A line, or a text inside an envelope: JSON, with what a device or a collector puts before it; else a server's log. */
  const text = (line: string, depth = 0): boolean => {
    if (isVaultServer(line)) return server(line)
    const parsed = jsonIn(line) ?? jsonIn(line.slice(Math.max(0, line.indexOf('{'))))
    return typeof parsed === 'object' && value(parsed, depth)
  }
  const server = (line: string): boolean => {
    if (stated !== undefined && stated !== 'vault-server') return false
    format = 'vault-server'
    return table.some(([, reader]) => reader.format === 'vault-server' && reader.read(line, emit))
  }
  return {
    format: () => format,
    begin: (given) => {
      stated = given
      format = given
    },
    whole: (bytes, from, to) => {
      if (format === 'vault') {
        const at = afterPrefix(bytes, from, to)
        if (vault.read(bytes, at, to, emit)) return true
      }
      if (format === 'cloudtrail' && cloudTrail.read(bytes, from, to, emit) > 0) return true
      return text(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8'))
    },
    started: (bytes, from, to) => (format === 'cloudtrail' ? cloudTrail.read(bytes, from, to, emit) : NOT_STARTED),
    release: (damaged) => vault.release(emit, (at) => damaged(at, NO_RECORD)),
    flush: () => vault.flush(emit),
    waiting: vault.waiting
  }
}

/** As MALFORMED: the value is then cut out and recognised. */
const NOT_STARTED = -1
const OPEN = 123
const LONGEST_PREFIX = 256

function afterPrefix(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < Math.min(to, from + LONGEST_PREFIX); at++) if (bytes[at] === OPEN) return at
  return from
}

/** Undefined: it is nested deeper than can be written, and was written to be. */
function bytesOf(record: unknown): Buffer | undefined {
  try {
    return Buffer.from(JSON.stringify(record))
  } catch {
    return undefined
  }
}
