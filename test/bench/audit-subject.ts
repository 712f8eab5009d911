import { createReadStream } from 'node:fs'
import { basename, dirname } from 'node:path'
import { createGunzip } from 'node:zlib'
import { BOUNDS } from '../../shared/audit/gunzip.ts'
import { readLogs } from '../../shared/audit/read.ts'
import { AUDIT_DEFAULTS } from '../../shared/audit/settings.ts'
import { emptyState } from '../../shared/audit/state.ts'
import { summarize } from '../../shared/audit/summarize.ts'
import { folder } from '../../shared/objects/file.ts'

/**
 * What is measured, in a process of its own: `keyturn` reads files (or `-`) with one thread, all signals on, to the
 * summary; `gunzip` unpacks them and does nothing with it. Prints one JSON object.
 */
interface Measured {
  readonly seconds: number
  readonly bytes: number
  readonly events: number
  readonly rssBytes: number
}

async function byKeyturn(files: readonly string[]): Promise<Pick<Measured, 'bytes' | 'events'>> {
  const state = emptyState()
  const never = new AbortController().signal
  const sources = files.map((file) => ({
    ...{ name: file, bytes: undefined },
    open: (from: number): AsyncIterable<Uint8Array> =>
      file === '-' ? process.stdin : folder({ folder: dirname(file) }).read(basename(file), from, never)
  }))
  const asked = { settings: AUDIT_DEFAULTS, since: undefined, until: undefined }
  const read = await readLogs(sources, { ...asked, seen: state.seen, bounds: BOUNDS, clock: Date.UTC(2100, 0, 1) })
  if (read.malformed > 0) throw new Error(`${read.malformed} records of the generator’s own could not be read`)
  summarize(read, state, { ...asked, now: undefined, listed: undefined })
  return { bytes: read.bytes, events: read.events }
}

async function byGunzip(files: readonly string[]): Promise<Pick<Measured, 'bytes' | 'events'>> {
  let bytes = 0
  for (const file of files)
    for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 }).pipe(createGunzip({ chunkSize: 256 * 1024 })))
      bytes += (chunk as Buffer).length
  return { bytes, events: 0 }
}

const [subject, ...files] = process.argv.slice(2)
const began = process.hrtime.bigint()
const done = await (subject === 'gunzip' ? byGunzip(files) : byKeyturn(files))
const seconds = Number(process.hrtime.bigint() - began) / 1e9
const measured: Measured = { ...done, seconds, rssBytes: process.resourceUsage().maxRSS * 1024 }
process.stdout.write(`${JSON.stringify(measured)}\n`)
