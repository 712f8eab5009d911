import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attemptFrom, planted, refusal, signal } from '../conformance/store-harness.ts'
import { codeOf, type GcpPlace, gcpPlace, resource } from './gcp-harness.ts'

let place: GcpPlace
beforeAll(async () => {
  place = await gcpPlace({ maxAttempts: 1 })
})
afterAll(() => place.close())

const fresh = (more: Readonly<Record<string, string>> = {}): Promise<string> => place.fresh('first', more)

describe('the annotations', () => {
  test('that are the owner’s stay as they are, whatever keyturn writes', async () => {
    const mine = { 'team.example.com_note': 'ünï "x" = /y/', keyturnish: 'not ours', Zone: '' }
    const id = await fresh(mine)
    const store = place.store()
    const attempt = attemptFrom('1')
    await store.claim(id, attempt, ['KEY'], signal())
    await store.stage(id, attempt, planted('second'), signal())
    await store.promote(id, attempt, signal())
    await store.drop(id, attempt.token, signal())
    await store.annotate(id, { owner: 'a', environment: null }, undefined, signal())
    expect(place.double.secret(id)?.annotations).toMatchObject(mine)
  })

  test('say nothing of a value, and do not grow with the rotations', async () => {
    const id = await fresh()
    const store = place.store()
    const sizes: number[] = []
    for (let n = 1; n <= 30; n++) {
      const attempt = attemptFrom(String(n))
      await store.stage(id, attempt, planted(`value ${n}`), signal())
      await store.promote(id, attempt, signal())
      if (n % 3 > 0) await store.drop(id, attempt.token, signal())
      sizes.push(JSON.stringify(place.double.secret(id)?.annotations).length)
    }
    expect(JSON.stringify(place.double.secret(id))).not.toContain('planted')
    expect(Math.max(...sizes)).toBeLessThan(1_500)
  })

  test('that leave no room are said before anything is done', async () => {
    const id = await fresh({ note: 'x'.repeat(15_400) })
    await refusal(place.store().stage(id, attemptFrom('1'), planted('second'), signal()), 'invalid/metadata')
    expect(place.double.secret(`${id}-pending`)).toBeUndefined()
  })

  test('that a person changed between the look and the stage stop the stage: it may be a hold', async () => {
    const id = await fresh()
    const store = place.store()
    await store.describe(id, signal())
    await place.annotate(id, { 'keyturn-hold': 'audit' })
    expect(await codeOf(store.stage(id, attemptFrom('1'), planted('second'), signal()))).toBe('conflict/metadata-changed')
    expect(place.double.secret(`${id}-pending`)).toBeUndefined()
  })

  test('that a person put on hold after a run’s look stop its stage and claim, also where another run of its process looked since', async () => {
    for (const work of ['stage', 'claim'] as const) {
      const id = await fresh()
      const store = place.store()
      const until = new Date(Date.now() + 3_600_000).toISOString()
      await store.describe(id, signal())
      await place.annotate(id, { 'keyturn-hold': `audit/${until}` })
      await store.describe(id, signal())
      const attempt = attemptFrom('1')
      const begin = () =>
        work === 'stage' ? store.stage(id, attempt, planted('second'), signal()) : store.claim(id, attempt, [], signal())
      await refusal(begin(), 'conflict/metadata-changed')
      expect(place.double.secret(`${id}-pending`)).toBeUndefined()
      expect(place.double.secret(id)?.annotations).not.toHaveProperty('keyturn-attempt')
      place.advance(3_601_000)
      await store.describe(id, signal())
      await begin()
      place.advance(-3_601_000)
    }
  })

  test('with a hold that every look showed stop nothing: who stages then means to', async () => {
    const id = await fresh({ 'keyturn-hold': 'audit' })
    const store = place.store()
    await store.describe(id, signal())
    await store.stage(id, attemptFrom('1'), planted('second'), signal())
  })

  test('do not stop it where a person changed nothing of them: a label, say', async () => {
    const id = await fresh()
    const store = place.store()
    await store.describe(id, signal())
    const secret = { name: resource(id), labels: { team: 'shop' } }
    await place.owner.updateSecret({ secret, updateMask: { paths: ['labels'] } })
    await store.stage(id, attemptFrom('1'), planted('second'), signal())
    expect(place.double.secret(id)).toMatchObject({ labels: { team: 'shop' } })
  })

  test('that a person removed are written again: numbers tell the rest', async () => {
    const id = await fresh()
    const store = place.store()
    const attempt = attemptFrom('1')
    await store.stage(id, attempt, planted('second'), signal())
    await store.promote(id, attempt, signal())
    await store.drop(id, attempt.token, signal())
    const secret = { name: resource(id), annotations: { 'keyturn-kind': 'postgres' } }
    await place.owner.updateSecret({ secret, updateMask: { paths: ['annotations'] } })
    const other = place.store()
    expect(await other.describe(id, signal())).toMatchObject({ current: '2', previous: '1', pendings: [] })
    const next = attemptFrom('2')
    await other.stage(id, next, planted('third'), signal())
    await other.promote(id, next, signal())
    expect(await place.store().describe(id, signal())).toMatchObject({ current: '3', previous: '2', currentToken: next.token })
  })
})
