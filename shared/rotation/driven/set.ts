import { KeyturnError } from '../../errors.ts'
import type { SecretFacts } from '../../ports/secret-store.ts'
import type { Context, Credential, TargetHold } from '../../ports/target.ts'
import type { SecretText, VersionId } from '../../types.ts'
import { stopped, takeHold } from '../hold.ts'
import { pendingOf } from '../machine.ts'
import { contextOf } from '../observe.ts'
import { DONE, type DrivenRequest, describe, knownTo, orRefused, readHeld, readToken, refusal, refused, unseen } from './step.ts'
import type { Remembered } from './steps.ts'

interface Attempt {
  readonly value: SecretText
  readonly base: VersionId
}

interface Holding {
  readonly hold: TargetHold
  /** The look inside the hold. */
  readonly facts: SecretFacts
  readonly next: Credential
}

/** Applies the staged value to the half that current does not use. */
export async function set(step: DrivenRequest, known: Remembered): Promise<{ said: string; known: Remembered }> {
  const attempt = await attemptOf(step, known)
  if (attempt === DONE) return { said: DONE, known: {} }
  // The provider made it valid when it made it.
  if (step.core.targetFor(attempt.value).facts.issue === 'minted')
    return { said: 'nothing to set', known: known.context ? { context: known.context } : {} }
  const done = await orRefused(step, setHeld(step, attempt, known))
  return done instanceof KeyturnError ? refused(step, done) : done
}

/** Gives back why the attempt must not go on, where the look inside the hold says so. */
async function setHeld(step: DrivenRequest, attempt: Attempt, { context }: Remembered) {
  const { hold, facts, next } = await holding(step, attempt, context)
  try {
    if (facts.currentToken === step.token) return { said: DONE, known: {} }
    const error = unfit(step, facts)
    if (error) return error
    step.deadline.ensure(step.core.stepNeedsMs)
    const began = performance.now()
    await hold.apply(next, knownTo(step, facts), step.deadline.signal)
    return { said: 'set', known: { context: { ...contextOf(facts), applied: true }, began } }
  } finally {
    await hold.release()
  }
}

/** Warm: what create stored a moment ago. Cold: what the store has under the token. */
async function attemptOf(step: DrivenRequest, { value, base }: Remembered): Promise<Attempt | typeof DONE> {
  if (value && base !== undefined) return { value, base }
  const stored = await readToken(step)
  if (stored?.stages?.current) return DONE
  if (stored?.stages?.base === undefined || !stored.stages.pending)
    throw refusal('conflict/step-order', `${step.token} has no value of keyturn’s: createSecret has not run, or it was abandoned`)
  return { value: stored.text, base: stored.stages.base }
}

/**
 * The hold, then the look inside it. A cold process knows no metadata before that look; where it names another admin
 * or pair than the document did, the lock taken was the wrong one, and is taken again.
 */
async function holding(step: DrivenRequest, attempt: Attempt, known: Context | undefined): Promise<Holding> {
  const context = known ?? unseen(step)
  const target = step.core.targetFor(attempt.value)
  const next = target.inspect(attempt.value, context)
  const pending = { version: step.token, credential: next, createdAt: undefined }
  // Where the login is its own authority, it is current's that opens the hold.
  const places = next.authority === 'admin' ? [pending] : [await readHeld(step, attempt.base, context), pending]
  const hold = await takeHold(target, places, context, step.deadline.signal)
  try {
    const facts = await describe(step)
    const told = target.inspect(attempt.value, contextOf(facts))
    const right = told.counterpart === next.counterpart && told.authority === next.authority && !changesAdmin(facts, known)
    if (right) return { hold, facts, next: told }
    await hold.release()
    return await holding(step, attempt, contextOf(facts))
  } catch (e) {
    await hold.release()
    throw e
  }
}

/** The look names an admin that the hold was not taken with. */
const changesAdmin = (facts: SecretFacts, used: Context | undefined): boolean =>
  facts.metadata.admin !== undefined && used !== undefined && facts.metadata.admin !== used.admin

/** Why the attempt must not go on, from one look: the guard is asked before apply too (design rule 1). */
function unfit(step: DrivenRequest, facts: SecretFacts): KeyturnError | undefined {
  const mine = facts.pendings.find((p) => p.token === step.token)
  if (!mine) return refusal('conflict/token-spent', `${step.token} is no longer pending: it was abandoned`)
  if (mine.base === undefined) return refusal('conflict/step-order', `${step.token} has no value of keyturn’s`)
  if (mine.base !== facts.current)
    return refusal('conflict/current-moved', `current is no longer the version that ${step.token} was made from`)
  if (pendingOf(facts)?.token !== step.token)
    return refusal('conflict/pending-other', 'another attempt of keyturn’s is pending; the next rotation carries it on')
  // A window that closes between two steps does not stop what began inside it; a person does.
  return stopped(facts, false)
}
