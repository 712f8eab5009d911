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

/** The call that makes a value current. */
export const isCommit = ({ op, name }: { op: string; name: string }): boolean =>
  op === 'AddSecretVersion' && !name.endsWith('-pending')

type End = 'dropped' | 'killed before the drop'

/** On the place that a suite has by the time that it asks. */
export function gcpPromotions(place: () => GcpPlace) {
  /** Every value that the secret had, oldest first, without what marks it as a test's. */
  const values = (id: string) =>
    place()
      .double.versions(id)
      .map((v) => v.value?.replace(/^planted\S+ /, ''))

  async function staged(id: string, base: string, text: string) {
    const [store, attempt] = [place().store(), attemptFrom(base)]
    await store.stage(id, attempt, planted(text), signal())
    return { store, attempt }
  }

  /** An attempt of a process of its own, to its promotion, and to its end. */
  async function promoted(id: string, base: string, text: string, end: End = 'dropped'): Promise<Attempt> {
    const { store, attempt } = await staged(id, base, text)
    await store.promote(id, attempt, signal())
    if (end === 'dropped') await store.drop(id, attempt.token, signal())
    return attempt
  }

  /** An attempt whose promotion is still on its way: it has no answer, and no effect yet. */
  async function underway(id: string, base: string, text: string): Promise<Attempt> {
    const { store, attempt } = await staged(id, base, text)
    place().setFault((call) => (isCommit(call) ? 'late' : undefined))
    expect(await codeOf(store.promote(id, attempt, signal()))).toBe('unavailable/store')
    place().setFault(undefined)
    return attempt
  }

  /** An attempt that was dropped while its promotion was on its way: without an effect until it lands. */
  async function droppedUnderWay(id: string, base: string): Promise<void> {
    const { token } = await underway(id, base, 'leaked')
    await place().store().drop(id, token, signal())
  }

  return { values, promoted, underway, droppedUnderWay }
}
