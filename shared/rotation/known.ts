import type { Attempt, PendingFacts, Promoted, SecretFacts, Staged } from '../ports/secret-store.ts'
import type { Credential } from '../ports/target.ts'
import { instant, type SecretText } from '../types.ts'
import type { Run } from './effects.ts'
import { contextOf } from './observe.ts'

/**
 * The facts after a write, where the store's own answer told them: what a look would show, without the look. Only inside
 * the hold, only from the answer of a write that compared with the look it follows; after a lost answer there is none, and
 * the next run looks. The metadata's revision is not known then: a record is written without comparing. Values go to the
 * run's memory, under the version that the answer named.
 */
export function afterStage(run: Run, facts: SecretFacts, attempt: Attempt, staged: Staged, document: SecretText): SecretFacts {
  const pending: PendingFacts = { version: staged.version, token: attempt.token, base: attempt.base, driver: attempt.driver }
  // As a reader will understand it, and not as it was meant.
  const credential = run.core.targetFor(document).inspect(document, contextOf(facts))
  run.memory.values.set(staged.version, { version: staged.version, credential, createdAt: staged.createdAt })
  return { ...facts, pendings: [pending], revision: undefined }
}

export function afterPromotion(
  run: Run,
  facts: SecretFacts,
  { token, base }: Attempt,
  { version, at, recorded }: Promoted,
  credential: Credential
): SecretFacts {
  run.memory.values.set(version, { version, credential, createdAt: at })
  const { retired: _, ...metadata } = facts.metadata
  return {
    ...facts,
    seenAt: instant(Math.max(facts.seenAt, at)),
    current: version,
    currentToken: token,
    previous: base,
    changedAt: at,
    revision: undefined,
    metadata: recorded ? { ...metadata, promoted: { version, previous: base, at } } : facts.metadata
  }
}

export const afterDrop = (facts: SecretFacts): SecretFacts => ({
  ...facts,
  pendings: [],
  revision: undefined,
  spent: [...facts.spent, ...facts.pendings.map((p) => p.token)]
})
