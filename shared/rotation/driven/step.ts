import { asKeyturnError, type Code, classOf, KeyturnError } from '../../errors.ts'
import type { SecretFacts, StoredValue } from '../../ports/secret-store.ts'
import type { Context } from '../../ports/target.ts'
import type { SecretId, Token, VersionId } from '../../types.ts'
import type { Core, Request } from '../core.ts'
import type { Held } from '../machine.ts'
import { contextOf, refuseForeign, refuseOthers } from '../observe.ts'

/** One of the four calls. */
export interface DrivenRequest {
  readonly core: Core
  readonly secretId: SecretId
  readonly token: Token
  readonly deadline: Request['deadline']
}

export const DONE = 'done already: the token is current'

export const refusal = (code: Code, message: string): KeyturnError => new KeyturnError(code, message)

/** A refusal takes the store's pending stage off in the same call, or it would block every later rotation (rule 5). */
export async function refused(step: DrivenRequest, error: KeyturnError): Promise<never> {
  const { store, log } = step.core
  await store.drop(step.secretId, step.token, step.deadline.signal).catch((e: unknown) => {
    const failure = asKeyturnError(e)
    if (failure.retryable) throw failure
    // What was refused, and why, is what its owner has to know first.
    log.warn('pending-left', { secret: step.secretId, token: step.token, code: failure.code })
  })
  throw error
}

/**
 * What no repeat of the same token will mend: the token is given up, so that RotateSecret works once the cause is mended.
 * After a passing failure the pending stays, and the service comes again. A step out of order is the caller's mistake.
 */
export function isFinal(e: unknown): e is KeyturnError {
  if (!(e instanceof KeyturnError) || classOf(e.code) === 'bug') return false
  if (['conflict/step-order', 'conflict/token-spent'].includes(e.code)) return false
  return (
    !e.retryable ||
    ['conflict/inside-grace', 'conflict/not-retired', 'conflict/current-moved', 'conflict/pending-other'].includes(e.code)
  )
}

/** Does a step's work; what is final is refused. */
export const orRefused = <T>(step: DrivenRequest, work: Promise<T>): Promise<T> =>
  work.catch((e: unknown) => (isFinal(e) ? refused(step, e) : Promise.reject(e)))

export async function describe(step: DrivenRequest): Promise<SecretFacts> {
  const facts = await step.core.store.describe(step.secretId, step.deadline.signal)
  if (!facts) throw refusal('not-found/secret', `no secret ${step.secretId}`)
  refuseForeign(facts)
  refuseOthers(step.core, facts)
  return facts
}

/** What a process knows of the secret before it has looked. */
export const unseen = (step: DrivenRequest): Context => ({ secret: step.secretId })

export const readToken = (step: DrivenRequest): Promise<StoredValue | undefined> =>
  step.core.store.read(step.secretId, step.token, step.deadline.signal)

export async function readHeld(step: DrivenRequest, version: VersionId | undefined, context: Context): Promise<Held> {
  const stored = version === undefined ? undefined : await step.core.store.read(step.secretId, version, step.deadline.signal)
  if (!stored || version === undefined) throw refusal('not-found/version', `${step.secretId} has no current value`)
  const credential = step.core.targetFor(stored.text, context.kind).inspect(stored.text, context)
  return { version, credential, createdAt: stored.createdAt }
}

/** The principals that the secret's own versions name: asked only for a half without our mark. */
export const knownTo = (step: DrivenRequest, facts: SecretFacts) => async (): Promise<readonly string[]> =>
  facts.previous === undefined ? [] : [(await readHeld(step, facts.previous, contextOf(facts))).credential.principal]
