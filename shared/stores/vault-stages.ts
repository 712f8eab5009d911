import { KeyturnError } from '../errors.ts'
import type { Attempt, Staged } from '../ports/secret-store.ts'
import type { SecretId, SecretText, Token, VersionId } from '../types.ts'
import { change, destroyBefore, type Stages } from './vault-change.ts'
import { keptAs } from './vault-document.ts'
import { attemptIn, carriedOn, isVersionId, pendingId, type Sight, versionId } from './vault-sight.ts'

export async function claim(
  stages: Stages,
  id: SecretId,
  { token, base }: Attempt,
  seen: readonly string[],
  signal: AbortSignal
): Promise<void> {
  await change(stages, id, signal, (sight) => {
    refuseSpent(sight, token)
    const held = holderIn(sight)
    if (held) throw new KeyturnError('busy/claimed', `the attempt ${held.token} at ${id} is under way`)
    if (versionId(sight.main.current) !== base)
      throw new KeyturnError('conflict/current-moved', `current of ${id} is another version than ${base}`)
    return { state: 'claimed', token, base: numberOf(base), seen, ...carriedOn(sight) }
  })
}

export async function stage(
  stages: Stages,
  id: SecretId,
  { token, base }: Attempt,
  value: SecretText,
  signal: AbortSignal
): Promise<Staged> {
  const document = keptAs(value)
  const { sibling } = await change(stages, id, signal, (sight) => {
    refuseSpent(sight, token)
    const held = holderIn(sight)
    if (held && held.token !== token)
      throw new KeyturnError('conflict/pending-other', `the attempt ${held.token} at ${id} is pending`)
    if (held?.state === 'pending') {
      if (held.document.equals(document)) return undefined
      throw new KeyturnError('conflict/token-spent', `the attempt ${token} at ${id} has another value already`)
    }
    const baseAt = base === versionId(sight.main.current) ? sight.main.createdAt : undefined
    return { state: 'pending', token, base: numberOf(base), baseAt, document, ...carriedOn(sight) }
  })
  return { version: pendingId(token), createdAt: sibling.createdAt }
}

/** 'nothing pending': this call ended the attempt. Undefined: the token held nothing. */
export async function drop(
  stages: Stages,
  id: SecretId,
  token: Token,
  signal: AbortSignal
): Promise<'nothing pending' | undefined> {
  let isOurs = false
  const { sibling } = await change(stages, id, signal, (sight, isRemembered) => {
    const { record } = sight.sibling
    isOurs = record !== undefined && record.state !== 'ended' && record.token === token
    // Whether it was promoted is what its end has to say, and somebody may have promoted it since that look.
    if (!isOurs || (isRemembered && sight.made?.token !== token)) return undefined
    return { state: 'ended', ...carriedOn(sight, token) }
  })
  if (!isOurs) return undefined
  await destroyBefore(stages.vault, id, sibling.version, signal)
  return 'nothing pending'
}

function numberOf(base: VersionId): number {
  if (!isVersionId(base)) throw new KeyturnError('conflict/current-moved', `${base} is no version of a secret in Vault KV`)
  return Number(base)
}

/** Whoever holds the pending path: an attempt that was promoted holds nobody up. */
function holderIn(sight: Sight) {
  const attempt = attemptIn(sight)
  return attempt && sight.made?.token !== attempt.token ? attempt : undefined
}

function refuseSpent(sight: Sight, token: Token): void {
  if (carriedOn(sight).spent.includes(token)) throw new KeyturnError('conflict/token-spent', `the attempt ${token} ended before`)
}
