import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Postgres and PgBouncer refuse to run as root: there they run as `nobody`, elsewhere as whoever runs the tests. */
export type RunAs = { uid?: number; gid?: number }

export function runAs(): RunAs {
  if (process.getuid?.() !== 0) return {}
  unprivileged ??= { uid: idOf('-u'), gid: idOf('-g') }
  return unprivileged
}

/** The environment of every server: nothing of the machine's locale, time zone or PG* variables. */
export const serverEnv = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/** A new temporary folder that belongs to the user whom servers run as; in memory where there is plenty of it. */
export function serverFolder(name: string): string {
  return folderIn(hasPlentyOfMemory() ? memoryFolder : tmpdir(), name)
}

/** The same on a disk: memory may be mounted so that nothing in it can be executed. */
export function executableFolder(name: string): string {
  return folderIn(tmpdir(), name)
}

export function own(path: string): void {
  const { uid, gid } = runAs()
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
}

/** A file that only the user whom servers run as can read. */
export function writeOwn(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 })
  own(path)
}

const memoryFolder = '/dev/shm'
let unprivileged: RunAs | undefined

function folderIn(parent: string, name: string): string {
  const folder = mkdtempSync(join(parent, `keyturn-${name}-`))
  own(folder)
  return folder
}

/** A copy of a data folder takes 0.05 s in memory and up to 0.8 s on a disk. */
function hasPlentyOfMemory(): boolean {
  if (!existsSync(memoryFolder)) return false
  const { bavail, bsize } = statfsSync(memoryFolder)
  return bavail * bsize > 2 ** 30
}

function idOf(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
}
