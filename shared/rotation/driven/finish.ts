import { asKeyturnError, hasCode } from '../../errors.ts'
import type { StoredValue } from '../../ports/secret-store.ts'
import { refusedSince } from '../effects.ts'
import { promotedAt } from '../plan.ts'
import { restarted } from '../tell.ts'
import { DONE, type DrivenRequest, describe, readToken, refusal, refused, unseen } from './step.ts'
import type { Remembered } from './steps.ts'
import { verified } from './test.ts'

/**
 * Promotes the staged value, if current is still the version that it was made from. No lock is needed: the store
 * compares, and whoever else meets this pending carries it on with the same value.
 */
export async function finish(step: DrivenRequest, known: Remembered): Promise<{ said: string; known: Remembered }> {
  const stored = await readToken(step)
  if (stored?.stages?.current) return { said: DONE, known: {} }
  const base = stored?.stages?.base
  if (!stored || base === undefined || !stored.stages?.pending)
    throw refusal('conflict/step-order', `${step.token} has no value of keyturn’s, or is no longer pending`)
  // The service keeps the order of its steps, but nothing it stores says that they were done: the login does.
  if (!known.tested) await verified(step, stored, known.context ?? unseen(step))
  step.deadline.ensure(step.core.stepNeedsMs)
  try {
    await step.core.store.promote(step.secretId, { token: step.token, base, driver: 'store' }, step.deadline.signal)
  } catch (e) {
    if (hasCode(e, 'conflict/current-moved')) return refused(step, e)
    throw e
  }
  const told = known.context?.restart === undefined ? '' : await toldFor(step, known.context.restart)
  return { said: `finished${refusedFor(step, stored, known)}${told}`, known: {} }
}

/**
 * The consumers that the owner named start again now, and not at the next sweep; that asks again where it is not recorded, so
 * that nothing which fails here makes the service repeat a rotation that is over.
 */
async function toldFor(step: DrivenRequest, restart: string): Promise<string> {
  const { core, token, deadline } = step
  try {
    const facts = await describe(step)
    const outcome = await restarted(core, restart, facts.id, token, deadline.signal)
    const at = promotedAt(facts, undefined) ?? facts.seenAt
    const promoted = facts.previous === undefined ? {} : { promoted: { version: token, previous: facts.previous, at } }
    const record = { ...promoted, restarted: { version: token, at: facts.seenAt, outcome } }
    await core.store.annotate(facts.id, record, facts.revision, deadline.signal)
    return `; restart of the consumers: ${outcome}`
  } catch (e) {
    const { code } = asKeyturnError(e)
    core.log.warn('restart-put-off', { secret: step.secretId, code })
    return '; the sweep restarts the consumers'
  }
}

/** A secret without overlap: how long its readers were refused, where this process has seen it all. */
function refusedFor(step: DrivenRequest, { text }: StoredValue, { began, context }: Remembered): string {
  if (began === undefined) return ''
  const refusedMs = refusedSince(began, step.core.targetFor(text).inspect(text, context ?? unseen(step)))
  return refusedMs === undefined ? '' : `; readers were refused for ${refusedMs} ms`
}
