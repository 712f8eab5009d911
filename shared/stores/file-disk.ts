import { type FileHandle, mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Code, KeyturnError } from '../errors.ts'
import { withLock } from './file-lock.ts'

/** What the file store asks of a disk. Errors are the system's own (ENOENT, EACCES …). */
export interface Disk {
  read(path: string): Promise<string>
  names(folder: string): Promise<readonly string[]>
  /** The file is the old one or the new one, whatever dies in between; when it returns, the new one survives a power cut. */
  replace(path: string, text: string): Promise<void>
  locked<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>
}

export const disk: Disk = {
  read: (path) => readFile(path, 'utf8'),
  names: (folder) => readdir(folder),
  replace: (path, text) => replaceFile(path, `${path}.new`, async (file) => await file.writeFile(text)),
  locked: async (path, signal, work) => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    return await withLock(`${path}.lock`, signal, work)
  }
}

/**
 * As Disk.replace. One name for the temporary file, written under the lock only: a crash leaves at most one, and the next
 * write takes it.
 */
export async function replaceFile(path: string, next: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  await synced(next, 'w', write)
  await rename(next, path)
  // rename(2) is durable when the folder is (fsync(2), "does not necessarily ensure that the entry in the directory …").
  await synced(dirname(path), 'r', async () => undefined)
}

async function synced(path: string, flags: string, work: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, flags, 0o600)
  try {
    await work(file)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** errno(3) to keyturn's codes. What is not named here is a disk that cannot be told about: ENOSPC, EIO, EMFILE … */
const ERRNO: Readonly<Record<string, Code>> = {
  EACCES: 'denied/store',
  EPERM: 'denied/store',
  EROFS: 'denied/store',
  ENAMETOOLONG: 'invalid/request'
}

export function diskError(e: unknown, doing: string): KeyturnError {
  if (e instanceof KeyturnError) return e
  const errno = (e as NodeJS.ErrnoException | undefined)?.code
  if (typeof errno !== 'string') return new KeyturnError('bug/internal', `${doing}: unexpected error`)
  const code = ERRNO[errno] ?? 'unavailable/store'
  const what = code === 'denied/store' ? 'the process may not read or write the folder or the file' : `the disk answered ${errno}`
  return new KeyturnError(code, `${doing}: ${what}`, errno)
}
