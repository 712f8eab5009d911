import { asKeyturnError, classOf, hasCode, KeyturnError } from '../../errors.ts'
import { periodMsOf } from '../../policy.ts'
import type { SecretFacts } from '../../ports/secret-store.ts'
import type { Credential, Target } from '../../ports/target.ts'
import { iso, type SecretText } from '../../types.ts'
import { stopped } from '../hold.ts'
import type { Held } from '../machine.ts'
import { contextOf, graceEnds, othersOf } from '../observe.ts'
import { DONE, type DrivenRequest, describe, orRefused, readHeld, refusal, refused } from './step.ts'
import type { Remembered } from './steps.ts'

/** Stages the new value under the store's token. A repeat finds it made; a refusal leaves no pending behind. */
export async function create(step: DrivenRequest): Promise<{ said: string; known: Remembered }> {
  // What another service rotates is not touched; what the other function does is given back to it.
  const facts = await describe(step).catch((e: unknown) =>
    hasCode(e, 'conflict/other-function') ? refused(step, e) : Promise.reject(e)
  )
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
  const made = carried ? { value: carried.text } : await proposed(step, facts, current)
  const { value } = made
  const attempt = { token: step.token, base: current.version, driver: 'store' } as const
  try {
    await store.stage(facts.id, attempt, value, signal)
  } catch (e) {
    if ('key' in made) await takenBack(step, facts, made.key, e)
    // The same step, delivered twice at once: the first one's value stands.
    if (!hasCode(e, 'conflict/token-spent')) throw e
    return { said: 'created already', known: {} }
  }
  if (other) await store.drop(facts.id, other.token, signal)
  return { said: carried ? 'carried on' : 'created', known: { value, base: current.version, context: contextOf(facts) } }
}

interface Proposal {
  readonly value: SecretText
  readonly key: Credential
}

/**
 * A minted key is claimed by the registration of the token: RotateSecret is refused while AWSPENDING is on another version,
 * and our own runs' claims are while it is there. The same step twice at once makes two keys: one is taken back.
 */
async function proposed(step: DrivenRequest, facts: SecretFacts, current: Held): Promise<Proposal> {
  const target = step.core.targetFor(current.credential.document)
  const context = contextOf(facts)
  try {
    const key = await target.propose(current.credential, context, step.token, step.deadline.signal)
    return { value: key.document, key }
  } catch (e) {
    if (!hasCode(e, 'conflict/full')) throw e
    throw new KeyturnError('conflict/full', `${facts.name}: ${await crowdIn(step, target, facts, current)}`)
  }
}

/** Whose keys take the room. */
async function crowdIn(step: DrivenRequest, target: Target, facts: SecretFacts, { credential }: Held): Promise<string> {
  const hold = await target.hold(credential, contextOf(facts), step.deadline.signal)
  const { keys } = await hold.live(credential, step.deadline.signal)
  const others = keys.map((k) => k.principal).filter((id) => id !== credential.principal)
  return `no room for a new key beside ${others.join(', ')}`
}

/** A refusal that says that the store does not keep the key: this process alone knows its value. */
async function takenBack(step: DrivenRequest, facts: SecretFacts, next: Credential, e: unknown): Promise<void> {
  const target = step.core.targetFor(next.document)
  if (target.facts.issue !== 'minted' || !['conflict', 'invalid', 'denied'].includes(classOf(asKeyturnError(e).code))) return
  const { signal } = step.deadline
  try {
    const hold = await target.hold(next, contextOf(facts), signal)
    await hold.discard(next, signal)
  } catch (second) {
    step.core.log.warn('key-left', { principal: next.principal, code: asKeyturnError(second).code })
  }
}

/**
 * The one extra read of a refusal tells whether the previous version really names another half. A key that lives is refused
 * after its grace too: each is retired before the next is made, so that none is forgotten.
 */
async function refuseInsideGrace(step: DrivenRequest, facts: SecretFacts, current: Held): Promise<void> {
  const ends = graceEnds(step.core, facts, current, current)
  const isMinted = step.core.targetFor(current.credential.document).facts.issue === 'minted'
  if (ends === undefined || (facts.seenAt >= ends && !isMinted)) return
  for (const version of othersOf(facts)) {
    const { principal } = (await readHeld(step, version, contextOf(facts))).credential
    if (principal === current.credential.principal) continue
    if (facts.seenAt < ends) throw refusal('conflict/inside-grace', `${facts.name}: ${principal} is valid until ${iso(ends)}`)
    throw refusal('conflict/not-retired', `${facts.name}: ${principal} is not retired yet; the sweep retires it`)
  }
}
