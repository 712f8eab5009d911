import { type Code, KeyturnError } from '../../errors.ts'
import type { SecretFacts, StoredValue } from '../../ports/secret-store.ts'
import type { Context } from '../../ports/target.ts'
import type { SecretId, Token, VersionId } from '../../types.ts'
import type { Core, Request } from '../core.ts'
import type { Held } from '../machine.ts'
import { contextOf, refuseForeign } from '../observe.ts'

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
  await step.core.store.drop(step.secretId, step.token, step.deadline.signal)
  throw error
}

export async function describe(step: DrivenRequest): Promise<SecretFacts> {
  const facts = await step.core.store.describe(step.secretId, step.deadline.signal)
  if (!facts) throw refusal('not-found/secret', `no secret ${step.secretId}`)
  refuseForeign(facts)
  return facts
}

/** What a process knows of the secret before it has looked. */
export const unseen = (step: DrivenRequest): Context => ({ secret: step.secretId })

export const readToken = (step: DrivenRequest): Promise<StoredValue | undefined> =>
  step.core.store.read(step.secretId, step.token, step.deadline.signal)

export async function readHeld(step: DrivenRequest, version: VersionId | undefined, context: Context): Promise<Held> {
  const stored = version === undefined ? undefined : await step.core.store.read(step.secretId, version, step.deadline.signal)
  if (!stored || version === undefined) throw refusal('not-found/version', `${step.secretId} has no current value`)
  const credential = step.core.targetFor(stored.text).inspect(stored.text, context)
  return { version, credential, createdAt: stored.createdAt }
}

/** The principals that the secret's own versions name: asked only for a half without our mark. */
export const knownTo = (step: DrivenRequest, facts: SecretFacts) => async (): Promise<readonly string[]> =>
  facts.previous === undefined ? [] : [(await readHeld(step, facts.previous, contextOf(facts))).credential.principal]
