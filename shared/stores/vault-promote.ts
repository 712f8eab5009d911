import { hasCode, KeyturnError } from '../errors.ts'
import type { Attempt, Promoted } from '../ports/secret-store.ts'
import type { SecretId, SecretText } from '../types.ts'
import { writeValue } from './vault-calls.ts'
import { ifGranted, isComplete, lookAgain, MAX_ROUNDS, refuseChanged, type Stages } from './vault-change.ts'
import { dataOf } from './vault-document.ts'
import type { Promotion } from './vault-record.ts'
import { isFormer, type Sight, versionId } from './vault-sight.ts'

/**
 * One call where this process staged the value, or saw it: `cas` names the base, and a token names one value for ever. A
 * refusal, or a process that saw nothing, looks: the version after the base may have the value already.
 */
export async function promote(
  stages: Stages,
  id: SecretId,
  attempt: Attempt,
  signal: AbortSignal
): Promise<Promoted | undefined> {
  let sight = readySight(stages, id, attempt) ?? (await lookAgain(stages, id, signal))
  for (let n = 0; n < MAX_ROUNDS; n++) {
    const { made, main } = sight
    if (made?.token === attempt.token && made.version === main.current) return promoted(made)
    // It was promoted before, and somebody has written a version since.
    if (made?.token === attempt.token && versionId(made.previous) === attempt.base) return undefined
    const document = promotable(id, sight, attempt)
    const done = await commit(stages, id, sight, attempt, document, signal)
    if (done) return promoted(done)
    sight = await lookAgain(stages, id, signal)
  }
  throw new KeyturnError('conflict/current-moved', `others write ${id} all the time`)
}

const promoted = ({ version, at }: Promotion): Promoted => ({ version: versionId(version), at, recorded: true })

function readySight({ memory }: Stages, id: SecretId, attempt: Attempt): Sight | undefined {
  const sight = memory.sight(id)
  if (!sight || !isComplete(sight)) return undefined
  return ifGranted(() => promotable(id, sight, attempt)) && sight
}

/** The value that may become current now. */
function promotable(id: SecretId, { main, sibling: { record } }: Sight, { token, base }: Attempt): SecretText {
  if (versionId(main.current) !== base)
    throw new KeyturnError('conflict/current-moved', `current of ${id} is ${main.current}, not ${base}`)
  if (record && record.state !== 'ended' && record.token !== token)
    throw new KeyturnError('conflict/pending-other', `the attempt ${record.token} is pending at ${id}`)
  if (record?.state !== 'pending') throw new KeyturnError('not-found/version', `the attempt ${token} at ${id} has no value`)
  if (record.base !== main.current || isFormer(record, main))
    throw new KeyturnError('conflict/current-moved', `the attempt ${token} at ${id} was made from another version than ${base}`)
  return record.document
}

/** Undefined: current is not what the sight showed. */
async function commit(
  { vault, memory }: Stages,
  id: SecretId,
  sight: Sight,
  { token }: Attempt,
  document: SecretText,
  signal: AbortSignal
): Promise<Promotion | undefined> {
  const previous = sight.main.current
  memory.forget(id)
  try {
    const written = await writeValue(vault, id, previous, dataOf(document), signal)
    refuseChanged(vault, id, written)
    const { version, createdAt, custom, seenAt } = written
    const made = { token, version, previous, at: createdAt }
    memory.saw(id, { ...sight, main: { ...sight.main, current: version, createdAt, custom, seenAt, text: undefined }, made })
    return made
  } catch (e) {
    if (hasCode(e, 'conflict/current-moved')) return undefined
    throw e
  }
}
