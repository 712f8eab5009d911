import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attemptFrom, fresh, look, PLANTED, planted, refusal, rotated, signal } from '../conformance/store-harness.ts'
import { nameOf } from './azure-harness.ts'
import { type LateScene, lateScene } from './azure-late-scene.ts'

/** Key Vault cannot be fenced: what its senders gave up may still land. */
describe('a write to Azure Key Vault that lands late', () => {
  let scene: LateScene
  beforeAll(async () => {
    scene = await lateScene()
  })
  afterAll(() => scene?.azure.close())

  test('is looked for and found when it is the same attempt’s, so that it is written once', async () => {
    const { id, base } = await fresh(scene.b)
    const attempt = attemptFrom(base)
    await scene.b.store.stage(id, attempt, planted('second'), signal())
    await scene.promoteLate(id, attempt)
    scene.land()
    expect(await scene.b.store.promote(id, attempt, signal())).toMatchObject({ recorded: true })
    expect(scene.values(id)).toEqual(['first', 'second'])
  })

  test('beside a second write of the same attempt does no harm: it is the same value, with the same base', async () => {
    const { id, base } = await fresh(scene.b)
    const attempt = attemptFrom(base)
    await scene.b.store.stage(id, attempt, planted('second'), signal())
    await scene.promoteLate(id, attempt)
    await scene.b.store.promote(id, attempt, signal())
    await scene.b.store.drop(id, attempt.token, signal())
    scene.land()
    expect(scene.values(id)).toEqual(['first', 'second', 'second'])
    const facts = await look(scene.b, id)
    expect(facts).toMatchObject({ currentToken: attempt.token, previous: base, pendings: [] })
    expect(facts.metadata.promoted).toMatchObject({ version: facts.current, previous: base })
    expect(scene.values(id)).toHaveLength(3)
    const next = attemptFrom(facts.current ?? '')
    await scene.b.store.stage(id, next, planted('third'), signal())
    await scene.b.store.promote(id, next, signal())
    expect(await scene.azure.ordinaryRead(id)).toBe(`${PLANTED} third`)
  })

  test('beside a second write of the same attempt is not brought back when another one is pending by then: nothing is won', async () => {
    const { id, base } = await fresh(scene.b)
    const attempt = attemptFrom(base)
    await scene.b.store.stage(id, attempt, planted('second'), signal())
    await scene.promoteLate(id, attempt)
    const promoted = await scene.b.store.promote(id, attempt, signal())
    await scene.b.store.drop(id, attempt.token, signal())
    const next = attemptFrom(promoted?.version ?? '')
    await scene.b.store.stage(id, next, planted('third'), signal())
    scene.land()
    const facts = await look(scene.b, id)
    expect(facts).toMatchObject({ currentToken: attempt.token, pendings: [{ token: next.token }] })
    expect(scene.values(id)).toEqual(['first', 'second', 'second'])
    await scene.b.store.drop(id, next.token, signal())
    await scene.expectRest(id)
  })

  test('of a sibling is no longer taken for a pending once it was promoted', async () => {
    const { id, base } = await fresh(scene.b)
    const attempt = attemptFrom(base)
    scene.azure.setFault(({ op, name }) => (op === 'SetSecret' && name === `${nameOf(id)}-pending` ? 'late' : undefined))
    await refusal(scene.b.store.stage(id, attempt, planted('beaten'), signal()), 'unavailable/store')
    scene.azure.setFault(undefined)
    await scene.azure.blobs.advance(10_000)
    await scene.b.store.stage(id, attempt, planted('second'), signal())
    await scene.b.store.promote(id, attempt, signal())
    scene.land()
    expect((await look(scene.b, id)).pendings).toMatchObject([{ token: attempt.token }])
    await scene.b.store.drop(id, attempt.token, signal())
    expect((await look(scene.b, id)).pendings).toEqual([])
    expect(await scene.azure.ordinaryRead(id)).toBe(`${PLANTED} second`)
  })

  test('is no rotation between the two reads of a look: nothing is brought back then', async () => {
    const { id, current: base } = await rotated(scene.b)
    const other = scene.azure.another()
    const attempt = attemptFrom(base)
    let isFirst = true
    scene.azure.setFault(async ({ op, name }) => {
      if (!isFirst || op !== 'GetSecret' || name !== nameOf(id)) return undefined
      isFirst = false
      await other.stage(id, attempt, planted('third'), signal())
      await other.promote(id, attempt, signal())
      await other.drop(id, attempt.token, signal())
      return undefined
    })
    const facts = await scene.b.store.describe(id, signal())
    scene.azure.setFault(undefined)
    expect(facts).toMatchObject({ currentToken: attempt.token, previous: base, pendings: [] })
    expect(scene.values(id)).toEqual(['first', 'second', 'third'])
  })

  test('is not what a newest version is that is ahead of its sibling, which somebody brought back from a backup', async () => {
    const { id, attempt, current } = await rotated(scene.b)
    const sibling = await scene.azure.owner.getSecret(`${nameOf(id)}-pending`)
    for (const text of ['third', 'fourth']) {
      const next = attemptFrom((await look(scene.b, id)).current ?? '')
      await scene.b.store.stage(id, next, planted(text), signal())
      await scene.b.store.promote(id, next, signal())
      await scene.b.store.drop(id, next.token, signal())
      scene.azure.advance(1_000)
    }
    await scene.azure.owner.setSecret(sibling.name, sibling.value ?? '', { tags: sibling.properties.tags ?? {} })
    await scene.azure.blobs.advance(10_000)
    expect(sibling.properties.tags?.['keyturn-state']).toContain(`token=${attempt.token};`)
    const facts = await scene.azure.another().describe(id, signal())
    expect(facts?.current).not.toBe(current)
    expect(scene.values(id)).toEqual(['first', 'second', 'third', 'fourth'])
    await scene.expectRest(id)
  })

  test('is not mended over what a person wrote meanwhile', async () => {
    const { id, base } = await fresh(scene.b)
    await scene.landDropped(id, base)
    scene.azure.setBlobFault(async ({ op }) => {
      if (op === 'write') await scene.azure.owner.setSecret(nameOf(id), `${PLANTED} a person was here`)
      return undefined
    })
    const facts = await look(scene.b, id)
    scene.azure.setBlobFault(undefined)
    expect(scene.values(id)).toEqual(['first', 'dead', 'a person was here'])
    expect(facts).toMatchObject({ currentToken: undefined, pendings: [] })
  })

  test('is not mended while another commit may still land: the look waits for it, or its time is over', async () => {
    const { id, base } = await fresh(scene.b)
    const late = attemptFrom(base)
    await scene.b.store.stage(id, late, planted('dead'), signal())
    await scene.promoteLate(id, late)
    await scene.b.store.drop(id, late.token, signal())
    const next = attemptFrom(base)
    await scene.b.store.stage(id, next, planted('second'), signal())
    scene.azure.setFault(({ op, name }) => (op === 'SetSecret' && name === nameOf(id) ? 'before' : undefined))
    await refusal(scene.b.store.promote(id, next, signal()), 'unavailable/store')
    scene.azure.setFault(undefined)
    scene.land()
    await refusal(scene.b.store.describe(id, AbortSignal.timeout(500)), 'unavailable/store')
    await scene.azure.blobs.advance(10_000)
    await look(scene.b, id)
    expect(await scene.azure.ordinaryRead(id)).toBe(`${PLANTED} first`)
  })
})
