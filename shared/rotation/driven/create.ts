import { hasCode } from '../../errors.ts'
import { periodMsOf } from '../../policy.ts'
import type { SecretFacts } from '../../ports/secret-store.ts'
import { iso, type SecretText } from '../../types.ts'
import { stopped } from '../hold.ts'
import type { Held } from '../machine.ts'
import { contextOf, graceEnds, othersOf } from '../observe.ts'
import { DONE, type DrivenRequest, describe, orRefused, readHeld, refusal, refused } from './step.ts'
import type { Remembered } from './steps.ts'

/** Stages the new value under the store's token. A repeat finds it made; a refusal leaves no pending behind. */
export async function create(step: DrivenRequest): Promise<{ said: string; known: Remembered }> {
  const facts = await describe(step)
  if (facts.rotationEnabled === false) throw refusal('disabled/rotation', `rotation of ${facts.name} is switched off`)
  if (facts.currentToken === step.token) return { said: DONE, known: {} }
  const mine = facts.pendings.find((p) => p.token === step.token)
  if (!mine) throw refusal('invalid/token', `${step.token} is no pending version of ${facts.name}`)
  if (mine.base !== undefined && mine.base === facts.current) return { said: 'created already', known: {} }
  const error = stopped(facts, true)
  if (error) return refused(step, error)
  return orRefused(step, stageFor(step, facts))
}

async function stageFor(step: DrivenRequest, facts: SecretFacts): Promise<{ said: string; known: Remembered }> {
  const { store } = step.core
  const { signal } = step.deadline
  periodMsOf(facts.metadata)
  const current = await readHeld(step, facts.current, contextOf(facts))
  const other = facts.pendings.find((p) => p.token !== step.token && p.version !== facts.current)
  if (other?.claimedAt !== undefined) throw refusal('busy/claimed', `${facts.name}: another run claimed it`)
  // A valued pending of ours is carried on with its own value: another run may have applied it (design rule 5).
  const carried = other?.base === facts.current && other ? await store.read(facts.id, other.version, signal) : undefined
  if (!carried) await refuseInsideGrace(step, facts, current)
  const value = carried?.text ?? (await proposed(step, facts, current))
  const attempt = { token: step.token, base: current.version, driver: 'store' } as const
  try {
    await store.stage(facts.id, attempt, value, signal)
  } catch (e) {
    // The same step, delivered twice at once: the first one's value stands.
    if (!hasCode(e, 'conflict/token-spent')) throw e
    return { said: 'created already', known: {} }
  }
  if (other) await store.drop(facts.id, other.token, signal)
  return { said: carried ? 'carried on' : 'created', known: { value, base: current.version, context: contextOf(facts) } }
}

async function proposed(step: DrivenRequest, facts: SecretFacts, current: Held): Promise<SecretText> {
  const target = step.core.targetFor(current.credential.document)
  const next = await target.propose(current.credential, contextOf(facts), step.token, step.deadline.signal)
  return next.document
}

/** The one extra read of a refusal tells whether the previous version really names another half. */
async function refuseInsideGrace(step: DrivenRequest, facts: SecretFacts, current: Held): Promise<void> {
  const ends = graceEnds(step.core, facts, current, current)
  if (ends === undefined || facts.seenAt >= ends) return
  for (const version of othersOf(facts)) {
    const { principal } = (await readHeld(step, version, contextOf(facts))).credential
    if (principal !== current.credential.principal)
      throw refusal('conflict/inside-grace', `${facts.name}: ${principal} is valid until ${iso(ends)}`)
  }
}
