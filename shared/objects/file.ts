import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { hasCode, KeyturnError } from '../errors.ts'
import type { ObjectFacts, Objects } from '../ports/objects.ts'
import { replaceFile } from '../stores/file-disk.ts'
import { withLock } from '../stores/file-lock.ts'
import { fileError, over } from './file-errors.ts'
import { factsOf, OURS, walk } from './file-walk.ts'
import { gathered } from './remote.ts'

export interface FolderSettings {
  /** It must be there; folders in it are made by the first write into them. */
  readonly folder: string
}

/**
 * A folder of this machine. Names are paths below it, with `/`; which files are listed is said in file-walk.ts. A write is
 * one atomic rename under a lock (stores/file-lock.ts), so several processes of one machine may write; the tag is the time
 * of the last change, the size and the inode, and each write makes that time a later one. New files are 0600. Names with an
 * empty, `.` or `..` part, and those that begin with `.keyturn-`, are refused with `invalid/object`.
 */
export function folder({ folder: root }: FolderSettings): Objects {
  return {
    name: root,
    async *list(prefix, signal) {
      try {
        yield* walk(root, prefix, signal)
      } catch (e) {
        throw await explained(e, root, root)
      }
    },
    describe: (name) => describe(root, name),
    async *read(name, from, signal) {
      const opened = await openFile(root, name)
      if (!opened) throw new KeyturnError('not-found/object', `${join(root, name)} is not there`)
      yield* partsOf(opened.file, join(root, name), from, signal)
    },
    async get(name, most, signal) {
      const opened = await openFile(root, name)
      if (!opened) return undefined
      const bytes = await gathered(partsOf(opened.file, join(root, name), 0, signal), most)
      if (!bytes) throw new KeyturnError('invalid/object', `${join(root, name)} is bigger than ${most} bytes`)
      return { bytes, tag: factsOf(name, opened.stats).tag }
    },
    put: (name, bytes, expected, signal) => put(root, name, bytes, expected, signal)
  }
}

function pathOf(root: string, name: string): string {
  const parts = name.split('/')
  if (parts.some((part) => ['', '.', '..'].includes(part) || part.startsWith(OURS)))
    throw new KeyturnError('invalid/object', `${root}: a name that no file below it can have`)
  return join(root, name)
}

/** Without the folder itself nothing is known of what is in it. */
async function explained(e: unknown, path: string, root: string): Promise<KeyturnError> {
  const error = fileError(e, path)
  if (!hasCode(error, 'not-found/object')) return error
  const isFolder = await stat(root).then(
    (found) => found.isDirectory(),
    (why: unknown) => !hasCode(fileError(why, root), 'not-found/object')
  )
  return isFolder ? error : new KeyturnError('not-found/archive', `${root} is no folder that is there`, error.vendor)
}

/** The work, or undefined where there is no such object. */
async function ifThere<T>(root: string, name: string, work: (path: string) => Promise<T>): Promise<T | undefined> {
  const path = pathOf(root, name)
  try {
    return await work(path)
  } catch (e) {
    const error = await explained(e, path, root)
    if (hasCode(error, 'not-found/object')) return undefined
    throw error
  }
}

async function describe(root: string, name: string): Promise<ObjectFacts | undefined> {
  const found = await ifThere(root, name, (path) => stat(path, { bigint: true }))
  return found && !found.isDirectory() ? factsOf(name, found) : undefined
}

interface OpenFile {
  readonly file: FileHandle
  readonly stats: BigIntStats
}

/** Without waiting for somebody who writes into a pipe (open(2), O_NONBLOCK). */
const openFile = (root: string, name: string): Promise<OpenFile | undefined> =>
  ifThere(root, name, async (path) => {
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const stats = await file.stat({ bigint: true })
    if (stats.isFile()) return { file, stats }
    await file.close()
    throw new KeyturnError('invalid/object', `${path} is no plain file`)
  })

const PART_BYTES = 512 * 1024

/**
 * Closes the file. Parts are in two buffers in turn, the next one read while one is looked at, and valid until the next one is
 * asked for: a buffer a part, as streams make them, costs a third of the time of reading a log.
 */
async function* partsOf(file: FileHandle, path: string, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const buffers = [Buffer.allocUnsafe(PART_BYTES), Buffer.allocUnsafe(PART_BYTES)] as const
  const readInto = (buffer: Buffer, at: number) => file.read(buffer, 0, PART_BYTES, at)
  let [buffer, next] = buffers
  let coming = readInto(buffer, from)
  try {
    for (let at = from; ; ) {
      if (signal.aborted) throw over(path)
      const { bytesRead } = await coming
      if (bytesRead === 0) return
      at += bytesRead
      coming = readInto(next, at)
      yield buffer.subarray(0, bytesRead)
      ;[buffer, next] = [next, buffer]
    }
  } catch (e) {
    throw fileError(e, path)
  } finally {
    await coming.catch(() => undefined)
    await file.close()
  }
}

async function put(
  root: string,
  name: string,
  bytes: Uint8Array,
  expected: string | undefined,
  signal: AbortSignal
): Promise<string> {
  const path = pathOf(root, name)
  const beside = join(dirname(path), OURS + basename(path))
  if (signal.aborted) throw over(path)
  try {
    await stat(root)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    return await withLock(`${beside}.lock`, signal, async () => {
      const found = await describe(root, name)
      if (found?.tag !== expected) throw new KeyturnError('conflict/object-changed', `${path} is not as it was read any more`)
      // In seconds, as node:fs has it: the half keeps their rounding away from the next millisecond.
      const at = (Math.max(Date.now(), (found?.changedAt ?? 0) + 1) + 0.5) / 1_000
      await replaceFile(path, `${beside}.new`, async (file) => {
        await file.writeFile(bytes)
        await file.utimes(at, at)
      })
      return factsOf(name, await stat(path, { bigint: true })).tag
    })
  } catch (e) {
    const error = await explained(e, path, root)
    if (!hasCode(error, 'not-found/object')) throw error
    throw new KeyturnError('invalid/object', `${path}: a file is where a folder is needed`, error.vendor)
  }
}
