import { hasCode, KeyturnError } from '../errors.ts'
import { refuseLong } from '../length.ts'
import { encodePatch, type MetadataPatch } from '../metadata.ts'
import type { CurrentReader, SecretCatalog, SecretFacts, SecretStore, StoredValue, StoreFacts } from '../ports/secret-store.ts'
import type { SecretId, VersionId } from '../types.ts'
import { access, type SecretMessage } from './gcp-calls.ts'
import { change, patch as patchOnce } from './gcp-change.ts'
import { type GcpClientSettings, gcpClient } from './gcp-client.ts'
import { factsOf } from './gcp-facts.ts'
import { listManaged } from './gcp-listing.ts'
import { CONVERGENCE_MS, type Known, memory } from './gcp-memory.ts'
import { type Home, mainVersion, numberIn, placeOf, rotatedPlaceOf, siblingOf } from './gcp-names.ts'
import { drop, promote } from './gcp-promote.ts'
import { isHeldAt, PREFIX } from './gcp-record.ts'
import { lateIn, repair, tidied } from './gcp-repair.ts'
import { ask, createdAt, type Gcp, HEAD_BYTES, look, missing, readHead, whyUnreadable } from './gcp-sight.ts'
import { claim, stage } from './gcp-stages.ts'

export interface GcpSecretManagerSettings extends Home, GcpClientSettings {}

export type GcpSecretManager = SecretStore & SecretCatalog & CurrentReader

const FACTS: StoreFacts = {
  name: 'Google Secret Manager',
  // service.proto, AddSecretVersionRequest has no etag: the number is asked for right before, which is a look.
  compareAndSet: false,
  fence: false,
  // docs/reference/consistency: "typically converge within minutes, but may take a few hours". Three is ours.
  convergenceMs: CONVERGENCE_MS,
  metadataCompareAndSet: true,
  // resources.proto, SecretPayload: 64 KiB; less the line before a pending value.
  maxValueBytes: 65_536 - HEAD_BYTES,
  cannot:
    'compare versions, and show `latest` or metadata at once: versions are looked up by number, the claim in the annotations is a lease; a commit that lands after its sender gave it up is current until the next look, which brings back the right one; grace and retirement wait for the convergence too'
}

/**
 * Google Secret Manager. current = the newest version, whatever its state; pending = a version of a second secret,
 * `<name>-pending`; metadata, the attempt and the last promotion are annotations, `keyturn-…`. Only "add, then access by
 * number" is strongly consistent (docs/reference/consistency), so versions are looked up by number from the one that the
 * annotations name until the first that is not there; annotations may be read old, and every write of them compares the
 * etag: what was decided from an old state is refused there, `unavailable/store` or `conflict/metadata-changed`.
 * Ids: a name, or `projects/<id or number>[/locations/<location>]/secrets/<name>`, in any project.
 * Calls, when nothing is wrong: describe 2, 2 or more while an attempt is under way, and while a person's version is
 * current one for each such version, one for its time, one for the value of the last promotion, and one for each attempt
 * that was dropped in the quarter of an hour before it, 8 at most · read 1, none for what a look brought along · stage 2 ·
 * promote 3 · drop 1 after a promotion, else 5 · claim 1 · annotate 2, or 1 with the revision of the last look; one more of
 * the first stage or claim of a secret, and of stage and annotate one for each copy of long ago that was not destroyed.
 * Rights (`secretmanager.…`): on the secret secrets.get, secrets.update, versions.get, versions.access, versions.add; on its
 * sibling versions.get, versions.access, versions.add, versions.destroy (and secrets.get, where its first version is not
 * keyturn's and a label has to tell); on the project secrets.list for a sweep, and
 * secrets.create where siblings are not made beforehand; on an admin secret versions.access.
 * What is not guaranteed: a promotion that was on its way while its attempt was dropped is not prevented; it is found by
 * the next look, which adds the version before it once more (gcp-repair.ts). Old versions are never disabled or destroyed:
 * readers may be given them for hours, and whether they are kept is their owner's policy.
 */
export function gcpSecretManager(settings: GcpSecretManagerSettings): GcpSecretManager {
  const { project, location } = settings
  const gcp: Gcp = { project, location, client: gcpClient(settings), memory: memory() }
  return {
    facts: FACTS,
    describe: (id, signal) => describe(gcp, id, signal),
    read: (id, version, signal) => read(gcp, id, version, signal),
    claim: (id, attempt, seen, signal) => claim(gcp, id, attempt, seen, signal),
    async stage(id, attempt, value, signal) {
      refuseLong(value, FACTS)
      return stage(gcp, id, attempt, value, signal)
    },
    promote: (id, attempt, signal) => promote(gcp, id, attempt, signal),
    drop: (id, token, signal) => drop(gcp, id, token, signal),
    list: (signal) => list(gcp, signal),
    annotate: (id, patch, expected, signal) => annotate(gcp, id, patch, expected, signal),
    async readCurrent(id, signal) {
      const found = await access(gcp.client, placeOf(id, gcp).resource, 'latest', signal)
      if (!found) throw new KeyturnError('not-found/secret', `there is no secret ${id}, or it has no version`)
      if (!found.text) throw found.why
      return { id: found.resource, version: mainVersion(found.number), text: found.text }
    }
  }
}

async function describe(gcp: Gcp, id: SecretId, signal: AbortSignal): Promise<SecretFacts | undefined> {
  const known = await ask(gcp, id, signal)
  if (!known) return undefined
  const sight = await look(gcp, known, signal)
  const newest = sight.found.at(-1)
  // Readers are refused (service.proto: latest is the most recently created, whatever its state).
  if (newest && !newest.text) throw (await whyUnreadable(gcp, known.seen.resource, newest, signal)).error
  const late = await lateIn(gcp, sight, signal)
  if (!late) {
    const facts = await factsOf(gcp, sight, signal)
    known.versions.isShownFree ||= !isHeldAt(known.seen.annotations, facts.seenAt)
    return facts
  }
  await repair(gcp, sight, late, signal)
  return describe(gcp, id, signal)
}

async function read(gcp: Gcp, id: SecretId, version: VersionId, signal: AbortSignal): Promise<StoredValue | undefined> {
  const place = placeOf(id, gcp)
  const at = numberIn(version)
  if (!at) return undefined
  const known = gcp.memory.known(place.resource)
  const { current, previous } = known?.versions.shown ?? {}
  const isCurrent = !at.pending && current === at.number
  const made = async () => (known && isCurrent ? { createdAt: await createdAt(gcp, known, at.number, signal) } : {})
  const kept = gcp.memory.take(place.resource, version)
  if (kept) return { text: kept, ...(await made()) }
  const resource = at.pending ? siblingOf(place) : place.resource
  const found = await access(gcp.client, resource, at.number, signal)
  if (found?.text) {
    const text = at.pending ? readHead(found)?.value : found.text
    return text && { text, ...(await made()) }
  }
  if (!found && isCurrent)
    throw new KeyturnError(
      'not-found/version',
      `the annotation ${PREFIX}current of ${place.resource} names version ${version}, which is not there: remove the annotation`
    )
  if (!found) return undefined
  const { error, isDestroyed } = await whyUnreadable(gcp, resource, found, signal)
  // Old versions are often disabled, and hold nothing up; but the one that readers may hold has to be known to be retired.
  const isNeeded = isCurrent || at.pending || version === previous
  if (isDestroyed ? isCurrent : isNeeded || !hasCode(error, 'disabled/secret')) throw error
  return undefined
}

async function annotate(
  gcp: Gcp,
  id: SecretId,
  patch: MetadataPatch,
  expected: string | undefined,
  signal: AbortSignal
): Promise<void> {
  const { set, remove } = encodePatch(patch, PREFIX)
  const others = { ...set, ...Object.fromEntries(remove.map((key) => [key, undefined])) }
  if (Object.keys(others).length === 0) return
  const held = gcp.memory.known(placeOf(id, gcp).resource)
  const first = expected !== undefined && held?.seen.etag === expected ? held : await ask(gcp, id, signal)
  if (!first) throw missing(id)
  if (expected !== undefined && first.seen.etag !== expected)
    throw new KeyturnError('conflict/metadata-changed', `the annotations of ${id} are not what they were at the look`)
  const decide = async (known: Known) => {
    const { record } = known.seen
    const { shown } = known.versions
    // A record of a version that a person wrote: looks need not go over it again.
    const isShown = shown !== undefined && patch.promoted?.version === mainVersion(shown.current)
    const current = isShown ? { current: Math.max(record.current ?? 0, shown.current) } : {}
    return { part: { ...(await tidied(gcp, known, signal)), ...current }, others, follow: () => undefined }
  }
  // Whoever sets it by this process knows of it.
  if (patch.hold) first.versions.isShownFree = false
  // Once, where it is to fail when anything changed since the look; else as often as somebody comes between.
  if (expected !== undefined) await patchOnce(gcp, first.seen, await decide(first), signal)
  else await change(gcp, first, decide, signal)
}

/**
 * Managed secrets. A list may be hours old: a secret that was just taken under management may be missing, and every effect
 * looks again. Whether a current version can be read is not looked at: that is the look's to say.
 */
const list = (gcp: Gcp, signal: AbortSignal) => listManaged(gcp.client, gcp, (message) => listed(gcp, message, signal), signal)

async function listed(gcp: Gcp, message: SecretMessage, signal: AbortSignal): Promise<SecretFacts> {
  rotatedPlaceOf(message.resource, gcp)
  return factsOf(gcp, await look(gcp, gcp.memory.glimpsed(message), signal), signal)
}
