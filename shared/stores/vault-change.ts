import { hasCode, KeyturnError } from '../errors.ts'
import type { SecretId } from '../types.ts'
import { destroyVersions, type KvValue, limitVersions, writeValue } from './vault-calls.ts'
import type { Memory } from './vault-memory.ts'
import { pendingPath } from './vault-place.ts'
import { type PendingRecord, printRecord } from './vault-record.ts'
import { refuseExpiring } from './vault-settings.ts'
import { lookAt, type Sight, type Vault } from './vault-sight.ts'

/** The store as its writes need it. */
export interface Stages {
  readonly vault: Vault
  readonly memory: Memory
}

/** What the pending path is to hold; undefined: nothing is to be written. Throws what is refused. */
export type Decide = (sight: Sight, isRemembered: boolean) => PendingRecord | undefined

/** Each time somebody else wrote in between; a third one in a row is no coincidence any more. */
export const MAX_ROUNDS = 3

/**
 * Decides from what is remembered, or from a look, and writes where nobody wrote since. What memory would refuse, or has
 * nothing to write for, is looked at first. Gives what is there now.
 */
export async function change(stages: Stages, id: SecretId, signal: AbortSignal, decide: Decide): Promise<Sight> {
  const remembered = stages.memory.sight(id)
  const record = remembered && ifGranted(() => decide(remembered, true))
  if (remembered && record && isComplete(remembered)) {
    const written = await write(stages, id, remembered, record, signal)
    if (written) return written
  }
  for (let n = 0; n < MAX_ROUNDS; n++) {
    const sight = await lookAgain(stages, id, signal)
    const next = decide(sight, false)
    if (!next) return sight
    const written = await write(stages, id, sight, next, signal)
    if (written) return written
  }
  throw new KeyturnError('unavailable/store', `others write the pending value of ${id} all the time`)
}

/** Whether the path's settings were looked at, too: no value is staged, and none promoted, under settings that nobody saw. */
export const isComplete = ({ main }: Sight): boolean => main.versions !== undefined

export function ifGranted<T>(decide: () => T): T | undefined {
  try {
    return decide()
  } catch (e) {
    if (e instanceof KeyturnError) return undefined
    throw e
  }
}

export async function lookAgain({ vault, memory }: Stages, id: SecretId, signal: AbortSignal): Promise<Sight> {
  memory.forget(id)
  const sight = await lookAt(vault, id, 'settings', signal)
  if (!sight) throw new KeyturnError('not-found/secret', `there is no secret ${id}`)
  memory.saw(id, sight)
  return sight
}

/** Undefined: somebody wrote since that sight. After a lost answer nothing is remembered: whoever comes next looks. */
async function write(
  { vault, memory }: Stages,
  id: SecretId,
  sight: Sight,
  record: PendingRecord,
  signal: AbortSignal
): Promise<Sight | undefined> {
  const path = pendingPath(vault, id)
  memory.forget(id)
  try {
    // The value of an attempt that ended must not stay readable as an older version.
    if (sight.sibling.version === 0) await limitVersions(vault, path, 1, signal)
    const written = await writeValue(vault, path, sight.sibling.version, printRecord(record), signal)
    const next: Sight = { ...sight, sibling: { version: written.version, createdAt: written.createdAt, record } }
    if (record.state === 'pending') refuseChanged(vault, path, written)
    memory.saw(id, next)
    return next
  } catch (e) {
    if (hasCode(e, 'conflict/current-moved')) return undefined
    throw e
  }
}

/**
 * The answer of a write shows the settings that the version was written under, those of the mount too: they were changed
 * after they were read. Of a staged value it is said before anything is promoted under them.
 */
export function refuseChanged(vault: Vault, path: string, written: KvValue): void {
  if (written.deletedAt !== undefined) vault.settings.forget()
  refuseExpiring(vault, path, written)
}

/** An attempt writes a claim, a value and its end: these are several attempts', so that one that died here is caught up with. */
const MAX_LEFT = 10

/** A mount that keeps more than one version keeps them of every path (vault-settings.ts): then they are destroyed. */
export async function destroyBefore(vault: Vault, id: SecretId, version: number, signal: AbortSignal): Promise<void> {
  const { maxVersions } = await vault.settings.read(signal)
  const count = Math.min(maxVersions - 1, MAX_LEFT, version - 1)
  if (count <= 0) return
  const older = Array.from({ length: count }, (_, n) => version - 1 - n)
  await destroyVersions(vault, pendingPath(vault, id), older, signal)
}
