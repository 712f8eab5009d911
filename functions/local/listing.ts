import { asKeyturnError, type KeyturnError } from '../../shared/errors.ts'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import type { Invocation } from './command.ts'

/** Every managed secret that could be understood; and, where there is one, the error for what could not. */
export interface Listing {
  readonly listed: readonly SecretFacts[]
  readonly error: KeyturnError | undefined
}

/** How the store itself is named among secrets. */
export const THE_STORE = '(the store)'

/** A store throws at the end of a list that has a secret it cannot understand: the others are shown all the same. */
export async function listSecrets({ local, deadline }: Invocation): Promise<Listing> {
  const listed: SecretFacts[] = []
  try {
    for await (const facts of local.core.store.list(deadline.signal)) listed.push(facts)
    return { listed, error: undefined }
  } catch (e) {
    return { listed, error: asKeyturnError(e) }
  }
}
