import { KeyturnError } from '../errors.ts'
import { type Azure, getVersion, setTags, type Version } from './azure-calls.ts'
import { mark, newestOf, underLease, writeMain } from './azure-commit.ts'
import { isExplained, originOfNewest } from './azure-lineage.ts'
import { siblingAt } from './azure-look.ts'
import { lateTags, originOf, policyOf, recordsOf } from './azure-tags.ts'

/**
 * Brings back what was current before a write that came late, with its tags, as a new version: Key Vault cannot be fenced,
 * so this is found and mended, not prevented. Looks once more under the lease, and at the sibling after the newest: a whole
 * rotation between the two looks is no late write. Changes nothing where it was none.
 */
export async function restore(azure: Azure, late: Version, signal: AbortSignal): Promise<void> {
  const { name } = late
  await underLease(azure, name, signal, async (lease) => {
    const page = await azure.journal.read(name, signal)
    if (!page.isOver && page.entry?.what === 'promote') await azure.journal.wait(page, signal)
    const { sibling } = await siblingAt(azure, name, signal)
    if (isExplained(late, sibling) || sibling.state === 'none' || sibling.state === 'foreign') return
    const id = sibling.became ?? sibling.base
    const good = await getVersion(azure, name, id, signal)
    if (!good) throw new KeyturnError('not-found/version', `${name} has no version ${id} to bring back`)
    const { token = '' } = originOf(late.tags)
    const untilMs = await mark(azure, name, { what: 'restore', token }, { page, lease }, signal)
    if ((await newestOf(azure, name, signal)).id !== late.id) return
    const what = {
      text: good.text,
      origin: { ...originOfNewest(good, sibling), restores: good.id },
      policy: policyOf(good.tags) ?? policyOf(late.tags) ?? {},
      records: recordsOf(good.tags) ?? {}
    }
    await writeMain(azure, good, what, { sibling, lease, untilMs }, signal)
    // Or it would pass for a promotion once a person wrote a newer version. A look without it only knows less.
    await setTags(azure, name, late.id, lateTags(late.tags), signal).catch(() => undefined)
  })
}
