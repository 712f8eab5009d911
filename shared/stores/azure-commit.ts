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

/** The sibling that the commit is about, the lease that it is under, and when it has to be over. */
export interface Frame {
  readonly sibling: Sibling
  readonly lease: Lease
  readonly untilMs: number
}

/**
 * Says in the journal that a commit is sent now, as the holder of the lease. By the time that it gives (one request timeout
 * after that was sent) the commit is over: who sees the mark and waits as long can look. Fails with `busy/lock-lost`.
 */
export async function mark(
  azure: Azure,
  name: string,
  entry: Entry,
  { page, lease }: { readonly page: Page; readonly lease: Lease },
  signal: AbortSignal
): Promise<number> {
  const untilMs = azure.steadyMs() + azure.requestTimeoutMs
  const written = await azure.journal.write(name, entry, page, lease, signal)
  if (typeof written !== 'string') return untilMs
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
 * once. Fails with `busy/lock-lost` where less than a request timeout of the lease is left, or the mark's time is over.
 */
export async function writeMain(
  azure: Azure,
  like: Version,
  what: Commit,
  { sibling, lease, untilMs }: Frame,
  signal: AbortSignal
): Promise<Version> {
  const { name, contentType } = like
  const tags = mainTags(like.tags, what.policy, what.origin, what.records)
  const expiresOn = expiryOf(metadataOf(what.policy, {}), azure.clock.now())
  const leftMs = Math.ceil(untilMs - azure.steadyMs())
  if (leftMs <= 0 || lease.endsMs - azure.steadyMs() <= azure.requestTimeoutMs)
    throw new KeyturnError('busy/lock-lost', `the time to commit to ${name} is over: nothing was written`)
  azure.memory.forget(name)
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(leftMs)])
  const made = await setVersion(azure, name, what.text, tags, { contentType, expiresOn }, bounded)
  azure.memory.note(name, { main: made, sibling, lineage: lineageOf(made, what.origin, undefined) })
  return made
}

export async function newestOf(azure: Azure, name: string, signal: AbortSignal): Promise<Valued> {
  const newest = await getNewest(azure, name, signal)
  if (!newest) throw new KeyturnError('not-found/secret', `there is no secret ${name}`)
  return newest
}
