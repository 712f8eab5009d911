import { hasCode, KeyturnError } from '../errors.ts'
import type { SecretText } from '../types.ts'
import { access, addVersion, createSibling, getSecret, isSibling, type VersionMessage } from './gcp-calls.ts'
import { answered } from './gcp-errors.ts'
import type { Known } from './gcp-memory.ts'
import { type Place, siblingOf } from './gcp-names.ts'
import { type Gcp, placeIn, readHead } from './gcp-sight.ts'

/**
 * A secret of the sibling's name may be somebody else's, and a version that is added to it is what its readers are given.
 * So where neither the record nor this process knows of a version of keyturn's there, its first version is asked for,
 * which is strongly consistent: there is none, or it is keyturn's; else its label has to say so. Fails with
 * `conflict/pending-foreign`.
 */
export async function refuseForeign(gcp: Gcp, known: Known, signal: AbortSignal): Promise<void> {
  const { seen, versions } = known
  if (versions.isSiblingOurs || seen.record.sibling > 0) return
  await prove(gcp, known, signal)
}

async function prove(gcp: Gcp, { seen, versions }: Known, signal: AbortSignal): Promise<void> {
  const sibling = siblingOf(placeIn(gcp, seen))
  const first = await access(gcp.client, sibling, 1, signal)
  if (first && !readHead(first) && !(await isLabelled(gcp, sibling, signal)))
    throw new KeyturnError(
      'conflict/pending-foreign',
      `${sibling} is not keyturn's, and is where a pending value of ${seen.resource} would be; if it is, give it the label keyturn=pending`
    )
  versions.isSiblingOurs = true
}

async function isLabelled(gcp: Gcp, sibling: string, signal: AbortSignal): Promise<boolean> {
  const found = await getSecret(gcp.client, sibling, signal)
  return found !== undefined && isSibling(found)
}

/** Adds a version to the sibling, which is made when it is needed first. */
export async function add(gcp: Gcp, known: Known, text: SecretText, signal: AbortSignal): Promise<VersionMessage> {
  await refuseForeign(gcp, known, signal)
  const { seen } = known
  const place = placeIn(gcp, seen)
  const sibling = siblingOf(place)
  try {
    return await addVersion(gcp.client, sibling, text, signal)
  } catch (e) {
    if (!answered(e, 'NOT_FOUND')) throw e
  }
  // Somebody made it in this very moment.
  if ((await created(gcp, place, seen.likeness, signal)) === 'was there') await prove(gcp, known, signal)
  return addVersion(gcp.client, sibling, text, signal).catch((e: unknown) => {
    if (!answered(e, 'NOT_FOUND')) throw e
    throw new KeyturnError('unavailable/store', `${sibling} was made, and Secret Manager does not show it yet; run again`)
  })
}

const created = (gcp: Gcp, place: Place, likeness: object, signal: AbortSignal): Promise<'made' | 'was there'> =>
  createSibling(gcp.client, place, likeness, signal).catch((e: unknown) => {
    if (!hasCode(e, 'denied/store')) throw e
    throw new KeyturnError('denied/store', `${e.message}; it may be made beforehand: ${siblingOf(place)}, without versions`)
  })
