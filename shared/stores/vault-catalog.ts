import { pMapIterable } from 'p-map'
import { KeyturnError } from '../errors.ts'
import { encodePatch, type MetadataPatch } from '../metadata.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import { type SetAside, setAside } from '../set-aside.ts'
import type { SecretId } from '../types.ts'
import { type Kv, listFolder, patchCustom, readMetadata } from './vault-calls.ts'
import { pendingPath } from './vault-place.ts'
import { refuseDeleted } from './vault-settings.ts'
import { factsOf, lastPromotion, lookAtPending, mainBySettings, PREFIX, type Vault } from './vault-sight.ts'

/** How many secrets are looked at at once. */
const CONCURRENCY = 8

/**
 * Every managed secret of the mount, folder by folder: a LIST a folder, a read a secret, and another one a managed secret.
 * What cannot be understood, is denied, or is found by no ordinary reader any more, because its current version was deleted,
 * must not hide the others, nor stay hidden itself: it is said at the end.
 */
export const list = (vault: Vault, signal: AbortSignal): AsyncGenerator<SecretFacts> =>
  each(vault, (id) => managed(vault, id, signal), signal)

/**
 * The same for reports, by metadata alone: `read` and `list` on `<mount>/metadata/*` are enough. What is pending is not
 * shown, nor a promotion of keyturn's as such: it is the newest version like a person's.
 */
export const listMetadata = (kv: Kv, signal: AbortSignal): AsyncGenerator<SecretFacts> =>
  each(kv, (id) => shown(kv, id, signal), signal)

async function* each(
  kv: Kv,
  factsOf: (id: SecretId) => Promise<SecretFacts | undefined>,
  signal: AbortSignal
): AsyncGenerator<SecretFacts> {
  const rest = setAside()
  const look = (id: SecretId) => factsOf(id).catch(rest.put)
  for await (const facts of pMapIterable(names(kv, '', rest.put, signal), look, { concurrency: CONCURRENCY }))
    if (facts) yield facts
  rest.say()
}

async function* names(kv: Kv, folder: string, aside: SetAside['put'], signal: AbortSignal): AsyncGenerator<SecretId> {
  for (const name of (await listFolder(kv, folder, signal).catch(aside)) ?? []) {
    const path = folder + name
    if (!path.endsWith('/')) yield path
    else if (path !== `${kv.pendingFolder}/`) yield* names(kv, path, aside, signal)
  }
}

async function shown(kv: Kv, id: SecretId, signal: AbortSignal): Promise<SecretFacts | undefined> {
  const found = await readMetadata(kv, id, signal)
  const newest = found?.versions.get(found.current)
  if (!newest || found?.custom[`${PREFIX}kind`] === undefined) return undefined
  const main = { ...found, createdAt: newest.createdAt }
  return factsOf(id, { sibling: { version: 0 }, main, made: undefined })
}

/**
 * Main is looked at first here, because most secrets of a mount are nobody's to rotate. A pending path that then tells of
 * a version later than main's says that somebody came in between: main is looked at again.
 */
async function managed(vault: Vault, id: SecretId, signal: AbortSignal): Promise<SecretFacts | undefined> {
  const found = await readMetadata(vault, id, signal)
  if (found?.custom[`${PREFIX}kind`] === undefined) return undefined
  const sibling = await lookAtPending(vault, id, signal)
  const { record } = sibling
  const told = Math.max(record?.last?.version ?? 0, record && record.state !== 'ended' ? record.base : 0)
  const main = await mainBySettings(vault, id, signal, told > found.current ? undefined : found)
  return main && factsOf(id, { sibling, main, made: await lastPromotion(vault, id, sibling, main, signal) })
}

/** Two calls: only a look tells whether the secret is there, and how many keys it has. */
export async function annotate(vault: Vault, id: SecretId, patch: MetadataPatch, signal: AbortSignal): Promise<void> {
  pendingPath(vault, id)
  const found = await readMetadata(vault, id, signal)
  const newest = found?.versions.get(found.current)
  if (!found || !newest) throw new KeyturnError('not-found/secret', `there is no secret ${id}`)
  refuseDeleted(vault, id, newest, found.seenAt)
  const { set, remove } = encodePatch(patch, PREFIX)
  const custom = { ...set, ...Object.fromEntries(remove.map((key) => [key, null])) }
  refuseUnfit(id, { ...found.custom, ...custom })
  if (Object.keys(custom).length > 0) await patchCustom(vault, id, custom, signal)
}

/** Vault's api-docs, "Create/update metadata": 64 keys. OpenBao counts only those of a patch, and refuses the next full write. */
const MAX_KEYS = 64

function refuseUnfit(id: SecretId, custom: Readonly<Record<string, string | null>>): void {
  const kept = Object.entries(custom).filter(([, text]) => text !== null)
  if (kept.length > MAX_KEYS)
    throw new KeyturnError(
      'invalid/metadata',
      `${id} would have ${kept.length} keys of custom metadata, and Vault takes ${MAX_KEYS}`
    )
  const empty = kept.find(([, text]) => text === '')?.[0]
  if (empty !== undefined) throw new KeyturnError('invalid/metadata', `${empty} of ${id} is empty, which Vault does not take`)
}
