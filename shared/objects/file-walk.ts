import type { BigIntStats, Dirent } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectFacts } from '../ports/objects.ts'
import { fileError, over } from './file-errors.ts'

/** Begins the names of what a write needs beside its file. */
export const OURS = '.keyturn-'

export const factsOf = (name: string, { size, mtimeMs, mtimeNs, ino }: BigIntStats): ObjectFacts => ({
  name,
  bytes: Number(size),
  changedAt: Number(mtimeMs),
  tag: `${mtimeNs}-${size}-${ino}`
})

interface Walk {
  readonly root: string
  readonly prefix: string
  readonly signal: AbortSignal
}

/**
 * Every file below a folder, in the order of the bytes of their whole names, one folder's names at a time. Links are
 * followed. What cannot be followed or looked at (a link into nothing or back into a folder above it, a folder that may not
 * be read, a name that is not UTF-8) is listed with 0 bytes: reading it says why, and nothing is left out unsaid.
 */
export async function* walk(root: string, prefix: string, signal: AbortSignal): AsyncGenerator<ObjectFacts> {
  const [top, entries] = await Promise.all([stat(root, { bigint: true }), readdir(root, { withFileTypes: true })])
  yield* below({ root, prefix, signal }, '', entries, [identityOf(top)])
}

async function* below(
  going: Walk,
  folder: string,
  entries: readonly Dirent[],
  above: readonly string[]
): AsyncGenerator<ObjectFacts> {
  for (const { name, isFolder } of await inOrder(going, folder, entries)) {
    if (going.signal.aborted) throw over(going.root)
    if (isFolder) yield* within(going, name, above)
    else yield* file(going, name)
  }
}

async function* within(going: Walk, name: string, above: readonly string[]): AsyncGenerator<ObjectFacts> {
  const path = join(going.root, name)
  const found = await Promise.all([stat(path, { bigint: true }), readdir(path, { withFileTypes: true })]).catch(() => undefined)
  const identity = found && identityOf(found[0])
  if (!found || !identity || above.includes(identity)) yield* unseen(path, name)
  else yield* below(going, `${name}/`, found[1], [...above, identity])
}

async function* file({ root }: Walk, name: string): AsyncGenerator<ObjectFacts> {
  const path = join(root, name)
  const found = await stat(path, { bigint: true }).catch(() => undefined)
  if (found) yield factsOf(name, found)
  else yield* unseen(path, name)
}

/** A file that went away meanwhile is not there. A name that could not be decoded looks as if it were not. */
async function* unseen(path: string, name: string): AsyncGenerator<ObjectFacts> {
  const isGone = await lstat(path).then(
    () => false,
    (e: unknown) => fileError(e, path).code === 'not-found/object' && !name.includes('\u{FFFD}')
  )
  if (!isGone) yield { name, bytes: 0, changedAt: undefined, tag: '' }
}

const identityOf = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`

interface Entry {
  readonly name: string
  readonly isFolder: boolean
}

/** A folder is where its first file's name would be: `a-b`, `a/b`, `a.b`. */
async function inOrder({ root, prefix }: Walk, folder: string, entries: readonly Dirent[]): Promise<readonly Entry[]> {
  const found: (Entry & { readonly key: Buffer })[] = []
  for (const entry of entries) {
    if (entry.name.startsWith(OURS)) continue
    const name = folder + entry.name
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && (await leadsToFolder(join(root, name))))
    const full = isFolder ? `${name}/` : name
    if (full.startsWith(prefix) || (isFolder && prefix.startsWith(full))) found.push({ name, isFolder, key: Buffer.from(full) })
  }
  return found.sort((a, b) => a.key.compare(b.key))
}

const leadsToFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false
  )
