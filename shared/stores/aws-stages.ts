import { randomUUID } from 'node:crypto'
import { hasCode, KeyturnError } from '../errors.ts'
import type { Attempt } from '../ports/secret-store.ts'
import { type SecretId, SecretText, type Token, type VersionId } from '../types.ts'
import { type Aws, describeSecret, explained, moveLabel, putVersion, wasRefused } from './aws-calls.ts'
import type { ClaimNote } from './aws-facts.ts'
import {
  CURRENT,
  claimVersions,
  holderOf,
  isEnded,
  isMark,
  leftovers,
  mark,
  OURS,
  otherHolder,
  PENDING,
  type Stages
} from './aws-labels.ts'

/**
 * For a token that Secrets Manager registered under AWSPENDING: one call. That no other version has AWSPENDING is what
 * the registration says, so it is not asked; a Put would take it away from there without a word. The marks of earlier
 * attempts stay on old versions until a secret has as many labels as it may have (reference_limits.html: 20): then they
 * are taken off, a dozen calls once in a dozen rotations. Doing it each time would cost a call that the budget lacks.
 */
export async function stageForStore(
  aws: Aws,
  id: SecretId,
  attempt: Attempt,
  value: SecretText,
  signal: AbortSignal
): Promise<void> {
  const { token, base } = attempt
  const labels = await put(aws, id, token, value, [PENDING, mark('base', base, token)], signal)
  if (!labels.includes(PENDING)) throw spent(token)
}

/**
 * For an attempt of ours: look, Put with a mark that only this version can have, then our shared label without
 * RemoveFromVersionId, which is refused while another version has it. Putting the shared label at once would move it
 * away from whoever holds it (API_PutSecretValue moves labels).
 */
export async function stageOwn(aws: Aws, id: SecretId, attempt: Attempt, value: SecretText, signal: AbortSignal): Promise<void> {
  const { token, base } = attempt
  const { stages } = await describeSecret(aws, id, signal)
  refuseEnded(stages, token)
  const other = otherHolder(stages, token)
  if (other !== undefined) throw new KeyturnError('conflict/pending-other', `version ${other} of ${id} is pending`)
  const label = mark('base', base, token)
  const written = await putMarked(aws, id, token, value, label, signal).catch((e: unknown) => e)
  // A run died between Put and label, and this one has another value: the first one stands, and the next look shows it.
  const stands = hasCode(written, 'conflict/token-spent') && stages[token]?.includes(label) && holderOf(stages, OURS) !== token
  if (written !== undefined && !stands) throw written
  if (!(await takeOurs(aws, id, stages, token, signal)))
    throw new KeyturnError('conflict/pending-other', `another attempt at ${id} was faster than ${token}`)
  if (stands) throw new KeyturnError('conflict/pending-other', `${token} has a value in ${id} already; it is carried on`)
  const claims = claimVersions(token).flatMap((version) => marksOf(stages, version).map((label) => ({ version, label })))
  const left = [...leftovers(stages), ...claims]
  for (const { version, label } of left) await takeOff(aws, id, label, version, signal)
}

export async function claim(
  aws: Aws,
  id: SecretId,
  attempt: Attempt,
  seen: readonly string[],
  signal: AbortSignal
): Promise<void> {
  const { token, base } = attempt
  const { stages } = await describeSecret(aws, id, signal)
  refuseEnded(stages, token)
  const other = otherHolder(stages, token)
  if (other !== undefined) throw new KeyturnError('busy/claimed', `version ${other} of ${id} is pending or claimed`)
  const versions = claimVersions(token)
  if ([OURS, PENDING].some((label) => [token, ...versions].includes(holderOf(stages, label) ?? '')))
    throw new KeyturnError('busy/claimed', `${token} holds ${id} already`)
  const current = holderOf(stages, CURRENT)
  if (current !== base) throw new KeyturnError('conflict/current-moved', `current of ${id} is ${current}, not ${base}`)
  const busy = new KeyturnError('busy/claimed', `another claim of ${id} was faster than ${token}`)
  const version = await writtenClaim(aws, id, token, base, seen, signal)
  if (version === undefined || !(await takeOurs(aws, id, stages, version, signal))) throw busy
}

/**
 * Writes the first of an attempt's claims that nobody wrote before. One that is there and has its mark is another delivery's,
 * which is about to label it or died before; one without was dropped, and so is the token. Undefined: all are others'.
 */
async function writtenClaim(
  aws: Aws,
  id: SecretId,
  token: Token,
  base: VersionId,
  seen: readonly string[],
  signal: AbortSignal
): Promise<VersionId | undefined> {
  const note: ClaimNote = { token, seen, nonce: randomUUID() }
  for (const version of claimVersions(token)) {
    try {
      await putMarked(aws, id, version, new SecretText(JSON.stringify(note)), mark('claim', base, version), signal)
      return version
    } catch (e) {
      if (!hasCode(e, 'conflict/token-spent')) throw e
      const { stages } = await describeSecret(aws, id, signal)
      if (marksOf(stages, version).length === 0) throw spent(token)
    }
  }
  return undefined
}

/**
 * One call. AWSPREVIOUS follows AWSCURRENT by itself (API_UpdateSecretVersionStage), to the base. Refused: a look tells
 * whether an answer was lost on the way (the SDK's own repeat is refused then, too), or current moved.
 */
export async function promote(aws: Aws, id: SecretId, { token, base }: Attempt, signal: AbortSignal): Promise<void> {
  try {
    await moveLabel(aws, id, CURRENT, { from: base, to: token }, signal)
  } catch (e) {
    // The move puts AWSPREVIOUS on the base: where no version had it, that is one label more.
    if (hasCode(e, 'throttled/versions') && (await tidy(aws, id, signal)))
      return moveLabel(aws, id, CURRENT, { from: base, to: token }, signal)
    if (!wasRefused(e)) throw e
    const { stages } = await describeSecret(aws, id, signal)
    const current = holderOf(stages, CURRENT)
    if (current === token) return
    if (current !== base) throw new KeyturnError('conflict/current-moved', `current of ${id} is ${current}, not ${base}`)
    if (stages[token] === undefined) throw new KeyturnError('not-found/version', `${id} has no version ${token}`)
    throw await explained(aws, id, e, signal)
  }
}

/** The shared labels first: what a run that dies here leaves is a mark that names nobody's attempt. */
export async function drop(aws: Aws, id: SecretId, token: Token, signal: AbortSignal): Promise<void> {
  const { stages } = await describeSecret(aws, id, signal)
  for (const version of [token, ...claimVersions(token)]) {
    const labels = stages[version] ?? []
    const shared = labels.filter((l) => l === PENDING || l === OURS)
    for (const label of [...shared, ...labels.filter(isMark)]) await takeOff(aws, id, label, version, signal)
  }
}

const spent = (token: Token): KeyturnError => new KeyturnError('conflict/token-spent', `the attempt ${token} ended before`)
const marksOf = (stages: Stages, version: VersionId): readonly string[] => (stages[version] ?? []).filter(isMark)

function refuseEnded(stages: Stages, token: Token): void {
  if (isEnded(stages, token)) throw spent(token)
}

/** A version that was written before and lost its labels keeps its value, and a Put of the same value does nothing to it. */
async function putMarked(aws: Aws, id: SecretId, version: VersionId, value: SecretText, label: string, signal: AbortSignal) {
  if (!(await put(aws, id, version, value, [label], signal)).includes(label)) throw spent(version)
}

/** True when our shared label is on the version. From a finished attempt, or from our own claim, by compare-and-set. */
async function takeOurs(aws: Aws, id: SecretId, stages: Stages, version: VersionId, signal: AbortSignal): Promise<boolean> {
  const from = holderOf(stages, OURS)
  if (from === version) return true
  try {
    await moveLabel(aws, id, OURS, { from, to: version }, signal)
    return true
  } catch (e) {
    if (!wasRefused(e)) throw e
    const now = await describeSecret(aws, id, signal)
    const holder = holderOf(now.stages, OURS)
    if (holder === version) return true
    if (holder === undefined || holder === from) throw await explained(aws, id, e, signal)
    return false
  }
}

/** Writes a version; where the secret has no label left, what earlier attempts left behind makes room. */
async function put(...[aws, id, token, value, labels, signal]: Parameters<typeof putVersion>): Promise<readonly string[]> {
  try {
    return await putVersion(aws, id, token, value, labels, signal)
  } catch (e) {
    if (!hasCode(e, 'throttled/versions') || !(await tidy(aws, id, signal))) throw e
    return putVersion(aws, id, token, value, labels, signal)
  }
}

/** Takes off what attempts left behind. False: there was nothing, so the limit is another one. */
async function tidy(aws: Aws, id: SecretId, signal: AbortSignal): Promise<boolean> {
  const { stages } = await describeSecret(aws, id, signal)
  const left = leftovers(stages)
  for (const { version, label } of left) await takeOff(aws, id, label, version, signal)
  return left.length > 0
}

/** A label that is not there any more, or a version that went with its last label, is what was wanted. */
async function takeOff(aws: Aws, id: SecretId, label: string, version: VersionId, signal: AbortSignal): Promise<void> {
  try {
    await moveLabel(aws, id, label, { from: version }, signal)
  } catch (e) {
    if (!wasRefused(e)) throw e
    const { stages } = await describeSecret(aws, id, signal)
    if (stages[version]?.includes(label)) throw await explained(aws, id, e, signal)
  }
}
