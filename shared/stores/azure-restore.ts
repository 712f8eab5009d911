import { KeyturnError } from '../errors.ts'
import { type Azure, getVersion, listVersions, setTags, type Valued, type Version } from './azure-calls.ts'
import { type Commit, mark, newestOf, underLease, writeMain } from './azure-commit.ts'
import { isBehind } from './azure-late.ts'
import { inOrder, isExplained, originOfNewest, type Sibling } from './azure-lineage.ts'
import { siblingAt } from './azure-look.ts'
import { siblingOf } from './azure-names.ts'
import { lateTags, originOf, policyOf, recordsOf } from './azure-tags.ts'

/**
 * Brings back what was the newest before a write that came late, with its tags, as a new version: Key Vault cannot be
 * fenced. Looks once more under the lease, and at the sibling after the newest: a whole rotation between the two looks is no
 * late write. Changes nothing where that is not certain. What a reader got meanwhile, and a late write that nobody looks
 * for, it does not undo.
 */
export async function restore(azure: Azure, late: Version, signal: AbortSignal): Promise<void> {
  const { name } = late
  await underLease(azure, name, signal, async (lease) => {
    const page = await azure.journal.read(name, signal)
    if (!page.isOver && page.entry?.what === 'promote') await azure.journal.wait(page, signal)
    const { sibling } = await siblingAt(azure, name, signal)
    if (isExplained(late, sibling)) return
    const known = 'base' in sibling ? (sibling.became ?? sibling.base) : undefined
    const versions = await listVersions(azure, name, signal)
    if (!isBehind(late, versions, await listVersions(azure, siblingOf(name), signal))) return
    const id = beforeIt(late, versions, known)
    const good = id === undefined ? undefined : await getVersion(azure, name, id, signal)
    if (!good) throw new KeyturnError('not-found/version', `${name} has no version before ${late.id} to bring back`)
    const { token = '' } = originOf(late.tags)
    const announced = await mark(azure, name, { what: 'restore', token }, { page, lease }, signal)
    if ((await newestOf(azure, name, signal)).id !== late.id) return
    await writeMain(azure, good, copyOf(good, late, sibling, known), { sibling, lease, announced }, signal)
    // Or it would pass for a promotion once a person wrote a newer version. A look without it only knows less.
    await setTags(azure, name, late.id, lateTags(late.tags), signal).catch(() => undefined)
  })
}

/**
 * The version that was the newest before, a person's too. Of several of the same second the one that the sibling knows as
 * current: lists have no order.
 */
function beforeIt(late: Version, versions: readonly Version[], known: string | undefined): string | undefined {
  const older = inOrder(versions, late.id).filter((v) => v.id !== late.id)
  const last = older.at(-1)
  return (older.find((v) => v.id === known && v.createdAt === last?.createdAt) ?? last)?.id
}

function copyOf(good: Valued, late: Version, sibling: Sibling, known: string | undefined): Commit {
  return {
    text: good.text,
    origin: { ...originOfNewest(good, sibling), restores: good.id, known },
    policy: policyOf(good.tags) ?? policyOf(late.tags) ?? {},
    records: recordsOf(good.tags) ?? {}
  }
}
