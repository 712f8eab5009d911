import { KeyturnError } from '../errors.ts'
import type { MetadataPatch } from '../metadata.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import { type Azure, getNewest, listVersions, setTags, type Version } from './azure-calls.ts'
import { newestOf } from './azure-commit.ts'
import { isBehind } from './azure-late.ts'
import { factsOf, inOrder, isExplained, lineageOf, originOfNewest, pastOf, type Sibling } from './azure-lineage.ts'
import { listManaged } from './azure-listing.ts'
import { pastAt, siblingAt } from './azure-look.ts'
import { rotatedNameOf, siblingOf } from './azure-names.ts'
import { mainTags, originOf, patched, siblingMark } from './azure-tags.ts'

/** How often tags are written before it is given up: each time a new version came in between. */
const ROUNDS = 3

/**
 * Writes both tags of the newest version. A person's new one gets the whole policy, which until then only an older version
 * had. A commit that looked before the tags were written carries the old ones over: it is waited for, and the tags are
 * written again on what is the newest then. Three calls of the vault, the first of them a read, because tags are replaced,
 * never merged; and one of the journal. Fails with `conflict/metadata-changed` when new versions keep coming. Not guaranteed
 * beside a commit that lands after it was given up: that one carries the tags that it saw.
 */
export async function annotate(azure: Azure, name: string, patch: MetadataPatch, signal: AbortSignal): Promise<void> {
  let main: Version = await newestOf(azure, name, signal)
  for (let round = 0; round < ROUNDS; round++) {
    await writeTags(azure, name, main, patch, signal)
    const newest = await settled(azure, name, signal)
    if (newest.id === main.id) return
    main = newest
  }
  throw new KeyturnError('conflict/metadata-changed', `${name} got a new version each time that its tags were written`)
}

/** The newest version, when no commit is under way that did not see the tags yet. */
async function settled(azure: Azure, name: string, signal: AbortSignal): Promise<Version> {
  const page = await azure.journal.read(name, signal)
  const newest = await newestOf(azure, name, signal)
  const { entry, isOver } = page
  if (isOver || !entry || (entry.what !== 'promote' && entry.what !== 'restore')) return newest
  const { token, ticket } = originOf(newest.tags)
  if (ticket === entry.ticket || (entry.what === 'promote' && token === entry.token)) return newest
  await azure.journal.wait(page, signal)
  return newestOf(azure, name, signal)
}

async function writeTags(azure: Azure, name: string, main: Version, patch: MetadataPatch, signal: AbortSignal): Promise<void> {
  const origin = originOf(main.tags)
  const lineage = lineageOf(main, origin, origin.token === undefined ? await pastAt(azure, name, main, signal) : undefined)
  const { policy, records } = patched(lineage.policy, lineage.records, patch)
  const written = await setTags(azure, name, main.id, mainTags(main.tags, policy, origin, records), signal)
  const seen = azure.memory.seen(name)
  if (seen?.main.id === written.id) azure.memory.note(name, { ...seen, main: written, lineage: { ...lineage, policy, records } })
}

/**
 * Managed secrets, without reading a value: the list of the vault, then a list of versions each, and a read of the sibling
 * where an attempt is under way, and one of its versions where it leaves a question. Nothing late is mended here: every
 * effect looks again. A secret whose policy is on an older version is found by its sibling; one that was never rotated and lost its tags by a person's new version is not.
 */
export const list = (azure: Azure, signal: AbortSignal): AsyncGenerator<SecretFacts> =>
  listManaged(azure, (item, sibling) => listed(azure, item, sibling, signal), signal)

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
  const isClear = isExplained(main, sibling) || !isBehind(main, versions, await listVersions(azure, siblingOf(name), signal))
  const origin = isClear ? originOfNewest(main, sibling) : {}
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
