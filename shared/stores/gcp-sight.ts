import { hasCode, KeyturnError } from '../errors.ts'
import { type Instant, SecretText, type Token } from '../types.ts'
import { access, type Found, getSecret, getVersion, type SecretMessage } from './gcp-calls.ts'
import type { GcpClient } from './gcp-client.ts'
import type { Known, Memory, Seen } from './gcp-memory.ts'
import { type Home, mainVersion, type Place, pendingVersion, placeOf, rotatedPlaceOf, siblingOf } from './gcp-names.ts'
import type { AttemptRecord } from './gcp-record.ts'

/** Secret Manager, for the length of one logical effect. */
export interface Gcp extends Home {
  readonly client: GcpClient
  readonly memory: Memory
}

/** Asks for a secret, and gives the newest that is known of it. Undefined: the service says that there is none. */
export async function ask(gcp: Gcp, id: string, signal: AbortSignal): Promise<Known | undefined> {
  const { resource } = placeOf(id, gcp)
  gcp.memory.age(resource)
  const message = await getSecret(gcp.client, resource, signal)
  if (!message) return undefined
  rotatedPlaceOf(message.resource, gcp)
  return gcp.memory.saw(resource, message)
}

export const placeIn = (gcp: Gcp, { resource }: SecretMessage): Place => placeOf(resource, gcp)

export const missing = (id: string): KeyturnError => new KeyturnError('not-found/secret', `there is no secret ${id}`)

/** What is known from a moment ago, for a write that compares; else it is asked for. Fails with `not-found/secret`. */
export async function recent(gcp: Gcp, id: string, signal: AbortSignal): Promise<Known> {
  const known = gcp.memory.known(placeOf(id, gcp).resource)
  if (known?.isRecent()) return known
  const found = await ask(gcp, id, signal)
  if (!found) throw missing(id)
  return found
}

/** As many versions are asked for one by one; then `latest`, which may be old but not wrong, says where to go on. */
const STRIDE = 10

/**
 * The versions after a number, oldest first. Numbers "start at 1 and are incremented for each subsequent version"
 * (resources.proto, SecretVersion), and only access by number is strongly consistent: so the end is where the first one is
 * not found, whatever lists and `latest` show. Of more than ten some are left out.
 */
export async function walk(gcp: Gcp, resource: string, after: number, signal: AbortSignal): Promise<readonly Found[]> {
  const all: Found[] = []
  for (let number = after + 1; ; number++) {
    const found = await access(gcp.client, resource, number, signal)
    if (!found) return all
    all.push(found)
    if (all.length % STRIDE > 0) continue
    const latest = (await getVersion(gcp.client, resource, 'latest', signal))?.number ?? 0
    const stride = all.slice(-STRIDE)
    // Every number is answered so, whether there is such a version or not.
    if (found.why && stride.every((f) => f.why) && latest <= number - STRIDE) throw found.why
    number = Math.max(number, latest - 1)
  }
}

/**
 * A version of the sibling is a line that says whose it is, and the value: so that a write that comes late, under a number
 * that another attempt was given, is not taken for that one's; and an attempt that was dropped has a version that says so,
 * which is seen at once where its annotation is not. The line is in place of a digest of the value in the annotations:
 * who may read those (roles/secretmanager.viewer) could try passwords on it.
 */
const HEADS = { pending: 'keyturn-pending', ended: 'keyturn-ended' } as const
/** The longest line: a token of 64 characters. */
export const HEAD_BYTES = HEADS.pending.length + ' '.length + 64 + '\n'.length

export const written = (head: keyof typeof HEADS, token: Token, value: SecretText | undefined): SecretText =>
  new SecretText(`${HEADS[head]} ${token}\n${value?.reveal() ?? ''}`)

export function readHead(found: Found | undefined): { head: keyof typeof HEADS; token: Token; value: SecretText } | undefined {
  const text = found?.text?.reveal() ?? ''
  const [, head, token] = /^keyturn-(pending|ended) (\S{1,64})\n/.exec(text) ?? []
  if (head === undefined || token === undefined) return undefined
  return { head: head as keyof typeof HEADS, token, value: new SecretText(text.slice(text.indexOf('\n') + 1)) }
}

/** What the sibling has of an attempt. */
export interface Staging {
  readonly value: SecretText | undefined
  /** Dropped: the sibling says so. */
  readonly isEnded: boolean
  /** The number that its value would get now. */
  readonly free: number
}

export async function stagingOf(gcp: Gcp, seen: Seen, attempt: AttemptRecord, signal: AbortSignal): Promise<Staging> {
  const found = await walk(gcp, siblingOf(placeIn(gcp, seen)), attempt.number - 1, signal)
  const heads = found.map(readHead)
  const [first] = heads
  const isOurs = found[0]?.number === attempt.number && first?.head === 'pending' && first.token === attempt.token
  const value = isOurs ? first.value : undefined
  if (value) gcp.memory.keep(seen.resource, pendingVersion(attempt.number), value)
  return {
    value,
    isEnded: heads.some((h) => h?.head === 'ended' && h.token === attempt.token),
    free: (found.at(-1)?.number ?? attempt.number - 1) + 1
  }
}

/** One look at the versions of a secret. */
export interface Sight {
  readonly known: Known
  readonly staging: Staging | undefined
  /** 0: there is no version. */
  readonly newest: number
  /** Versions that the record does not know of, oldest first. */
  readonly found: readonly Found[]
  /** The version that holds the pending attempt's value: it was promoted, and that was not recorded yet. */
  readonly landed: number | undefined
  /** The newest has the value of the last promotion: the same write came twice. */
  readonly isRepeat: boolean
}

/**
 * The sibling first and the secret last: between the two an attempt can only become current, which the later look shows.
 * The other way round, one that was promoted and dropped in between would be in neither.
 */
export async function look(gcp: Gcp, known: Known, signal: AbortSignal): Promise<Sight> {
  const { seen } = known
  const { resource, record } = seen
  const staging = record.attempt && (await stagingOf(gcp, seen, record.attempt, signal))
  const from = record.current ?? (known.versions.newest || (await beginning(gcp, known, signal)))
  const found = await walk(gcp, resource, from, signal)
  for (const { number, text } of found) if (text) gcp.memory.keep(resource, mainVersion(number), text)
  const newest = found.at(-1)?.number ?? from
  known.versions.newest = newest
  const value = staging?.value
  const base = Number(record.attempt?.base)
  // What the sibling says was dropped was never promoted in time.
  const landed = staging?.isEnded ? undefined : value && found.findLast((f) => f.number > base && f.text?.equals(value))?.number
  return { known, staging, newest, found, landed, isRepeat: await isRepeat(gcp, known, found, landed, signal) }
}

/** A secret that keyturn never wrote: from the newest that the service shows, which may be an older one. */
async function beginning(gcp: Gcp, { seen, created }: Known, signal: AbortSignal): Promise<number> {
  const latest = await getVersion(gcp.client, seen.resource, 'latest', signal)
  if (latest?.createdAt !== undefined) created.set(latest.number, latest.createdAt)
  return latest?.number ?? 0
}

async function isRepeat(gcp: Gcp, { seen }: Known, found: Sight['found'], landed: number | undefined, signal: AbortSignal) {
  const { commit } = seen.record
  const newest = found.at(-1)
  if (!commit || !newest?.text || newest.number === landed) return false
  const promoted = await access(gcp.client, seen.resource, commit.version, signal)
  return promoted?.text?.equals(newest.text) ?? false
}

/** When a version was made, by the store's clock. Undefined: the service does not show it yet. */
export async function createdAt(gcp: Gcp, known: Known, number: number, signal: AbortSignal): Promise<Instant | undefined> {
  const held = known.created.get(number)
  if (held !== undefined) return held
  const found = await getVersion(gcp.client, known.seen.resource, number, signal)
  if (found?.createdAt !== undefined) known.created.set(number, found.createdAt)
  return found?.createdAt
}

/**
 * Why a version cannot be read, which the answer says in words only: its state, or (it is enabled) its key. The state may
 * be an old one; destroyed is for ever.
 */
export async function whyUnreadable(gcp: Gcp, resource: string, { number, why }: Found, signal: AbortSignal) {
  if (!hasCode(why, 'disabled/secret')) return { error: why, isDestroyed: false }
  const state = (await getVersion(gcp.client, resource, number, signal))?.state
  const about = `version ${number} of ${resource}`
  if (state === 'ENABLED')
    return {
      error: new KeyturnError(
        'denied/key',
        `${about} is enabled and cannot be read: the Cloud KMS key of the secret cannot be used`
      ),
      isDestroyed: false
    }
  const isDestroyed = state === 'DESTROYED'
  return { error: new KeyturnError('disabled/secret', `${about} is ${isDestroyed ? 'destroyed' : 'disabled'}`), isDestroyed }
}
