import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attemptFrom, fresh, look, PLANTED, planted, refusal, rotated, signal } from '../conformance/store-harness.ts'
import { nameOf } from './azure-harness.ts'
import { type LateScene, lateScene } from './azure-late-scene.ts'

/** What was current before is current again, and nobody has to do anything. */
describe('a write to Azure Key Vault that landed late', () => {
  let scene: LateScene
  beforeAll(async () => {
    scene = await lateScene()
  })
  afterAll(() => scene?.azure.close())

  test('of an attempt that was dropped is mended by the next look: what was current before is current again', async () => {
    const { id, base } = await fresh(scene.b)
    await scene.azure.owner.updateSecretProperties(nameOf(id), base, { tags: { team: 'shop', keyturn: 'kind=postgres' } })
    await scene.landDropped(id, base)
    expect(await scene.azure.ordinaryRead(id)).toBe(`${PLANTED} dead`)
    const facts = await scene.azure.another().describe(id, signal())
    expect(await scene.azure.ordinaryRead(id)).toBe(`${PLANTED} first`)
    expect(facts).toMatchObject({ currentToken: undefined, previous: undefined, pendings: [], metadata: { kind: 'postgres' } })
    const { properties } = await scene.azure.owner.getSecret(nameOf(id))
    expect(facts?.current).toBe(properties.version)
    expect(properties.tags).toMatchObject({ team: 'shop', keyturn: 'kind=postgres' })
    await scene.expectRest(id)
  })

  test('of an attempt before the last one is mended too, with the last one’s record and policy', async () => {
    const { id, current: base } = await rotated(scene.b)
    const late = attemptFrom(base)
    await scene.b.store.stage(id, late, planted('dead'), signal())
    await scene.promoteLate(id, late)
    await scene.b.store.drop(id, late.token, signal())
    const last = attemptFrom(base)
    await scene.b.store.stage(id, last, planted('third'), signal())
    await scene.b.store.promote(id, last, signal())
    await scene.b.store.drop(id, last.token, signal())
    const retired = { version: base, at: (await look(scene.b, id)).seenAt, refusal: '28P01' }
    await scene.b.store.annotate(id, { owner: 'platform', retired }, undefined, signal())
    scene.land()
    const facts = await look(scene.b, id)
    expect(await scene.azure.ordinaryRead(id)).toBe(`${PLANTED} third`)
    expect(facts).toMatchObject({ currentToken: last.token, previous: base, metadata: { owner: 'platform', retired } })
    expect(facts.metadata.promoted).toMatchObject({ version: facts.current, previous: base })
    await scene.expectRest(id)
  })

  test('of an attempt that was promoted, by another run, before the last one, is mended as well', async () => {
    const { id, base } = await fresh(scene.b)
    const first = attemptFrom(base)
    await scene.b.store.stage(id, first, planted('second'), signal())
    await scene.promoteLate(id, first)
    const promoted = await scene.b.store.promote(id, first, signal())
    await scene.b.store.drop(id, first.token, signal())
    const last = attemptFrom(promoted?.version ?? '')
    await scene.b.store.stage(id, last, planted('third'), signal())
    await scene.b.store.promote(id, last, signal())
    scene.land()
    expect(await scene.azure.ordinaryRead(id)).toBe(`${PLANTED} second`)
    await scene.b.store.drop(id, last.token, signal())
    expect(await look(scene.b, id)).toMatchObject({ currentToken: last.token, previous: promoted?.version })
    expect(await scene.azure.ordinaryRead(id)).toBe(`${PLANTED} third`)
    await scene.expectRest(id)
  })

  test('while another attempt is pending is mended, and that attempt is then seen to be from a base that is gone', async () => {
    const { id, current: base } = await rotated(scene.b)
    const late = attemptFrom(base)
    await scene.b.store.stage(id, late, planted('dead'), signal())
    await scene.promoteLate(id, late)
    await scene.b.store.drop(id, late.token, signal())
    const next = attemptFrom(base)
    await scene.b.store.stage(id, next, planted('third'), signal())
    scene.land()
    await refusal(scene.b.store.promote(id, next, signal()), 'conflict/current-moved')
    await scene.azure.blobs.advance(10_000)
    const facts = await look(scene.b, id)
    expect(await scene.azure.ordinaryRead(id)).toBe(`${PLANTED} second`)
    expect(facts.pendings).toMatchObject([{ token: next.token, base }])
    expect(facts.current).not.toBe(base)
    await scene.b.store.drop(id, next.token, signal())
    await scene.expectRest(id)
  })

  test('over a person’s new version brings that one back, and not what keyturn promoted before it', async () => {
    const { id, current: base } = await rotated(scene.b)
    const attempt = attemptFrom(base)
    await scene.b.store.stage(id, attempt, planted('dead'), signal())
    await scene.promoteLate(id, attempt)
    await scene.b.store.drop(id, attempt.token, signal())
    scene.azure.advance(1_000)
    await scene.azure.owner.setSecret(nameOf(id), `${PLANTED} a person was here`)
    scene.azure.advance(1_000)
    scene.land()
    expect((await look(scene.b, id)).currentToken).toBeUndefined()
    expect(await scene.azure.ordinaryRead(id)).toBe(`${PLANTED} a person was here`)
    await scene.expectRest(id)
  })

  test('and was mended by another process is looked for by one that saw an earlier mending: what it remembers may be old', async () => {
    const { id, base } = await fresh(scene.b)
    const [mine, other] = [scene.azure.another(), scene.azure.another()]
    for (const by of [mine, other]) {
      await scene.landDropped(id, (await other.describe(id, signal()))?.current ?? base)
      await by.describe(id, signal())
    }
    const made = await scene.azure.calls(() => mine.stage(id, attemptFrom(base), planted('next'), signal()))
    expect(made).toContain(`GetSecret ${nameOf(id)}`)
  })

  test('twice is mended twice, within one second too, where a list tells no order', async () => {
    const { id, current: base } = await rotated(scene.b)
    scene.azure.advance(1_000)
    for (const text of ['dead', 'dead too', 'and again']) {
      const attempt = attemptFrom((await look(scene.b, id)).current ?? base)
      await scene.b.store.stage(id, attempt, planted(text), signal())
      await scene.promoteLate(id, attempt)
      await scene.b.store.drop(id, attempt.token, signal())
      scene.azure.double.landLate()
      await look(scene.b, id)
      expect(await scene.azure.ordinaryRead(id)).toBe(`${PLANTED} second`)
    }
    await scene.expectRest(id)
  })

  test('and was mended is no promotion, also when a person writes a newer version', async () => {
    const { id, base } = await fresh(scene.b)
    await scene.landDropped(id, base)
    await look(scene.b, id)
    scene.azure.advance(1_000)
    await scene.azure.owner.setSecret(nameOf(id), `${PLANTED} a person was here`)
    expect((await look(scene.b, id)).metadata.promoted).toBeUndefined()
  })
})
