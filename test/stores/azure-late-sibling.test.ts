import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attemptFrom, fresh, look, PLANTED, planted, refusal, rotated, signal } from '../conformance/store-harness.ts'
import { nameOf } from './azure-harness.ts'
import { type LateScene, lateScene } from './azure-late-scene.ts'

/** Only versions of the secret itself are what readers get: what lands late beside it must not undo one that is good. */
describe('a write of the sibling in Azure Key Vault that lands late', () => {
  let scene: LateScene
  beforeAll(async () => {
    scene = await lateScene()
  })
  afterAll(() => scene?.azure.close())

  /** Taken, and given up by whoever sent it; it lands when the test says so. */
  const siblingLate = async (id: string, work: () => Promise<unknown>): Promise<void> => {
    scene.azure.setFault(({ op, name }) => (op === 'SetSecret' && name === `${nameOf(id)}-pending` ? 'late' : undefined))
    await refusal(work(), 'unavailable/store')
    scene.azure.setFault(undefined)
    await scene.azure.blobs.advance(10_000)
  }
  /** Long after what was announced last: nobody waits for that any more. */
  const land = async (): Promise<void> => {
    scene.land()
    await scene.azure.blobs.advance(10_000)
  }
  const staged = async (base: string, id: string, text: string) => {
    const attempt = attemptFrom(base)
    await scene.b.store.stage(id, attempt, planted(text), signal())
    return attempt
  }

  test('as a pending value, after another attempt’s whole rotation, is shown as pending, and what was promoted stays', async () => {
    const { id, base } = await fresh(scene.b)
    const late = attemptFrom(base)
    await siblingLate(id, () => scene.b.store.stage(id, late, planted('beaten'), signal()))
    const other = scene.azure.another()
    const attempt = attemptFrom(base)
    await other.stage(id, attempt, planted('second'), signal())
    const promoted = await other.promote(id, attempt, signal())
    await other.drop(id, attempt.token, signal())
    scene.azure.advance(1_000)
    await land()
    const facts = await scene.azure.another().describe(id, signal())
    expect(facts).toMatchObject({ current: promoted?.version, currentToken: attempt.token, previous: base })
    expect(facts?.pendings).toMatchObject([{ token: late.token, base }])
    expect(facts?.metadata.promoted).toMatchObject({ version: promoted?.version, previous: base })
    expect(scene.values(id)).toEqual(['first', 'second'])
    for await (const listed of scene.b.store.list(signal()))
      if (listed.id === id) expect(listed).toMatchObject({ currentToken: attempt.token, previous: base })
    await refusal(scene.b.store.promote(id, late, signal()), 'conflict/current-moved')
    await scene.b.store.drop(id, late.token, signal())
    await scene.expectRest(id)
  })

  test('as a claim, after another attempt’s whole rotation, is a claim, and what was promoted stays', async () => {
    const { id, current: base } = await rotated(scene.b)
    const late = attemptFrom(base)
    await siblingLate(id, () => scene.b.store.claim(id, late, ['K'], signal()))
    const attempt = attemptFrom(base)
    await scene.rotate(id, attempt, 'third')
    scene.azure.advance(1_000)
    await land()
    const facts = await look(scene.b, id)
    expect(facts).toMatchObject({ currentToken: attempt.token, previous: base, pendings: [{ token: late.token, seen: ['K'] }] })
    await scene.b.store.drop(id, late.token, signal())
    await scene.expectRest(id)
  })

  test('as a tombstone, after the next attempt was promoted and not dropped yet, changes nothing that readers get', async () => {
    const { id, base } = await fresh(scene.b)
    const first = await staged(base, id, 'second')
    const promoted = await scene.b.store.promote(id, first, signal())
    await siblingLate(id, () => scene.b.store.drop(id, first.token, signal()))
    await scene.b.store.drop(id, first.token, signal())
    const next = await staged(promoted?.version ?? '', id, 'third')
    await scene.b.store.promote(id, next, signal())
    scene.azure.advance(1_000)
    await land()
    const facts = await scene.azure.another().describe(id, signal())
    expect(facts).toMatchObject({ currentToken: next.token, previous: promoted?.version, pendings: [] })
    expect(await scene.azure.ordinaryRead(id)).toBe(`${PLANTED} third`)
    await scene.expectRest(id)
  })

  test('as a tombstone that was sent beside the lease of a dead run does not either', async () => {
    const { id, base } = await fresh(scene.b)
    const first = await staged(base, id, 'second')
    scene.azure.setBlobFault(({ op }) => (op === 'release' ? 'before' : undefined))
    const promoted = await scene.b.store.promote(id, first, signal())
    scene.azure.setBlobFault(undefined)
    await siblingLate(id, () => scene.b.store.drop(id, first.token, signal()))
    await scene.azure.blobs.advance(61_000)
    const next = await staged(promoted?.version ?? '', id, 'third')
    await scene.b.store.promote(id, next, signal())
    scene.azure.advance(1_000)
    await land()
    const facts = await scene.azure.another().describe(id, signal())
    expect(facts).toMatchObject({ currentToken: next.token, previous: promoted?.version })
    await scene.expectRest(id)
  })

  test('as a tombstone of the very attempt, which another run promoted meanwhile, does not undo that', async () => {
    const { id, base } = await fresh(scene.b)
    const attempt = await staged(base, id, 'second')
    await siblingLate(id, () => scene.b.store.drop(id, attempt.token, signal()))
    await scene.azure.another().promote(id, attempt, signal())
    scene.azure.advance(1_000)
    await land()
    const facts = await scene.azure.another().describe(id, signal())
    expect(facts).toMatchObject({ currentToken: attempt.token, previous: base, pendings: [] })
    await scene.expectRest(id)
  })

  test('as a tombstone over another attempt’s value makes that one start again, and nothing else', async () => {
    const { id, base } = await fresh(scene.b)
    const first = await staged(base, id, 'beaten')
    await siblingLate(id, () => scene.b.store.drop(id, first.token, signal()))
    await scene.b.store.drop(id, first.token, signal())
    const next = await staged(base, id, 'second')
    await land()
    await refusal(scene.b.store.promote(id, next, signal()), 'not-found/version')
    expect(await look(scene.b, id)).toMatchObject({ current: base, pendings: [] })
    await scene.expectRest(id)
  })

  test('does not hide that a commit came late: the attempt’s own end is found in the sibling’s older versions', async () => {
    const { id, base } = await fresh(scene.b)
    const beaten = attemptFrom(base)
    await siblingLate(id, () => scene.b.store.stage(id, beaten, planted('beaten'), signal()))
    const dead = await staged(base, id, 'dead')
    await scene.promoteLate(id, dead)
    await scene.b.store.drop(id, dead.token, signal())
    expect(scene.azure.double.landLate()).toHaveLength(2)
    const facts = await scene.azure.another().describe(id, signal())
    expect(facts).toMatchObject({ currentToken: undefined, pendings: [{ token: beaten.token, base }] })
    expect(await scene.azure.ordinaryRead(id)).toBe(`${PLANTED} first`)
    await scene.b.store.drop(id, beaten.token, signal())
    await scene.expectRest(id)
  })
})
