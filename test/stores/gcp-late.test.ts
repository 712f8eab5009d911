import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { attemptFrom, planted, refusal, signal } from '../conformance/store-harness.ts'
import { codeOf, type GcpPlace, gcpPlace } from './gcp-harness.ts'
import { gcpPromotions, look } from './gcp-promotions.ts'

let place: GcpPlace
beforeAll(async () => {
  place = await gcpPlace({ maxAttempts: 1 })
})
afterEach(() => place.setFault(undefined))
afterAll(() => place.close())

const { values, promoted, underway, droppedUnderWay } = gcpPromotions(() => place)

describe('a promotion of an attempt that was dropped', () => {
  async function lateAfterDrop(id: string, base: string): Promise<void> {
    await droppedUnderWay(id, base)
    place.double.landLate()
    expect((await place.latest(id)).text).toContain('leaked')
  }

  test('is put right by the next look: what was current is added once more', async () => {
    const id = await place.fresh('first')
    const before = await promoted(id, '1', 'second')
    const record = (await look(place.store(), id)).metadata.promoted
    await lateAfterDrop(id, '2')
    const facts = await look(place.store(), id)
    expect(values(id)).toEqual(['first', 'second', 'leaked', 'second'])
    expect((await place.latest(id)).text).toContain('second')
    expect(facts).toMatchObject({ current: '4', previous: '1', currentToken: before.token, pendings: [] })
    expect(facts.metadata.promoted).toEqual({ ...record, version: '4' })
    await look(place.store(), id)
    expect(values(id)).toHaveLength(4)
  })

  test('is put right where keyturn never promoted anything before', async () => {
    const id = await place.fresh('first')
    await lateAfterDrop(id, '1')
    expect(await look(place.store(), id)).toMatchObject({ current: '3', currentToken: undefined, pendings: [] })
    expect(values(id)).toEqual(['first', 'leaked', 'first'])
  })

  test('is put right with the next one’s value, where that was promoted meanwhile', async () => {
    const id = await place.fresh('first')
    await droppedUnderWay(id, '1')
    const attempt = await promoted(id, '1', 'second')
    place.double.landLate()
    expect(await look(place.store(), id)).toMatchObject({ current: '4', previous: '1', currentToken: attempt.token })
    expect(values(id)).toEqual(['first', 'second', 'leaked', 'second'])
  })

  test('is put right with a person’s version, where that came after', async () => {
    const id = await place.fresh('first')
    await droppedUnderWay(id, '1')
    await place.add(id, 'a person')
    place.double.landLate()
    expect(await look(place.store(), id)).toMatchObject({ current: '4' })
    expect(values(id)).toEqual(['first', 'a person', 'leaked', 'a person'])
  })

  test('is put right where the drop died before its record: the sibling says what became of the attempt', async () => {
    const id = await place.fresh('first')
    const before = await promoted(id, '1', 'second')
    const late = await underway(id, '2', 'leaked')
    place.setFault(({ op }) => (op === 'UpdateSecret' ? 'before' : undefined))
    expect(await codeOf(place.store().drop(id, late.token, signal()))).toBe('unavailable/store')
    place.setFault(undefined)
    place.double.landLate()
    const facts = await look(place.store(), id)
    expect(facts).toMatchObject({ current: '4', previous: '1', currentToken: before.token, pendings: [] })
    expect(facts.spent).toContain(late.token)
    expect(values(id)).toEqual(['first', 'second', 'leaked', 'second'])
  })

  test.each(['UpdateSecret', 'AddSecretVersion'])('is put right by the look after the one that died at its %s', async (op) => {
    for (const fault of ['before', 'lost'] as const) {
      const id = await place.fresh('first')
      const before = await promoted(id, '1', 'second')
      await lateAfterDrop(id, '2')
      let dead = false
      place.setFault((call) => {
        if (dead) return 'before'
        dead = call.op === op
        return dead ? fault : undefined
      })
      expect(await codeOf(place.store().describe(id, signal()))).toBe('unavailable/store')
      place.setFault(undefined)
      expect(await look(place.store(), id)).toMatchObject({ current: '4', previous: '1', currentToken: before.token })
      expect(values(id)).toEqual(['first', 'second', 'leaked', 'second'])
    }
  })

  test('is told from others by its copy, which is kept for a while, whoever writes meanwhile', async () => {
    const id = await place.fresh('first')
    await droppedUnderWay(id, '1')
    place.advance(60_000)
    await place.store().annotate(id, { owner: 'a' }, undefined, signal())
    place.double.landLate()
    expect(await look(place.store(), id)).toMatchObject({ current: '3' })
    expect(values(id)).toEqual(['first', 'leaked', 'first'])
  })

  test('is left to the next look, where a person comes between', async () => {
    const id = await place.fresh('first')
    await lateAfterDrop(id, '1')
    let asked = 0
    place.setFault(async ({ op }) => {
      if (op === 'UpdateSecret' && asked++ === 0) await place.add(id, 'a person')
      return undefined
    })
    expect(await codeOf(place.store().describe(id, signal()))).toBe('unavailable/store')
    place.setFault(undefined)
    expect(await look(place.store(), id)).toMatchObject({ current: '3' })
    expect(values(id)).toEqual(['first', 'leaked', 'a person'])
  })

  test('is left to the next look, where the process was frozen before it could put it right', async () => {
    const id = await place.fresh('first')
    await lateAfterDrop(id, '1')
    const now = performance.now.bind(performance)
    let [aheadMs, asked] = [0, 0]
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs)
    place.setFault(async ({ op, name }) => {
      if (op === 'AccessSecretVersion' && name.endsWith(`${id}/versions/3`) && asked++ > 0) aheadMs = 600_000
      return undefined
    })
    expect(await codeOf(place.store().describe(id, signal()))).toBe('unavailable/store')
    clock.mockRestore()
    place.setFault(undefined)
    expect(values(id)).toEqual(['first', 'leaked'])
    expect(await look(place.store(), id)).toMatchObject({ current: '3' })
    expect(values(id)).toEqual(['first', 'leaked', 'first'])
  })

  test('by the very process that staged it, which lost its hold and does not know: it is not prevented, and put right', async () => {
    const id = await place.fresh('first')
    const [store, attempt] = [place.store(), attemptFrom('1')]
    await store.stage(id, attempt, planted('leaked'), signal())
    await place.store().drop(id, attempt.token, signal())
    await store.promote(id, attempt, signal())
    expect((await place.latest(id)).text).toContain('leaked')
    expect(await look(place.store(), id)).toMatchObject({ current: '3', pendings: [] })
    expect(values(id)).toEqual(['first', 'leaked', 'first'])
  })

  test('is not sent by a process that did not stage it, or whose lease is over: it looks first', async () => {
    const id = await place.fresh('first')
    const [other, attempt] = [place.store(), attemptFrom('1')]
    // A write of its own, but not of this.
    await other.annotate(id, { owner: 'a' }, undefined, signal())
    await place.store().stage(id, attempt, planted('leaked'), signal())
    await look(other, id)
    await place.store().drop(id, attempt.token, signal())
    await refusal(other.promote(id, attempt, signal()), 'not-found/version')
    expect(values(id)).toEqual(['first'])
  })

  test('is not what a person’s version is taken for', async () => {
    const id = await place.fresh('first')
    const [store, attempt] = [place.store(), attemptFrom('1')]
    await store.stage(id, attempt, planted('dropped'), signal())
    await store.drop(id, attempt.token, signal())
    await place.add(id, 'a person')
    expect(await look(place.store(), id)).toMatchObject({ current: '2', previous: '1' })
    expect(values(id)).toEqual(['first', 'a person'])
  })

  test('is said by a list as it is, and put right by a look only', async () => {
    const id = await place.fresh('first')
    await lateAfterDrop(id, '1')
    for await (const facts of place.store().list(signal())) if (facts.name === id) expect(facts.current).toBe('2')
    expect(values(id)).toHaveLength(2)
  })
})
