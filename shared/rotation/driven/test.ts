import { KeyturnError } from '../../errors.ts'
import type { StoredValue } from '../../ports/secret-store.ts'
import type { Context } from '../../ports/target.ts'
import { contextOf } from '../observe.ts'
import { DONE, type DrivenRequest, describe, knownTo, orRefused, readHeld, readToken, refusal, unseen } from './step.ts'
import type { Remembered } from './steps.ts'

/**
 * Logs in with the staged value and checks the whole desired state. Sent alone (RotateSecret with
 * RotateImmediately=false, on a pending that Secrets Manager made: RotateSecret API reference), it checks what a
 * rotation would need, and changes nothing.
 */
export async function test(step: DrivenRequest, known: Remembered): Promise<{ said: string; known: Remembered }> {
  const stored = await readToken(step)
  if (stored?.stages?.current) return { said: DONE, known: {} }
  if (stored?.stages?.base === undefined) return { said: await preflight(step), known: {} }
  if (!stored.stages.pending) throw refusal('conflict/token-spent', `${step.token} is no longer pending: it was abandoned`)
  await orRefused(step, verified(step, stored, known.context ?? unseen(step)))
  return { said: 'tested', known: { ...known, tested: true } }
}

/** The target takes the staged value, completely. A refusal means that the step before was not done. */
export async function verified(step: DrivenRequest, stored: StoredValue, context: Context): Promise<void> {
  const target = step.core.targetFor(stored.text)
  // A new key may be refused for a while: that is no verdict, and the service comes again.
  const asked = target.facts.issue === 'minted' ? { ...context, applied: true } : context
  const verdict = await target.verify(target.inspect(stored.text, context), asked, step.deadline.signal)
  if (verdict === 'rejected')
    throw refusal('conflict/step-order', `the target refuses the value of ${step.token}: setSecret has not run, or was undone`)
}

async function preflight(step: DrivenRequest): Promise<string> {
  const facts = await describe(step)
  const { credential } = await readHeld(step, facts.current, contextOf(facts))
  const target = step.core.targetFor(credential.document)
  const context = { ...contextOf(facts), known: await knownTo(step, facts)() }
  const problems = await target.preflight(credential, context, step.deadline.signal)
  const fatal = problems.filter((p) => p.fatal)
  if (fatal.length > 0) throw new KeyturnError('invalid/config', fatal.map((p) => `${p.code}: ${p.message}`).join('; '))
  return 'nothing is pending; configuration, admin and current credential were checked'
}
