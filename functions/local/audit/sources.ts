import { stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { type ArchivedLog, archivedLog, type Listing, listingOf, unreadLogs } from '../../../shared/audit/archive.ts'
import type { LogSource } from '../../../shared/audit/decode.ts'
import type { Format } from '../../../shared/audit/reader.ts'
import type { AuditState } from '../../../shared/audit/state.ts'
import { KeyturnError } from '../../../shared/errors.ts'
import { folder } from '../../../shared/objects/file.ts'

/** Logs that paths name, without those that the state knows as they are. */
export interface NamedLogs {
  readonly sources: readonly LogSource[]
  /** Those of them that the state is told of when they were read. */
  readonly files: readonly ArchivedLog[]
  /** Folders, all that is in them. */
  readonly listings: readonly Listing[]
  /** As they lie there; undefined: not known before the end (standard input). */
  readonly bytes: number | undefined
}

export interface Named {
  readonly paths: readonly string[]
  readonly format: Format | undefined
  readonly stdin: AsyncIterable<string | Uint8Array>
  readonly signal: AbortSignal
  /** Nothing is kept: what a file ends with is read, whether its line is ended or not. */
  readonly isOnce: boolean
}

/** Files, folders with all below them, and `-`. Throws `invalid/request` for a path that is not there. */
export async function namedLogs(named: Named, state: AuditState): Promise<NamedLogs> {
  const { paths, format, stdin } = named
  const files: ArchivedLog[] = []
  const listings: Listing[] = []
  for (const path of paths) if (path !== '-') for await (const file of logsAt(path, named, state, listings)) files.push(file)
  const piped: LogSource = { name: 'standard input', bytes: undefined, format, open: () => bytesOf(stdin) }
  const isPiped = paths.includes('-')
  return {
    sources: isPiped ? [...files, piped] : files,
    files,
    listings,
    bytes: isPiped ? undefined : files.reduce((sum, { bytes = 0 }) => sum + bytes, 0)
  }
}

async function* logsAt(
  path: string,
  { format, signal, isOnce }: Named,
  state: AuditState,
  listings: Listing[]
): AsyncGenerator<ArchivedLog> {
  const at = resolve(path)
  const found = await stat(at).catch(() => undefined)
  if (!found) throw new KeyturnError('invalid/request', `there is no ${path}`)
  const whole = (log: ArchivedLog): ArchivedLog => (isOnce ? { ...log, isGrowing: false } : log)
  if (found.isDirectory()) {
    const archive = { place: folder({ folder: at }), prefix: '', format, signal }
    for await (const log of unreadLogs(archive, state)) yield whole(log)
    listings.push({ name: listingOf(archive), isWhole: true })
    return
  }
  const place = folder({ folder: dirname(at) })
  const object = await place.describe(basename(at), signal)
  const log = object && archivedLog(place, object, format, signal, state)
  if (log) yield whole(log)
}

async function* bytesOf(stdin: AsyncIterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stdin) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}
