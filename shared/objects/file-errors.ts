import { type Code, hasCode, KeyturnError } from '../errors.ts'
import { entryOf } from '../table.ts'

/** The one table from errno(3) to keyturn's codes. What is not named is a disk that cannot be told about: ENOSPC, EIO, EMFILE … */
const ERRNO: Readonly<Record<string, Code>> = {
  ENOENT: 'not-found/object',
  ENOTDIR: 'not-found/object',
  EACCES: 'denied/archive',
  EPERM: 'denied/archive',
  EROFS: 'denied/archive',
  EISDIR: 'invalid/object',
  EEXIST: 'invalid/object',
  ELOOP: 'invalid/object',
  ENAMETOOLONG: 'invalid/object',
  // Nobody is at the other end of a pipe or a socket that was opened without waiting (open(2)).
  ENXIO: 'invalid/object'
}

export function fileError(e: unknown, path: string): KeyturnError {
  if (hasCode(e, 'unavailable/store'))
    return new KeyturnError('unavailable/archive', `${path} stayed locked by another process`, e.vendor)
  if (e instanceof KeyturnError) return e
  const { code: errno, name } = e as { code?: unknown; name?: string }
  // Node's own: ERR_INVALID_ARG_VALUE of a name with a zero byte.
  if (errno === 'ERR_INVALID_ARG_VALUE') return new KeyturnError('invalid/object', 'a name that no file can have', errno)
  if (typeof errno !== 'string') return new KeyturnError('bug/internal', `${path}: unexpected ${name}`, name)
  return new KeyturnError(entryOf(ERRNO, errno) ?? 'unavailable/archive', `${path}: the disk answered ${errno}`, errno)
}

export const over = (path: string): KeyturnError =>
  new KeyturnError('unavailable/archive', `${path}: the time was over`, 'AbortError')
