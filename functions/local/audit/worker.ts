import { basename, dirname } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import type { LogSource } from '../../../shared/audit/decode.ts'
import { BOUNDS } from '../../../shared/audit/gunzip.ts'
import { type Reading, type ReadLogs, readLogs } from '../../../shared/audit/read.ts'
import type { Format } from '../../../shared/audit/reader.ts'
import { seen } from '../../../shared/audit/seen.ts'
import { folder } from '../../../shared/objects/file.ts'
import type { KIND } from './is-worker.ts'
import { type Shard, upTo } from './shards.ts'

/** What a worker is given. */
export interface Work extends Pick<Reading, 'settings' | 'since' | 'until' | 'clock'> {
  readonly kind: typeof KIND
  readonly shards: readonly Shard[]
  readonly format: Format | undefined
}

/** What it says: how far it is, and in the end what it read. */
export type Said =
  | { readonly kind: 'read'; readonly bytes: number; readonly name: string }
  | {
      readonly kind: 'done'
      readonly read: ReadLogs
      /** Of the ids of its events. */
      readonly hashes: readonly Float64Array[]
      /** Requests whose answers are in another's part. */
      readonly waiting: readonly Uint8Array[]
    }

async function serve({ shards, format, ...reading }: Work): Promise<void> {
  const say = (said: Said): void => parentPort?.postMessage(said)
  const known = seen()
  let waiting: readonly Uint8Array[] = []
  const read = await readLogs(
    shards.map((shard) => sourceOf(shard, format)),
    {
      ...reading,
      ...{ seen: known, bounds: BOUNDS },
      progressed: (bytes, { name }) => say({ kind: 'read', bytes, name }),
      waiting: (lines) => {
        waiting = lines
      }
    }
  )
  say({ kind: 'done', read, hashes: known.hashes(), waiting })
}

function sourceOf({ path, from, to, isGrowing }: Shard, format: Format | undefined): LogSource {
  const place = folder({ folder: dirname(path) })
  const never = new AbortController().signal
  return {
    ...{ name: path, bytes: undefined, from, format },
    isGrowing: isGrowing && to === Number.POSITIVE_INFINITY,
    open: (at) => upTo(place.read(basename(path), at, never), to - at)
  }
}

await serve(workerData as Work)
