import type { SecretFacts } from '../../ports/secret-store.ts'
import type { SecretRef } from '../event.ts'
import type { SecretTally } from '../tally.ts'

/** Which secret of a log is which of those that a store lists; at most one each way. */
export interface Matched {
  readonly logged: ReadonlyMap<SecretFacts, SecretTally>
  readonly listed: ReadonlyMap<SecretTally, SecretFacts>
}

/**
 * By name, as each log has it: Secrets Manager's and Key Vault's are the store's own, of Key Vault in small letters; Vault's
 * has the mount before it, Secret Manager's the project. An ARN has the account too. Of two accounts that cannot be told
 * apart the first is taken.
 */
export function matched(secrets: readonly SecretTally[], facts: readonly SecretFacts[]): Matched {
  const byName = new Map<string, SecretFacts[]>()
  for (const one of facts)
    for (const name of new Set([one.name, one.name.toLowerCase()])) byName.set(name, [...(byName.get(name) ?? []), one])
  const [logged, listed] = [new Map<SecretFacts, SecretTally>(), new Map<SecretTally, SecretFacts>()]
  for (const one of secrets) {
    const candidates = namesOf(one.secret).flatMap((name) => byName.get(name) ?? [])
    const found = candidates.find((candidate) => !logged.has(candidate) && isOf(candidate, one.secret))
    if (!found) continue
    logged.set(found, one)
    listed.set(one, found)
  }
  return { logged, listed }
}

/** The longest first. */
function namesOf({ store, name }: SecretRef): readonly string[] {
  if (store === 'aws' || store === 'azure') return [name]
  const parts = name.split('/')
  return parts.map((_, at) => parts.slice(at).join('/'))
}

function isOf({ id, name }: SecretFacts, secret: SecretRef): boolean {
  const [, account] = /^arn:[^:]*:secretsmanager:[^:]*:(\d{12}):/.exec(id) ?? []
  return secret.store === 'aws' ? account === secret.account && name === secret.name : account === undefined
}
