import { KeyturnError } from '../errors.ts'
import type { SecretText } from '../types.ts'
import { type Azure, getNewest, getVersion, isDeleted, listVersions, type Valued, type Version } from './azure-calls.ts'
import { hasExpired, isBehind } from './azure-late.ts'
import { isExplained, lineageOf, originOfNewest, type Past, pastOf, type Sibling } from './azure-lineage.ts'
import type { Seen } from './azure-memory.ts'
import { siblingOf } from './azure-names.ts'
import { originOf, siblingMark } from './azure-tags.ts'

export interface Look extends Seen {
  /** The newest is a write that came late, for certain: what was the newest before it is to be brought back. */
  readonly isLate: boolean
}

/**
 * Two calls, the sibling first: between the two an attempt can only become current, which the look at the newest then
 * shows. One or two more where the newest is a person's, once a process; two lists and a few reads where newest and sibling
 * do not fit together. Undefined: the vault said that there is no such secret. Fails with `disabled/secret` where it was
 * deleted, or its newest version disabled: it is then not readable by anybody.
 */
export async function lookAt(azure: Azure, name: string, signal: AbortSignal): Promise<Look | undefined> {
  azure.memory.forget(name)
  azure.memory.forget(siblingOf(name))
  const { sibling, pending } = await siblingAt(azure, name, signal)
  if (pending) azure.memory.keep(siblingOf(name), pending)
  const found = await getNewest(azure, name, signal)
  if (!found) {
    if (!(await isDeleted(azure, name, signal))) return undefined
    throw new KeyturnError('disabled/secret', `${name} was deleted and can be recovered: recover it, or purge it`)
  }
  azure.memory.keep(name, found)
  const look = await judged(azure, name, found, sibling, signal)
  azure.memory.note(name, look)
  return look
}

/** The newest version as its tags, the sibling and, where these leave a question, the older versions explain it. */
export async function judged(azure: Azure, name: string, found: Valued, sibling: Sibling, signal: AbortSignal): Promise<Look> {
  const { text: _, ...main } = found
  const said = originOfNewest(main, sibling)
  const isOdd = !isExplained(main, sibling)
  // Its past is kept: it was judged before, and is a person's.
  if (isOdd && !azure.memory.past(name, main.id)) {
    const verdict = await judgedByVersions(azure, name, found, signal)
    if (verdict === 'late') return { main, sibling, lineage: lineageOf(main, {}, undefined), isLate: true }
    if (verdict === 'newer') return { main, sibling, lineage: lineageOf(main, said, undefined), isLate: false }
  }
  const origin = isOdd ? {} : said
  const past = origin.token === undefined ? await pastAt(azure, name, main, signal) : undefined
  return { main, sibling, lineage: lineageOf(main, origin, past), isLate: false }
}

/**
 * `newer`: nothing says that it came late, so the sibling's newest version may be what did. `copy`: an attempt names one
 * value for ever, so another value under an attempt that has a version is a person's, with old tags. Two lists, and a read a
 * version of that attempt.
 */
async function judgedByVersions(
  azure: Azure,
  name: string,
  newest: Valued,
  signal: AbortSignal
): Promise<'late' | 'newer' | 'copy'> {
  const { token } = originOf(newest.tags)
  const versions = await listVersions(azure, name, signal)
  if (!isBehind(newest, versions, await listVersions(azure, siblingOf(name), signal))) return 'newer'
  if (hasExpired(newest)) return 'copy'
  for (const other of versions.filter((v) => v.id !== newest.id && originOf(v.tags).token === token)) {
    const found = await getVersion(azure, name, other.id, signal)
    if (found && !found.text.equals(newest.text)) return 'copy'
  }
  return 'late'
}

/** What older versions say never changes under a newest one: it is asked once a process. */
export async function pastAt(azure: Azure, name: string, main: Version, signal: AbortSignal): Promise<Past> {
  const known = azure.memory.past(name, main.id)
  if (known) return known
  const past = pastOf(main, await listVersions(azure, name, signal))
  azure.memory.notePast(name, main.id, past)
  return past
}

/** The sibling's newest version that is keyturn's, and the value that is pending. */
export async function siblingAt(
  azure: Azure,
  name: string,
  signal: AbortSignal
): Promise<{ readonly sibling: Sibling; readonly pending?: Valued }> {
  const newest = await getNewest(azure, siblingOf(name), signal)
  if (!newest) return { sibling: { state: 'none' } }
  const found = siblingMark(newest.tags) ? newest : await lastOfOurs(azure, siblingOf(name), signal)
  const mark = found && siblingMark(found.tags)
  if (!found || !mark) return { sibling: { state: 'foreign' } }
  const { text, id: version, createdAt } = found
  if (mark.state !== 'pending')
    return { sibling: { ...mark, version, createdAt, ...(mark.state === 'claim' && { seen: seenIn(text) }) } }
  azure.memory.learn(mark.token, text)
  return { sibling: { ...mark, version, createdAt }, pending: found }
}

/** A person wrote over the sibling: nobody reads that, and the attempt goes on. Undefined: it never was keyturn's. */
async function lastOfOurs(azure: Azure, sibling: string, signal: AbortSignal): Promise<Valued | undefined> {
  const ours = (await listVersions(azure, sibling, signal)).filter((v) => siblingMark(v.tags))
  const last = ours.sort((a, b) => a.createdAt - b.createdAt).at(-1)
  return last && getVersion(azure, sibling, last.id, signal)
}

/** What a claim's version holds instead of a credential: it may be longer than a tag. */
export const claimText = (seen: readonly string[]): string => JSON.stringify({ seen })

function seenIn(text: SecretText): readonly string[] {
  try {
    const { seen } = JSON.parse(text.reveal()) as { seen?: unknown }
    return Array.isArray(seen) ? seen.map(String) : []
  } catch {
    return []
  }
}
