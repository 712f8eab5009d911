import { Worker } from 'node:worker_threads'
import { addRead } from '../../../shared/audit/add-read.ts'
import type { ArchivedLog } from '../../../shared/audit/archive.ts'
import { heldLog } from '../../../shared/audit/decode.ts'
import { emptyRead, type Reading, type ReadLogs, readLogs } from '../../../shared/audit/read.ts'
import type { Format } from '../../../shared/audit/reader.ts'
import { seen } from '../../../shared/audit/seen.ts'
import { KeyturnError } from '../../../shared/errors.ts'
import { KIND } from './is-worker.ts'
import { shardsOf, shared } from './shards.ts'
import type { Said, Work } from './worker.ts'

/** Less than this is read here. */
const WORTH_BYTES = 64 * 2 ** 20

export interface Parallel {
  readonly files: readonly ArchivedLog[]
  readonly format: Format | undefined
  readonly workers: number
}

/**
 * Reads files by several threads, each a part of them. Undefined: it is not worth it, or an event is in two parts, as when a
 * file lies there twice; then they must be read one after the other, so that it counts once.
 */
export async function readParallel({ files, format, workers }: Parallel, reading: Reading): Promise<ReadLogs | undefined> {
  const bytes = files.reduce((sum, file) => sum + (file.bytes ?? 0), 0)
  if (workers < 2 || bytes < WORTH_BYTES) return undefined
  const piles = shared(await shardsOf(files), workers)
  if (piles.length < 2) return undefined
  const { settings, since, until, clock, signal } = reading
  const began = piles.map((shards) => begin({ kind: KIND, shards, format, settings, since, until, clock }, reading))
  const stop = (): void => {
    for (const { worker } of began) void worker.terminate()
  }
  signal?.addEventListener('abort', stop, { once: true })
  try {
    return await merged(await Promise.all(began.map(({ done }) => done)), reading)
  } finally {
    signal?.removeEventListener('abort', stop)
    stop()
  }
}

type Done = Extract<Said, { readonly kind: 'done' }>

/** So that a worker's young objects are collected early: many of them are of one line. */
const LIMITS = { maxYoungGenerationSizeMb: 8 }

/** From the sources the worker's own file; in the bundle everything is one. */
const ENTRY = import.meta.url.endsWith('/parallel.ts') ? new URL('./worker.ts', import.meta.url) : new URL(import.meta.url)

function begin(work: Work, { progressed, signal }: Reading): { readonly worker: Worker; readonly done: Promise<Done> } {
  const worker = new Worker(ENTRY, { workerData: work, resourceLimits: LIMITS, argv: [] })
  const done = new Promise<Done>((resolve, reject) => {
    worker.on('message', (said: Said) => {
      if (said.kind === 'done') resolve(said)
      else progressed?.(said.bytes, said)
    })
    worker.on('error', reject)
    worker.on('exit', () =>
      reject(
        signal?.aborted
          ? new KeyturnError('unavailable/deadline', 'the time for reading logs is over')
          : new KeyturnError('bug/internal', 'a thread that read logs ended before it was done')
      )
    )
  })
  return { worker, done }
}

async function merged(parts: readonly Done[], reading: Reading): Promise<ReadLogs | undefined> {
  const ids = seen()
  for (const { hashes } of parts)
    for (const some of hashes) {
      if (ids.shares(some) || reading.seen.shares(some)) return undefined
      ids.restore(some)
    }
  const all = emptyRead()
  for (const { read } of parts) addRead(all, read)
  for (const { hashes } of parts) for (const some of hashes) reading.seen.restore(some)
  await addWaiting(
    all,
    parts.flatMap(({ waiting }) => waiting),
    reading
  )
  return all
}

/** Requests whose answers another part had were counted there; those that nobody answered count now. */
async function addWaiting(into: ReadLogs, lines: readonly Uint8Array[], reading: Reading): Promise<void> {
  if (lines.length === 0) return
  const text = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))
  const { progressed: _, ...rest } = reading
  const { tally, events, first, last } = await readLogs([heldLog('requests', text, 'vault')], rest)
  addRead(into, { ...emptyRead(), tally, events, first, last })
}
