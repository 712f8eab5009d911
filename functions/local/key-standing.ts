import type { Usage } from '../../shared/ports/target.ts'
import { cannotTell } from '../../shared/ports/usage.ts'
import type { Core, Request } from '../../shared/rotation/core.ts'
import { drainOf } from '../../shared/rotation/drain.ts'
import type { Observation } from '../../shared/rotation/machine.ts'
import { contextOf } from '../../shared/rotation/observe.ts'
import { iso } from '../../shared/types.ts'

/** One key that lives at the provider. */
export interface KeyStanding {
  readonly id: string
  /** `unknown`: no stage of the secret names it. Somebody made it by hand, or a run that died. */
  readonly role: 'current' | 'previous' | 'pending' | 'unknown'
  readonly createdAt: string | null
  /** Null: nobody was asked. */
  readonly lastUsed: Usage | null
}

/** What the previous key's retirement waits for. */
export interface Retirement {
  readonly earliest: string | null
  readonly waitsFor: readonly string[]
  readonly isOverdue: boolean
}

/** The keys as the provider lists them. A string: why it could not be asked. */
export async function keysOf(core: Core, o: Observation, request: Request): Promise<readonly KeyStanding[] | string> {
  const { facts, current } = o
  if (!facts || !current) return []
  const { signal } = request.deadline
  try {
    const hold = await core.targetFor(current.credential.document).hold(current.credential, contextOf(facts), signal)
    const { keys } = await hold.live(current.credential, signal)
    const found: KeyStanding[] = []
    for (const { principal: id, createdAt } of keys) {
      const held = [o.current, o.previous, o.pending?.held].find((h) => h?.credential.principal === id)
      const lastUsed = held ? await hold.usage(held.credential, signal).catch(cannotTell) : null
      found.push({ id, role: roleOf(o, id), createdAt: createdAt === undefined ? null : iso(createdAt), lastUsed })
    }
    return found
  } catch (e) {
    return cannotTell(e).why
  }
}

function roleOf({ current, previous, pending }: Observation, id: string): KeyStanding['role'] {
  if (current?.credential.principal === id) return 'current'
  if (previous?.credential.principal === id) return 'previous'
  return pending?.held?.credential.principal === id ? 'pending' : 'unknown'
}

/** Null: there is no previous key. */
export function retirementOf(o: Observation): Retirement | null {
  if (!o.facts || !o.previous || o.target?.issue !== 'minted') return null
  const { earliest, blockers, isOverdue } = drainOf(o, o.facts)
  return { earliest: earliest === undefined ? null : iso(earliest), waitsFor: blockers.map(({ says }) => says), isOverdue }
}
