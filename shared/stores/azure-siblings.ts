import { type CodeClass, classOf, KeyturnError } from '../errors.ts'
import type { Attempt, Staged } from '../ports/secret-store.ts'
import { SecretText, type Token } from '../types.ts'
import { type Azure, setVersion } from './azure-calls.ts'
import { type Announced, signalUntil, untilMsOf } from './azure-commit.ts'
import type { Entry, Page } from './azure-journal.ts'
import { metadataIn, type Sibling } from './azure-lineage.ts'
import { claimText, lookAt, siblingAt } from './azure-look.ts'
import type { Seen } from './azure-memory.ts'
import { pendingVersion, siblingOf } from './azure-names.ts'
import { expiryOf, originOf, refuseCrowded, type SiblingMark, siblingTags } from './azure-tags.ts'

/** What the sibling holds when nothing is pending. It is never deleted: a deleted name cannot be written for months. */
const TOMBSTONE = new SecretText('keyturn: no credential is pending here')

/** Fails with `busy/claimed`, `conflict/token-spent`, `conflict/pending-foreign`. */
export async function claim(
  azure: Azure,
  name: string,
  attempt: Attempt,
  seen: readonly string[],
  signal: AbortSignal
): Promise<void> {
  const { token, base } = attempt
  const busy = new KeyturnError('busy/claimed', `another attempt at ${name} is under way`)
  await journalled<true>(azure, name, signal, {
    entry: { what: 'claim', token },
    decide: async (now) => {
      refuseUnwritable(now, name, token, azure.clock.now())
      if (holderOf(now) !== undefined) throw busy
      if (now.main.id !== base)
        throw new KeyturnError('conflict/current-moved', `current of ${name} is another version than the attempt’s base`)
      return undefined
    },
    refusal: () => busy,
    write: async (now, announced) => {
      const text = new SecretText(claimText(seen))
      await setSibling(azure, name, { now, text, mark: { state: 'claim', token, base }, seen }, announced, signal)
      return true
    }
  })
}

/**
 * Fails with `conflict/pending-other`, `conflict/token-spent`, `conflict/pending-foreign`, and `invalid/metadata` or
 * `invalid/grace` for what the promotion could not write.
 */
export async function stage(
  azure: Azure,
  name: string,
  attempt: Attempt,
  value: SecretText,
  signal: AbortSignal
): Promise<Staged> {
  const { token, base } = attempt
  const other = new KeyturnError('conflict/pending-other', `another attempt at ${name} is pending`)
  return journalled<Staged>(azure, name, signal, {
    entry: { what: 'stage', token },
    decide: async (now, hasWaited) => {
      refuseUnwritable(now, name, token, azure.clock.now())
      if (now.sibling.state === 'pending' && now.sibling.token === token) {
        const { sibling, pending } = await siblingAt(azure, name, signal)
        if (sibling.state === 'pending' && sibling.token === token && pending?.text.equals(value))
          return { done: stagedAs(sibling) }
        // Its first writer was still at it: that value stands, and the next look shows it.
        if (hasWaited)
          throw new KeyturnError('conflict/pending-other', `${token} has a value in ${name} already; it is carried on`)
        throw new KeyturnError('conflict/token-spent', `the attempt ${token} has another value already`)
      }
      if (holderOf(now) !== undefined && holderOf(now) !== token) throw other
      return undefined
    },
    refusal: () => other,
    write: async (now, announced) => {
      const mark = { state: 'pending', token, base } as const
      const made = await setSibling(azure, name, { now, text: value, mark }, announced, signal)
      azure.memory.learn(token, value)
      return stagedAs(made)
    }
  })
}

/** A tombstone over the attempt, which says how it ended. Another token's pending is not touched. */
export async function drop(
  azure: Azure,
  name: string,
  token: Token,
  signal: AbortSignal
): Promise<'nothing pending' | undefined> {
  const busy = new KeyturnError('busy/claimed', `${token} is being committed in ${name}`)
  return journalled<'nothing pending' | undefined>(azure, name, signal, {
    entry: { what: 'drop', token },
    decide: async ({ sibling }) => {
      if (sibling.state !== 'pending' && sibling.state !== 'claim') return { done: 'nothing pending' }
      return sibling.token === token ? undefined : { done: undefined }
    },
    refusal: () => busy,
    // It is current already: whoever has the lease has nothing left to commit.
    passesLease: ({ main }) => originOf(main.tags).token === token,
    write: async (now, announced) => {
      const base = 'base' in now.sibling ? now.sibling.base : ''
      // Nobody committed since it was looked at: that too would be in the journal.
      const became = originOf(now.main.tags).token === token ? now.main.id : undefined
      const mark = { state: 'ended', token, base, became } as const
      await setSibling(azure, name, { now, text: TOMBSTONE, mark }, announced, signal)
      return 'nothing pending'
    }
  })
}

interface Write<T> {
  readonly entry: Pick<Entry, 'what' | 'token'>
  /** Throws what the port says; `done`: there is nothing to write. */
  readonly decide: (now: Seen, hasWaited: boolean) => Promise<{ readonly done: T } | undefined>
  /** While somebody else's write may be on its way. */
  readonly refusal: () => KeyturnError
  readonly passesLease?: (now: Seen) => boolean
  readonly write: (now: Seen, announced: Announced) => Promise<T>
}

/** More rounds than two writers can make each other go. */
const ROUNDS = 8

/**
 * One write of the sibling: announced in the journal by a write that compares, then sent, within the announced time. Of two
 * at once one is refused, or waits until the other's was given up, and looks again.
 */
async function journalled<T>(azure: Azure, name: string, signal: AbortSignal, one: Write<T>): Promise<T> {
  let waitedFor: string | undefined
  for (let round = 0; round < ROUNDS; round++) {
    const page = await azure.journal.read(name, signal)
    const now = await seenSince(azure, name, page, signal)
    const said = await one.decide(now, waitedFor !== undefined)
    if (said) return said.done
    if (!page.isOver && page.etag !== waitedFor && page.entry && !shows(now, page.entry)) {
      if (page.entry.token !== one.entry.token && one.entry.what !== 'drop') throw one.refusal()
      await azure.journal.wait(page, signal)
      waitedFor = page.etag
      continue
    }
    const [untilMs, entry] = [untilMsOf(azure), { ...one.entry, ticket: page.nextTicket }]
    const written = await azure.journal.write(name, entry, page, undefined, signal)
    if (written === 'changed') continue
    if (written === 'held' && !one.passesLease?.(now)) throw one.refusal()
    // Not announced: it tells no more than that it came after what was read.
    const ticket = written === 'held' ? page.entry?.ticket : entry.ticket
    return await one.write(now, { untilMs, ticket }).catch((e: unknown) => undone(azure, name, page, written, e))
  }
  throw one.refusal()
}

/**
 * What this process saw last, where the journal shows that nobody wrote the sibling since: every write of it is announced
 * there, and the last one that was is seen. Else a look. It saves two reads each of stage and drop, of ten a rotation.
 */
async function seenSince(azure: Azure, name: string, { entry, etag }: Page, signal: AbortSignal): Promise<Seen> {
  const seen = azure.memory.seen(name)
  // No blob proves nothing, unless there is no sibling either: it may have been deleted.
  if (seen && (entry ? shows(seen, entry) : etag === undefined && seen.sibling.state === 'none')) return seen
  const look = await lookAt(azure, name, signal)
  if (!look) throw new KeyturnError('not-found/secret', `there is no secret ${name}`)
  return look
}

/** Whether the sibling shows what was announced, or its end. */
export function isShown(sibling: Sibling, { what, token }: Entry): boolean {
  if (!('token' in sibling) || sibling.token !== token || what === 'restore') return false
  return what === 'claim' || sibling.state === 'ended' || (what === 'stage' && sibling.state === 'pending')
}

/** Whether the sibling or the newest version does. */
export function shows({ main, sibling }: Pick<Seen, 'main' | 'sibling'>, entry: Entry): boolean {
  const { token, ticket } = originOf(main.tags)
  // Of one of the restores: what it brought back has the token of another attempt, or none.
  if (entry.what === 'restore') return ticket === entry.ticket
  return isShown(sibling, entry) || (entry.what !== 'drop' && token === entry.token)
}

/** The attempt that is under way. One that is current holds nobody up, whether or not it was dropped. */
function holderOf({ main, sibling }: Seen): Token | undefined {
  if (sibling.state !== 'pending' && sibling.state !== 'claim') return undefined
  return originOf(main.tags).token === sibling.token ? undefined : sibling.token
}

function refuseUnwritable({ main, sibling, lineage }: Seen, name: string, token: Token, at: number): void {
  if (sibling.state === 'foreign')
    throw new KeyturnError('conflict/pending-foreign', `${siblingOf(name)} is somebody else’s secret: keyturn needs that name`)
  if (originOf(main.tags).token === token || (sibling.state === 'ended' && sibling.token === token))
    throw new KeyturnError('conflict/token-spent', `the attempt ${token} ended before`)
  refuseCrowded(main.tags)
  expiryOf(metadataIn(main, lineage), at)
}

interface SiblingWrite {
  readonly now: Seen
  readonly text: SecretText
  readonly mark: SiblingMark
  readonly seen?: readonly string[]
}

async function setSibling(
  azure: Azure,
  name: string,
  { now, text, mark: said, seen }: SiblingWrite,
  { untilMs, ticket }: Announced,
  signal: AbortSignal
): Promise<Extract<Sibling, SiblingMark>> {
  const mark = { ...said, ticket }
  const bounded = signalUntil(azure, siblingOf(name), untilMs, signal)
  const made = await setVersion(azure, siblingOf(name), text, siblingTags(mark), {}, bounded)
  const sibling = { ...mark, version: made.id, createdAt: made.createdAt, ...(seen && { seen }) }
  azure.memory.note(name, { ...now, sibling })
  return sibling
}

const stagedAs = ({ version, createdAt }: Extract<Sibling, SiblingMark>): Staged => ({
  version: pendingVersion(version),
  createdAt
})

/** Refused, or not begun (`busy`), so that nothing of it is on its way: then nobody has to wait for it. */
const REFUSED: readonly CodeClass[] = ['busy', 'denied', 'throttled', 'disabled', 'invalid', 'not-found']

async function undone(azure: Azure, name: string, before: Page, written: Page | 'held', e: unknown): Promise<never> {
  if (e instanceof KeyturnError && REFUSED.includes(classOf(e.code)) && written !== 'held')
    await azure.journal.write(name, before.entry, written, undefined, AbortSignal.timeout(azure.requestTimeoutMs)).catch(() => {})
  throw e
}
