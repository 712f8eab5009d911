import { type FileHandle, open } from 'node:fs/promises'
import type { ArchivedLog } from '../../../shared/audit/archive.ts'
import { isGzip } from '../../../shared/audit/gunzip.ts'
import { isLines } from '../../../shared/audit/split.ts'

/** A part of a file, from the beginning of a line to the end of one. */
export interface Shard {
  readonly path: string
  readonly from: number
  /** Infinity: to the end. */
  readonly to: number
  readonly bytes: number
  readonly isGrowing: boolean
}

const SHARD_BYTES = 32 * 2 ** 20

/** Files of lines are cut; those that are packed, or one value, are not. */
export async function shardsOf(files: readonly ArchivedLog[]): Promise<readonly Shard[]> {
  const all = await Promise.all(
    files.map(async ({ name: path, from = 0, bytes = 0, isGrowing = false }): Promise<readonly Shard[]> => {
      const whole = { path, from, to: Number.POSITIVE_INFINITY, bytes, isGrowing }
      return bytes < 2 * SHARD_BYTES ? [whole] : cut(whole)
    })
  )
  return all.flat()
}

async function cut(whole: Shard): Promise<readonly Shard[]> {
  const file = await open(whole.path)
  try {
    const head = await partAt(file, 0)
    if (isGzip(head) || !isLines(head)) return [whole]
    const end = whole.from + whole.bytes
    const shards: Shard[] = []
    for (let from = whole.from; from < end; ) {
      const to = await afterLine(file, from + SHARD_BYTES)
      shards.push({ ...whole, from, to: to < end ? to : Number.POSITIVE_INFINITY, bytes: Math.min(to, end) - from })
      from = to
    }
    return shards
  } finally {
    await file.close()
  }
}

const NEWLINE = 10

/** Behind the first line's end from a byte on; Infinity: there is none. */
async function afterLine(file: FileHandle, from: number): Promise<number> {
  for (let at = from; ; ) {
    const part = await partAt(file, at)
    if (part.length === 0) return Number.POSITIVE_INFINITY
    const end = part.indexOf(NEWLINE)
    if (end >= 0) return at + end + 1
    at += part.length
  }
}

async function partAt(file: FileHandle, from: number): Promise<Buffer> {
  const part = Buffer.alloc(64 * 1024)
  const { bytesRead } = await file.read(part, 0, part.length, from)
  return part.subarray(0, bytesRead)
}

/** Each worker gets parts that follow each other, of about as many bytes: what is near in time stays together. */
export function shared(shards: readonly Shard[], workers: number): readonly (readonly Shard[])[] {
  const all = shards.reduce((sum, { bytes }) => sum + bytes, 0)
  const piles = Array.from({ length: workers }, (): Shard[] => [])
  let before = 0
  for (const shard of shards) {
    piles[Math.min(workers - 1, Math.floor((workers * (before + shard.bytes / 2)) / Math.max(1, all)))]?.push(shard)
    before += shard.bytes
  }
  return piles.filter((pile) => pile.length > 0)
}

/** No more than up to where a part ends. */
export async function* upTo(parts: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes
  for await (const part of parts) {
    yield part.length <= left ? part : part.subarray(0, left)
    left -= part.length
    if (left <= 0) return
  }
}
