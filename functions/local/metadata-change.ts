import { KeyturnError } from '../../shared/errors.ts'
import type { MetadataPatch } from '../../shared/metadata.ts'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import type { Answer, Invocation } from './command.ts'

/** Changes one secret's metadata from one look, and says so; a dry run only says so. */
export async function changeMetadata(
  { local, deadline, dryRun }: Invocation,
  action: string,
  secretId: string,
  change: (facts: SecretFacts) => { readonly patch: MetadataPatch; readonly said: string; readonly json: object }
): Promise<Answer> {
  const { store } = local.core
  const facts = await store.describe(secretId, deadline.signal)
  if (!facts) throw new KeyturnError('not-found/secret', `no secret ${secretId}`)
  const { patch, said, json } = change(facts)
  if (!dryRun && Object.keys(patch).length > 0) await store.annotate(facts.id, patch, facts.revision, deadline.signal)
  return {
    exit: 0,
    json: { action, ok: true, dryRun, secret: facts.name, ...json },
    text: (paint) => `${paint('bold', facts.name)} ${dryRun ? `would be: ${said}` : said}`
  }
}
