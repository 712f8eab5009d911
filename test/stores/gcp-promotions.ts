import { expect } from 'vitest'
import type { Attempt, SecretFacts } from '../../shared/ports/secret-store.ts'
import type { GcpSecretManager } from '../../shared/stores/gcp-secret-manager.ts'
import { attemptFrom, planted, signal } from '../conformance/store-harness.ts'
import { codeOf, type GcpPlace } from './gcp-harness.ts'

export const look = async (store: GcpSecretManager, id: string): Promise<SecretFacts> => {
  const facts = await store.describe(id, signal())
  if (!facts) throw new Error(`${id} is not there`)
  return facts
}

/** Every value that the secret had, oldest first, without what marks it as a test's. */
export const valuesOf = ({ double }: GcpPlace, id: string) => double.versions(id).map((v) => v.value?.replace(/^planted\S+ /, ''))

/** The call that makes a value current. */
export const isCommit = ({ op, name }: { op: string; name: string }): boolean =>
  op === 'AddSecretVersion' && !name.endsWith('-pending')

export type End = 'dropped' | 'killed before the drop'

/** An attempt of a process of its own, to its promotion, and to its end. */
export async function promotedAt(
  place: GcpPlace,
  id: string,
  base: string,
  text: string,
  end: End = 'dropped'
): Promise<Attempt> {
  const [store, attempt] = [place.store(), attemptFrom(base)]
  await store.stage(id, attempt, planted(text), signal())
  await store.promote(id, attempt, signal())
  if (end === 'dropped') await store.drop(id, attempt.token, signal())
  return attempt
}

/** An attempt whose promotion is still on its way: it has no answer, and no effect yet. */
export async function underwayAt(place: GcpPlace, base: string, text: string, id: string): Promise<Attempt> {
  const [store, attempt] = [place.store(), attemptFrom(base)]
  await store.stage(id, attempt, planted(text), signal())
  place.setFault((call) => (isCommit(call) ? 'late' : undefined))
  expect(await codeOf(store.promote(id, attempt, signal()))).toBe('unavailable/store')
  place.setFault(undefined)
  return attempt
}
