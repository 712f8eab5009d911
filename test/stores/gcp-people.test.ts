import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { attemptFrom, planted, signal } from '../conformance/store-harness.ts'
import { codeOf, type GcpPlace, gcpPlace, RIGHTS, resource } from './gcp-harness.ts'
import { gcpPromotions, isCommit, look as lookBy } from './gcp-promotions.ts'

let place: GcpPlace
beforeAll(async () => {
  place = await gcpPlace({ maxAttempts: 1 })
})
afterEach(() => place.setFault(undefined))
afterAll(() => place.close())

const { values, promoted, droppedUnderWay } = gcpPromotions(() => place)
/** By a process of its own. */
const look = (id: string) => lookBy(place.store(), id)
const copies = (id: string) =>
  place.double.versions(`${id}-pending`).flatMap((v) => (v.value?.includes('planted') ? [v.value.replace(/^.*\s/s, '')] : []))
/** A person writes a value that keyturn once made. */
const rollBack = (id: string, text: string) => place.add(id, planted(text).reveal())

async function withoutTheRightToDestroy(work: () => Promise<void>): Promise<void> {
  const rights = RIGHTS.filter((r) => r !== 'secretmanager.versions.destroy')
  place.double.allow('keyturn@example.com', { '*': rights })
  await work().finally(() => place.double.allow('keyturn@example.com', { '*': RIGHTS }))
}

describe('the copy of a value that was promoted', () => {
  test('and whose run was killed before its drop says nothing against the value: a late promotion after it is put right', async () => {
    const id = await place.fresh('first')
    const good = await promoted(id, '1', 'second', 'killed before the drop')
    await droppedUnderWay(id, '2')
    place.double.landLate()
    expect(await look(id)).toMatchObject({ current: '4', previous: '1', currentToken: good.token, pendings: [] })
    expect(values(id)).toEqual(['first', 'second', 'leaked', 'second'])
  })

  test('and which may not be destroyed says nothing against a person who goes back to it', async () => {
    const id = await place.fresh('first')
    await withoutTheRightToDestroy(async () => {
      await promoted(id, '1', 'second', 'dropped')
      await promoted(id, '2', 'third', 'dropped')
      await rollBack(id, 'second')
      expect(await look(id)).toMatchObject({ current: '4', previous: '3', currentToken: undefined })
    })
    expect(copies(id)).toEqual(['second', 'third'])
    expect(values(id)).toEqual(['first', 'second', 'third', 'second'])
  })

  test('without a record, because the run was killed before it, says nothing against a person either', async () => {
    const id = await place.fresh('first')
    const [store, attempt] = [place.store(), attemptFrom('1')]
    await store.stage(id, attempt, planted('second'), signal())
    place.setFault((call) => (isCommit(call) ? 'lost' : undefined))
    expect(await codeOf(store.promote(id, attempt, signal()))).toBe('unavailable/store')
    place.setFault(undefined)
    await place.add(id, 'a person')
    await promoted(id, '3', 'fourth', 'dropped')
    await rollBack(id, 'second')
    expect(await look(id)).toMatchObject({ current: '5', previous: '4' })
    expect(values(id)).toEqual(['first', 'second', 'a person', 'fourth', 'second'])
  })

  test('is destroyed by the next stage, when it is old, and where there is none that makes no call more', async () => {
    const id = await place.fresh('first')
    await promoted(id, '1', 'second', 'killed before the drop')
    place.advance(20 * 60_000)
    const store = place.store()
    await store.describe(id, signal())
    const attempt = attemptFrom('2')
    const calls = await place.calls(() => store.stage(id, attempt, planted('third'), signal()))
    expect(calls).toEqual(['DestroySecretVersion', 'UpdateSecret', 'AddSecretVersion'])
    expect(copies(id)).toEqual(['third'])
    await store.drop(id, attempt.token, signal())
    const next = place.store()
    await next.describe(id, signal())
    const more = await place.calls(() => next.stage(id, attemptFrom('2'), planted('fourth'), signal()))
    expect(more).toEqual(['UpdateSecret', 'AddSecretVersion'])
  })
})

describe('the copy of a value that was dropped', () => {
  test('says nothing against a person’s version that came later than a request can', async () => {
    const id = await place.fresh('first')
    await droppedUnderWay(id, '1')
    place.advance(20 * 60_000)
    await rollBack(id, 'leaked')
    const calls = await place.calls(async () => {
      expect(await look(id)).toMatchObject({ current: '2', previous: '1', currentToken: undefined })
    })
    expect(values(id)).toEqual(['first', 'leaked'])
    // The end of the versions, and the time of the person's; no copy is asked for.
    expect(calls).toEqual(['GetSecret', 'AccessSecretVersion', 'AccessSecretVersion', 'GetSecretVersion'])
  })

  test('is no reason to refuse a look where nothing better is left: it shows what readers are given', async () => {
    const id = await place.fresh('first')
    await droppedUnderWay(id, '1')
    place.double.landLate()
    await place.owner.destroySecretVersion({ name: `${resource(id)}/versions/1` })
    expect(await look(id)).toMatchObject({ current: '2', previous: '1', currentToken: undefined, pendings: [] })
    expect(values(id)).toHaveLength(2)
  })
})
