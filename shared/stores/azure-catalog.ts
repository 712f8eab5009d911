import { hasClass } from '../errors.ts'
import type { MetadataPatch } from '../metadata.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import { type Azure, getNewest, listNewest, listVersions, setTags, type Version } from './azure-calls.ts'
import { newestOf } from './azure-commit.ts'
import { factsOf, inOrder, isExplained, lineageOf, originOfNewest, pastOf, type Sibling } from './azure-lineage.ts'
import { pastAt, siblingAt } from './azure-look.ts'
import { rotatedNameOf, siblingOf } from './azure-names.ts'
import { isManaged, mainTags, originOf, patched, siblingMark } from './azure-tags.ts'

/**
 * Writes both tags of the newest version. A person's new one gets the whole policy, which until then only an older version
 * had. Two calls, the first of them a read: tags are replaced, never merged.
 */
export async function annotate(azure: Azure, name: string, patch: MetadataPatch, signal: AbortSignal): Promise<void> {
  const main = await newestOf(azure, name, signal)
  const origin = originOf(main.tags)
  const lineage = lineageOf(main, origin, origin.token === undefined ? await pastAt(azure, name, main, signal) : undefined)
  const { policy, records } = patched(lineage.policy, lineage.records, patch)
  const written = await setTags(azure, name, main.id, mainTags(main.tags, policy, origin, records), signal)
  const seen = azure.memory.seen(name)
  if (seen?.main.id === written.id) azure.memory.note(name, { ...seen, main: written, lineage: { ...lineage, policy, records } })
}

/**
 * Managed secrets, without reading a value: the list of the vault, then a list of versions each, and a read of the sibling
 * where an attempt is under way. Nothing late is mended here: every effect looks again. A secret whose policy is on an older
 * version is found by its sibling; one that was never rotated and lost its tags by a person's new version is not.
 */
export async function* listManaged(azure: Azure, signal: AbortSignal): AsyncGenerator<SecretFacts> {
  const items = await listNewest(azure, signal)
  const byName = new Map(items.map((item) => [item.name.toLowerCase(), item]))
  let failed: unknown
  for (const item of items) {
    const sibling = byName.get(siblingOf(item.name.toLowerCase()))
    if (!isManaged(item.tags) && !(sibling && siblingMark(sibling.tags))) continue
    try {
      const facts = await listed(azure, item, sibling, signal)
      if (facts) yield facts
    } catch (e) {
      // One secret that cannot be understood must not hide the others, nor stay hidden itself: it is said at the end.
      if (!hasClass(e, 'invalid') && !hasClass(e, 'disabled')) throw e
      failed ??= e
    }
  }
  if (failed !== undefined) throw failed
}

async function listed(
  azure: Azure,
  item: Version,
  siblingItem: Version | undefined,
  signal: AbortSignal
): Promise<SecretFacts | undefined> {
  const name = rotatedNameOf(azure.vault, item.name)
  const sibling = await siblingOfItem(azure, name, siblingItem, signal)
  const versions = await listVersions(azure, name, signal)
  const main = await newestAmong(azure, name, versions, signal)
  // Deleted since the list began.
  if (!main) return undefined
  const origin = isExplained(main, sibling) ? originOfNewest(main, sibling) : {}
  const lineage = lineageOf(main, origin, origin.token === undefined ? pastOf(main, versions) : undefined)
  const facts = factsOf(azure.vault, main, sibling, lineage, azure.clock.now())
  return facts.metadata.kind === undefined ? undefined : facts
}

/** A tombstone's tags say all; what is pending has a version, and a claim a text. */
async function siblingOfItem(azure: Azure, name: string, item: Version | undefined, signal: AbortSignal): Promise<Sibling> {
  if (!item) return { state: 'none' }
  const mark = siblingMark(item.tags)
  if (mark?.state === 'ended') return { ...mark, version: item.id, createdAt: item.createdAt }
  return (await siblingAt(azure, name, signal)).sibling
}

/** Lists have no order and times have seconds: where two versions are as new, the vault is asked for the newest. */
async function newestAmong(azure: Azure, name: string, versions: readonly Version[], signal: AbortSignal) {
  const [last, before] = inOrder(versions, '').toReversed()
  if (!last || last.createdAt !== before?.createdAt) return last
  return getNewest(azure, name, signal)
}
