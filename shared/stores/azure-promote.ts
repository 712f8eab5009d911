import { KeyturnError } from '../errors.ts'
import type { Attempt, Promoted } from '../ports/secret-store.ts'
import type { SecretText } from '../types.ts'
import { type Azure, listVersions, type Version } from './azure-calls.ts'
import { mark, newestOf, underLease, writeMain } from './azure-commit.ts'
import type { Lease, Page } from './azure-journal.ts'
import type { Sibling } from './azure-lineage.ts'
import { judged, siblingAt } from './azure-look.ts'
import { isShown, shows } from './azure-siblings.ts'
import { originOf } from './azure-tags.ts'

/**
 * Writes the pending value as the newest version, with the attempt's token and base in the same write: current, record and
 * previous at once. Key Vault compares nothing, so: under the lease, announced in the journal, after a look that the newest
 * is still the base, and not begun when the lease is nearly over. What is left is a write that lands after its sender gave it
 * up; the next look finds it by its ticket (azure-late.ts). Three calls of the vault. Fails with `conflict/current-moved`,
 * `conflict/pending-other` while another attempt is pending, `not-found/version` when none is.
 */
export async function promote(azure: Azure, name: string, attempt: Attempt, signal: AbortSignal): Promise<Promoted | undefined> {
  return underLease(azure, name, signal, async (lease) => {
    const page = await azure.journal.read(name, signal)
    let found = await siblingAt(azure, name, signal)
    // A commit of this attempt, or what came before it, may still be on its way: waited for, and then looked at.
    if (!page.isOver && page.entry && !isShown(found.sibling, page.entry)) {
      const newest = await newestOf(azure, name, signal)
      if (originOf(newest.tags).token === attempt.token) return promotedAs(newest)
      if (!shows({ main: newest, sibling: found.sibling }, page.entry)) await azure.journal.wait(page, signal)
      found = await siblingAt(azure, name, signal)
    }
    const { sibling, pending } = found
    if (sibling.state === 'pending' && sibling.token === attempt.token && pending)
      return commit(azure, name, attempt, { sibling, pending: pending.text, page, lease }, signal)
    const done = await alreadyMade(azure, name, attempt, await newestOf(azure, name, signal), signal)
    if (done) return done.promoted
    // A drop of that one, and the next run, may find it again.
    if (sibling.state === 'pending' || sibling.state === 'claim')
      throw new KeyturnError('conflict/pending-other', `another attempt at ${name} is pending, not ${attempt.token}`)
    throw new KeyturnError('not-found/version', `the attempt ${attempt.token} has no value in ${name}`)
  })
}

interface Held {
  readonly sibling: Sibling
  readonly pending: SecretText
  readonly page: Page
  readonly lease: Lease
}

async function commit(
  azure: Azure,
  name: string,
  attempt: Attempt,
  held: Held,
  signal: AbortSignal
): Promise<Promoted | undefined> {
  const { token, base } = attempt
  // A write of the sibling that came late would bring in a value that nobody applied.
  if (!azure.memory.agrees(token, held.pending))
    throw new KeyturnError('conflict/pending-other', `the pending value of ${name} was replaced since it was looked at`)
  const announced = await mark(azure, name, { what: 'promote', token }, held, signal)
  const newest = await newestOf(azure, name, signal)
  const done = await alreadyMade(azure, name, attempt, newest, signal)
  if (done) return done.promoted
  const { lineage } = await judged(azure, name, newest, held.sibling, signal)
  const what = { text: held.pending, origin: { token, base }, policy: lineage.policy, records: {} }
  return promotedAs(await writeMain(azure, newest, what, { ...held, announced }, signal))
}

const promotedAs = ({ id, createdAt }: Version): Promoted => ({ version: id, at: createdAt, recorded: true })

/**
 * Undefined: it is to be written, and current is the base. `promoted` undefined: it was current, and somebody wrote a newer
 * version since. Fails with `conflict/current-moved`.
 */
async function alreadyMade(azure: Azure, name: string, { token, base }: Attempt, newest: Version, signal: AbortSignal) {
  if (originOf(newest.tags).token === token) return { promoted: promotedAs(newest) }
  if (newest.id === base) return undefined
  const versions = await listVersions(azure, name, signal)
  if (versions.some((v) => originOf(v.tags).token === token)) return { promoted: undefined }
  throw new KeyturnError('conflict/current-moved', `the newest version of ${name} is ${newest.id}, not ${base}`)
}
