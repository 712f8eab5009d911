import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { attemptFrom, planted, refusal, signal } from '../conformance/store-harness.ts'
import { codeOf, type GcpPlace, gcpPlace } from './gcp-harness.ts'
import { gcpPromotions, isCommit, look } from './gcp-promotions.ts'

let place: GcpPlace
beforeAll(async () => {
  place = await gcpPlace({ maxAttempts: 1 })
})
afterEach(() => place.setFault(undefined))
afterAll(() => place.close())

const { values, promoted, underway } = gcpPromotions(() => place)

describe('a promotion that has no answer', () => {
  test('and took effect is found by its number and its value, by whoever looks next', async () => {
    const id = await place.fresh('first')
    const [store, attempt] = [place.store(), attemptFrom('1')]
    await store.stage(id, attempt, planted('second'), signal())
    place.setFault((call) => (isCommit(call) ? 'lost' : undefined))
    expect(await codeOf(store.promote(id, attempt, signal()))).toBe('unavailable/store')
    place.setFault(undefined)
    const other = place.store()
    const facts = await look(other, id)
    expect(facts).toMatchObject({
      current: '2',
      currentToken: attempt.token,
      previous: '1',
      pendings: [{ token: attempt.token }]
    })
    expect(facts.metadata.promoted).toMatchObject({ version: '2', previous: '1' })
    expect(facts.spent).toContain(attempt.token)
    expect(await other.drop(id, attempt.token, signal())).toBe('nothing pending')
    expect(await look(place.store(), id)).toMatchObject({ current: '2', currentToken: attempt.token, pendings: [] })
    expect(values(id)).toEqual(['first', 'second'])
  })

  test('is not sent again while it may be on its way without a look: the next process finds that nobody was there', async () => {
    const id = await place.fresh('first')
    const attempt = await underway(id, '1', 'second')
    const other = place.store()
    const calls = await place.calls(() => other.promote(id, attempt, signal()))
    // It did not stage it: the state, the proof that it is still the secret’s attempt, the value, and then as always.
    expect(calls).toEqual([
      'GetSecret',
      'UpdateSecret',
      'AccessSecretVersion',
      'AccessSecretVersion',
      'AccessSecretVersion',
      'AddSecretVersion',
      'UpdateSecret'
    ])
  })

  test('and lands after another process made the same: the same value twice is one promotion', async () => {
    const id = await place.fresh('first')
    const attempt = await underway(id, '1', 'second')
    const other = place.store()
    await other.promote(id, attempt, signal())
    await other.drop(id, attempt.token, signal())
    const before = await look(place.store(), id)
    place.double.landLate()
    expect(values(id)).toEqual(['first', 'second', 'second'])
    const facts = await look(place.store(), id)
    expect(facts).toMatchObject({ current: '3', previous: '1', currentToken: attempt.token, pendings: [] })
    expect(facts.metadata.promoted).toEqual({ ...before.metadata.promoted, version: '3' })
    await refusal(place.store().stage(id, { ...attempt, base: '3' }, planted('other'), signal()), 'conflict/token-spent')
    await promoted(id, '3', 'third')
    expect(await look(place.store(), id)).toMatchObject({ current: '4', previous: '3' })
  })

  test('is a person’s where a person came first: nothing is added, and the attempt ends', async () => {
    const id = await place.fresh('first')
    const [store, attempt] = [place.store(), attemptFrom('1')]
    await store.stage(id, attempt, planted('second'), signal())
    await place.add(id, 'a person')
    await refusal(store.promote(id, attempt, signal()), 'conflict/current-moved')
    expect(values(id)).toEqual(['first', 'a person'])
  })

  test('and before a person’s version is over: what was promoted is known, and what comes next is begun', async () => {
    const id = await place.fresh('first')
    const [store, attempt] = [place.store(), attemptFrom('1')]
    await store.stage(id, attempt, planted('second'), signal())
    place.setFault((call) => (isCommit(call) ? 'lost' : undefined))
    await codeOf(store.promote(id, attempt, signal()))
    place.setFault(undefined)
    await place.add(id, 'a person')
    const facts = await look(place.store(), id)
    expect(facts).toMatchObject({ current: '3', previous: '2', currentToken: undefined, pendings: [] })
    expect(facts.metadata.promoted).toMatchObject({ version: '2', previous: '1' })
    expect(facts.spent).toContain(attempt.token)
    await promoted(id, '3', 'fourth')
    const after = await look(place.store(), id)
    expect(after).toMatchObject({ current: '4', previous: '3', pendings: [] })
    expect(after.spent).toContain(attempt.token)
  })
})
