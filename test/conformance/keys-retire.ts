import { expect, it } from 'vitest'
import { create, withHold } from './keys.ts'
import type { KeyScene, KeysHarness } from './keys-harness.ts'
import { refusal, soon } from './target-harness.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

const retire = (scene: KeyScene, old = scene.current) =>
  withHold(scene, (hold) => hold.retire(old, { endSessions: false }, soon()))

export function retireKeyTests(h: () => KeysHarness): void {
  it('tells when a key was last used, as far as the provider tells, and changes nothing by asking', async () => {
    const scene = await h().scene()
    const next = await create(scene)
    const before = await h().snapshot(scene)
    const usage = () => withHold(scene, (hold) => hold.usage(next, soon()))
    if (scene.target.facts.lastUsed === 'none') {
      expect(await usage()).toMatchObject({ state: 'cannot-tell', why: expect.stringMatching(/./) })
    } else {
      expect(await usage()).toMatchObject({ state: 'last-used', lastUsedAt: undefined })
      await h().use(next, 5 * HOUR_MS)
      const used = await usage()
      if (used.state !== 'last-used') throw new Error(used.state)
      // Some providers tell the day and no more.
      expect(Math.abs(Date.now() - (used.lastUsedAt ?? 0))).toBeLessThan(30 * HOUR_MS)
    }
    expect(await h().snapshot(scene)).toBe(before)
  })

  it('never takes "cannot be told" for "not used"', async () => {
    const scene = await h().scene()
    if (scene.target.facts.lastUsed === 'none') return expect(scene.target.facts.telemetryLagMs).toBe(0)
    expect(scene.target.facts.telemetryLagMs).toBeGreaterThan(0)
    h().setFault(() => h().denied)
    const usage = withHold(scene, (hold) => hold.usage(scene.current, soon()))
    const said = await usage.catch((e: { code: string }) => e.code)
    if (typeof said === 'string') expect(said).toBe('denied/provider')
    else expect(said.state).toBe('cannot-tell')
  })

  it('kills and proves by the provider’s own code; again, if asked again', async () => {
    const scene = await h().scene()
    const next = await create(scene)
    const startedAt = Date.now()
    const [first, second] = [await retire(scene), await retire(scene)]
    expect(first).toMatchObject({ principal: scene.current.principal, method: 'call', sessionsEnded: 0 })
    expect(first.refusal).not.toMatch(/^(40[13])?$/)
    expect(first.endpoint).not.toBe('')
    expect(Math.abs(first.at - startedAt)).toBeLessThan(5 * MINUTE_MS)
    expect(second.refusal).toBe(first.refusal)
    expect([await h().works(scene.current), await h().works(next)]).toEqual([false, true])
  })

  it('proves the death of a key that was deleted behind our back', async () => {
    const scene = await h().scene()
    await create(scene)
    await h().deleteBehind(scene.current)
    expect((await retire(scene)).principal).toBe(scene.current.principal)
  })

  it('kills a key that was disabled before', async () => {
    const scene = await h().scene()
    const next = await create(scene)
    if (!scene.target.facts.canDisable) return expect((await retire(scene)).refusal).not.toBe('')
    await withHold(scene, (hold) => hold.disable(scene.current, soon()))
    expect((await retire(scene)).refusal).not.toBe('')
    const { keys } = await withHold({ ...scene, current: next }, (hold) => hold.live(next, soon()))
    expect(keys.map((k) => k.principal)).not.toContain(scene.current.principal)
  })

  it('waits for a deleted key that is taken a little longer, and proves nothing of one that is taken on and on', async () => {
    const scene = await h().scene()
    const next = await create(scene)
    h().lagRevoked(2)
    expect((await retire(scene)).refusal).not.toBe('')
    h().lagRevoked(1_000)
    const later = { ...scene, current: await create({ ...scene, current: next }) }
    const e = await refusal(retire(later, next), next)
    expect(e).toMatchObject({ code: 'unavailable/not-dead-yet', retryable: true })
  })

  it('leaves a person’s keys alone', async () => {
    const scene = await h().scene()
    const { keys, maxLive = scene.target.facts.maxLive } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    if (keys.length >= maxLive) return
    const stranger = await h().person(scene)
    await retire(scene)
    const left = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(left.keys.map((k) => k.principal)).toContain(stranger)
  })
}
