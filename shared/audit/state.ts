import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { KeyturnError } from '../errors.ts'
import { jsonIn } from '../json-in.ts'
import type { Finding } from './finding.ts'
import { membersOf } from './members.ts'
import { seen } from './seen.ts'
import { emptyTally, type Tally } from './tally.ts'

/** What is kept between runs, in one object. */
export interface AuditState {
  readonly tally: Tally
  /** Ids of events that were counted. */
  readonly seen: ReturnType<typeof seen>
  /** Objects that were read, by name; archive.ts says which are forgotten. */
  readonly objects: Map<string, ObjectRead>
  /** By what was listed to its end: objects in it that were last changed before this, ms since the epoch, are taken for read. */
  readonly listedSince: Map<string, number>
  review: Review | undefined
  /** Findings that people were told of, and when: what is said once is not said with every run. */
  readonly told: Map<string, number>
  /** Findings that not every channel took yet. */
  readonly untold: Untold[]
  /** Findings of the last days, the worst first. */
  recent: readonly Finding[]
}

export interface Untold {
  readonly finding: Finding
  /** Those that still have to be told. */
  readonly channels: readonly string[]
}

export interface ObjectRead {
  readonly tag: string
  readonly changedAt: number
  /** Where the next run goes on. */
  readonly offset: number
}

/** The last time that a person looked at the policies. */
export interface Review {
  readonly at: number
  readonly reviewer: string
  /** By policy: what stood for its text, and when it was changed last, by the log's clock. */
  readonly policies: ReadonlyMap<string, { readonly hash: string; readonly changedAt: number }>
}

export const emptyState = (): AuditState => ({
  tally: emptyTally(),
  seen: seen(),
  objects: new Map(),
  listedSince: new Map(),
  review: undefined,
  told: new Map(),
  untold: [],
  recent: []
})

const VERSION = 1
const KIND = 'keyturn-audit-state'
/** After decompression; a state that is bigger was not written by this code. */
const MOST_BYTES = 1024 * 2 ** 20

/** One line that says what it is, and the rest, packed. */
export function encodeState({ seen, ...rest }: AuditState): Uint8Array {
  const [older, newer] = seen.hashes()
  const body = { ...rest, seen: [base64(older), base64(newer)] }
  const packed = gzipSync(JSON.stringify(body, packing))
  const head = { kind: KIND, version: VERSION, sha256: createHash('sha256').update(packed).digest('hex') }
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), packed])
}

/** Throws `invalid/state` for what is damaged, or of a version that this code does not know. */
export function decodeState(bytes: Uint8Array): AuditState {
  const end = bytes.indexOf(10)
  const head = membersOf(jsonIn(Buffer.from(bytes.subarray(0, Math.max(0, end))).toString('utf8')))
  if (head.kind !== KIND) throw new KeyturnError('invalid/state', 'this is no audit state')
  if (head.version !== VERSION)
    throw new KeyturnError(
      'invalid/state',
      `the audit state is of version ${Number(head.version)}, this keyturn knows ${VERSION}`
    )
  const packed = bytes.subarray(end + 1)
  if (createHash('sha256').update(packed).digest('hex') !== head.sha256)
    throw new KeyturnError('invalid/state', 'the audit state is damaged: its checksum differs')
  const body = JSON.parse(gunzipSync(packed, { maxOutputLength: MOST_BYTES }).toString('utf8'), unpacking)
  const known = seen()
  for (const text of body.seen) known.restore(floats(text))
  return { ...body, seen: known }
}

/** Maps, sets and numbers that JSON has not. */
function packing(_: string, value: unknown): unknown {
  if (value instanceof Map) return { $map: [...value] }
  if (value instanceof Set) return { $set: [...value] }
  return typeof value === 'number' && !Number.isFinite(value) ? { $number: String(value) } : value
}

function unpacking(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('$map' in value) return new Map(value.$map as [unknown, unknown][])
  if ('$set' in value) return new Set(value.$set as unknown[])
  return '$number' in value ? Number(value.$number) : value
}

const base64 = (hashes: Float64Array): string =>
  Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength).toString('base64')

function floats(text: string): Float64Array {
  const bytes = Buffer.from(text, 'base64')
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}
