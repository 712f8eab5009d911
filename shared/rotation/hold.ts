import { hasCode, KeyturnError } from '../errors.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import type { Context, Target, TargetHold } from '../ports/target.ts'
import { iso } from '../types.ts'
import type { Held } from './machine.ts'
import { isHeld, isOpen } from './plan.ts'

/**
 * The target's lock. It lives where current's document says; where a login is its own authority and current's is
 * refused (killed between apply and promote), the pending's opens it. Logins are tried in this order, one each.
 */
export async function takeHold(
  target: Target,
  places: readonly (Held | undefined)[],
  context: Context,
  signal: AbortSignal
): Promise<TargetHold> {
  let refusal: unknown = new KeyturnError('bug/internal', 'no place for the lock')
  for (const [at, place] of places.entries()) {
    if (!place) continue
    try {
      return await target.hold(place.credential, context, signal)
    } catch (e) {
      if (at === 0) refusal = e
      if (place.credential.authority === 'admin' || !hasCode(e, 'denied/login')) throw e
    }
  }
  throw refusal
}

/** A person's stop, or (for what nobody asked for by name) a closed window. */
export function stopped(facts: SecretFacts, bySchedule: boolean): KeyturnError | undefined {
  const { hold, window } = facts.metadata
  if (hold && isHeld(facts.metadata, facts.seenAt)) {
    const until = hold.until === undefined ? '' : `, until ${iso(hold.until)}`
    return new KeyturnError('conflict/held', `${facts.name} is on hold: ${hold.reason}${until}`)
  }
  if (bySchedule && !isOpen(window, facts.seenAt))
    return new KeyturnError('conflict/outside-window', `${facts.name} is outside its window ${window}`)
  return undefined
}
