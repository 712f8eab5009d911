import { type Effect, isAttemptOf, type Run } from './effects.ts'
import { orphansOf } from './keys.ts'
import type { Held } from './machine.ts'
import { namedBy, seen } from './observe.ts'

/** At the target first, then the stage: so that a kill in between is discarded again, not forgotten. */
export const discard: Effect = async (run, o) => {
  const { core, request, target, hold, memory } = run
  const { facts, current } = seen(o)
  const pending = o.pending
  if (!pending) return undefined
  const { signal } = request.deadline
  const { held } = pending
  // Whichever version it was made from: what readers can hold is named by current or previous, and nothing else lives on.
  if (held && !namedBy(o).includes(held.credential.principal)) await hold.discard(held.credential, signal)
  if (held?.credential.principal === current.credential.principal) await restore(run, current)
  // Listed anew: what was listed first may be from before the claim's run died.
  if (pending.facts.claimedAt !== undefined && target.facts.issue === 'minted') {
    const { keys } = await hold.live(current.credential, signal)
    memory.live = keys
    for (const principal of orphansOf(o, keys, core.runLivesMs)) await hold.discard({ ...current.credential, principal }, signal)
  }
  await core.store.drop(facts.id, pending.facts.token, signal)
  // The request's own, of a delivery that died: its token is spent now, and was never promoted.
  if (pending.facts.claimedAt !== undefined && isAttemptOf(pending.facts.token, request)) memory.endedClaims += 1
  run.done.push({ step: 'discard', principal: held?.credential.principal ?? '', token: pending.facts.token })
  return undefined
}

/**
 * The pending names the login that current names: a person wrote current anew, or there is one login alone. It may have
 * been applied, and what it set is readable nowhere once it is dropped; so current's own secret is set again first.
 */
async function restore({ target, hold, request }: Run, { credential }: Held): Promise<void> {
  const { signal } = request.deadline
  if (target.facts.issue === 'minted') return
  if (credential.authority === 'admin') await hold.heal(credential, signal)
  else if (!credential.overlap) await hold.apply(credential, async () => [credential.principal], signal)
}
