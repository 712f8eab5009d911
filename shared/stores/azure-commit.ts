import { KeyturnError } from '../errors.ts'
import type { SecretText } from '../types.ts'
import { type Azure, getNewest, setVersion, type Valued, type Version } from './azure-calls.ts'
import type { Entry, Lease, Page } from './azure-journal.ts'
import { lineageOf, type Sibling } from './azure-lineage.ts'
import { expiryOf, mainTags, metadataOf, type Origin } from './azure-tags.ts'

/**
 * One write of the newest version at a time: under the lease of the journal. Fails with `busy/claimed` while another run has
 * it; one that was killed has it for a minute at most.
 */
export async function underLease<T>(
  azure: Azure,
  name: string,
  signal: AbortSignal,
  work: (lease: Lease) => Promise<T>
): Promise<T> {
  const lease = await azure.journal.acquire(name, signal)
  try {
    return await work(lease)
  } finally {
    await azure.journal.release(name, lease)
  }
}

/** What was said in the journal of a write that is to be sent, and until when it may be. */
export interface Announced {
  readonly untilMs: number
  /** Undefined: it could not be said there. */
  readonly ticket: number | undefined
}

/** The sibling that the commit is about, and the lease that it is under. */
export interface Frame {
  readonly sibling: Sibling
  readonly lease: Lease
  readonly announced: Announced
}

/** By when a write is given up that is announced now: who sees it announced waits as long, and a second, and then looks. */
export const untilMsOf = ({ steadyMs, requestTimeoutMs }: Azure): number => steadyMs() + requestTimeoutMs

/**
 * Ends with the announced time: that bounds the SDK's own repeats too, whose pause after a 429 the vault names. Fails with
 * `busy/lock-lost` where the time is over already, because an answer was slow or the process stood still.
 */
export function signalUntil({ steadyMs }: Azure, name: string, untilMs: number, signal: AbortSignal): AbortSignal {
  const leftMs = Math.floor(untilMs - steadyMs())
  if (leftMs <= 0) throw new KeyturnError('busy/lock-lost', `the time to write to ${name} is over: nothing was written`)
  return AbortSignal.any([signal, AbortSignal.timeout(leftMs)])
}

/** Says in the journal that a commit is sent now, as the holder of the lease. Fails with `busy/lock-lost`. */
export async function mark(
  azure: Azure,
  name: string,
  { what, token }: Pick<Entry, 'what' | 'token'>,
  { page, lease }: { readonly page: Page; readonly lease: Lease },
  signal: AbortSignal
): Promise<Announced> {
  const announced = { untilMs: untilMsOf(azure), ticket: page.nextTicket }
  const written = await azure.journal.write(name, { what, token, ticket: page.nextTicket }, page, lease, signal)
  if (typeof written !== 'string') return announced
  throw new KeyturnError('busy/lock-lost', `another run took the journal of ${name} over: nothing was written`)
}

export interface Commit {
  readonly text: SecretText
  readonly origin: Origin
  readonly policy: Readonly<Record<string, string>>
  readonly records: Readonly<Record<string, string>>
}

/**
 * The write itself. `like`: whose other tags and content type are carried over. No notBefore: what is current can be used at
 * once. Fails with `busy/lock-lost` where less than a request timeout of the lease is left, or the announced time is over.
 */
export async function writeMain(
  azure: Azure,
  like: Version,
  what: Commit,
  { sibling, lease, announced }: Frame,
  signal: AbortSignal
): Promise<Version> {
  const { name, contentType } = like
  const origin = { ...what.origin, ticket: announced.ticket }
  const tags = mainTags(like.tags, what.policy, origin, what.records)
  const expiresOn = expiryOf(metadataOf(what.policy, {}), azure.clock.now())
  if (lease.endsMs - azure.steadyMs() <= azure.requestTimeoutMs)
    throw new KeyturnError('busy/lock-lost', `the time to commit to ${name} is over: nothing was written`)
  azure.memory.forget(name)
  const bounded = signalUntil(azure, name, announced.untilMs, signal)
  const made = await setVersion(azure, name, what.text, tags, { contentType, expiresOn }, bounded)
  azure.memory.note(name, { main: made, sibling, lineage: lineageOf(made, origin, undefined) })
  return made
}

export async function newestOf(azure: Azure, name: string, signal: AbortSignal): Promise<Valued> {
  const newest = await getNewest(azure, name, signal)
  if (!newest) throw new KeyturnError('not-found/secret', `there is no secret ${name}`)
  return newest
}
