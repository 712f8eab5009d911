import { readFileSync } from 'node:fs'
import { readlink, symlink, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { KeyturnError } from '../errors.ts'

/**
 * A lock between processes of one machine: a symbolic link that names its owner. Making one is a single call that fails
 * when it is there (symlink(2), EEXIST), so a lock is never seen without its owner; a lock *file* is empty between open
 * and write, and after a crash there nobody could tell whose it was. No heartbeat: an owner that is alive keeps its lock
 * however slow it is, one that is dead loses it. Not for a folder that several machines share.
 */
export async function withLock<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const mine = owner()
  for (let pauseMs = 1; !(await take(path, mine)); pauseMs = Math.min(pauseMs * 2, 20)) {
    if (signal.aborted) throw new KeyturnError('unavailable/store', 'the file of the secret stayed locked by another process')
    await setTimeout(pauseMs * (0.5 + Math.random()))
    await breakDead(path, signal)
  }
  try {
    return await work()
  } finally {
    await unlink(path)
  }
}

async function take(path: string, mine: string): Promise<boolean> {
  try {
    await symlink(mine, path)
    return true
  } catch (e) {
    if (codeOf(e) === 'EEXIST') return false
    throw e
  }
}

async function ownerOf(path: string): Promise<string | undefined> {
  return await readlink(path).catch((e: unknown) => {
    if (codeOf(e) === 'ENOENT') return undefined
    throw e
  })
}

/**
 * Takes a dead owner's lock away. Two that see the same dead owner must not both do it, or the second one removes the
 * lock that the first one took meanwhile: the right to remove the lock of one owner is itself a lock, named after that
 * owner, and he is looked at once more under it. Who dies holding that right is found dead in the same way.
 */
async function breakDead(path: string, signal: AbortSignal): Promise<void> {
  const seen = await ownerOf(path)
  if (seen === undefined || !isDead(seen)) return
  await withLock(`${path}.${seen.slice(seen.lastIndexOf('|') + 1)}`, signal, async () => {
    if ((await ownerOf(path)) === seen) await unlink(path)
  })
}

const HOST = hostname()
const BOOT = readOr('/proc/sys/kernel/random/boot_id')
let taken = 0

/** host | boot | process | when it started | which of its locks. The last part is a file name's part, and unique. */
function owner(): string {
  const started = startOf(process.pid)
  return [HOST, BOOT, process.pid, started, `${process.pid}-${started}-${taken++}`].join('|')
}

/** A process id alone is not enough: it is given to another process sooner or later, and after a reboot at once. */
function isDead(owner: string): boolean {
  const [host, boot, pid, started] = owner.split('|')
  if (host !== HOST) return false
  if (boot !== BOOT) return true
  try {
    process.kill(Number(pid), 0)
  } catch (e) {
    return codeOf(e) === 'ESRCH'
  }
  return startOf(Number(pid)) !== started
}

/** proc(5), /proc/pid/stat, field 22, counted behind the last ")" because a name may hold one. Elsewhere: not known. */
const startOf = (pid: number): string => readOr(`/proc/${pid}/stat`).split(')').at(-1)?.trim().split(' ')[19] ?? '-'

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return '-'
  }
}

const codeOf = (e: unknown): string | undefined => (e as NodeJS.ErrnoException).code
