import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { refusal, signal } from '../conformance/store-harness.ts'
import { type GcpPlace, gcpPlace } from './gcp-harness.ts'

let place: GcpPlace
beforeAll(async () => {
  place = await gcpPlace({ maxAttempts: 1 })
})
afterEach(() => place.setFault(undefined))
afterAll(() => place.close())

async function listed(into: string[]): Promise<void> {
  for await (const { name } of place.store().list(signal())) into.push(name)
}

describe('a list', () => {
  test('gives all the others before it says that one secret is denied', async () => {
    // More than are looked at at once, and the denied one among the first.
    const ids = await Promise.all(Array.from({ length: 12 }, () => place.fresh('first')))
    const [, denied = ''] = ids
    place.setFault(({ op, name }) => (op !== 'ListSecrets' && name.includes(denied) ? { error: 'PERMISSION_DENIED' } : undefined))
    const found: string[] = []
    await refusal(listed(found), 'denied/store')
    expect(found.sort()).toEqual(ids.filter((id) => id !== denied).sort())
  })

  test('ends at once where the service is throttled or silent: a sweep that saw a part must not look like one that saw all', async () => {
    await place.fresh('first')
    for (const [fault, code] of [
      [{ error: 'RESOURCE_EXHAUSTED' }, 'throttled/store'],
      ['before', 'unavailable/store']
    ] as const) {
      place.setFault(({ op }) => (op === 'ListSecrets' ? undefined : fault))
      const found: string[] = []
      await refusal(listed(found), code)
      expect(found).toEqual([])
    }
  })
})
