import { expect, it } from 'vitest'
import { held, refusal, rotated, soon, type TargetHarness } from './target-harness.ts'

export function retireTests(h: () => TargetHarness): void {
  it('tells who uses a credential, and changes nothing by asking', async () => {
    const scene = await h().scene()
    const before = await h().snapshot(scene)
    if (scene.current.authority === 'admin')
      expect(await held(scene, (hold) => hold.usage(scene.current, soon()))).toEqual({ state: 'unused' })
    const consumer = await h().use(scene.current)
    const usage = await held(scene, (hold) => hold.usage(scene.current, soon()))
    expect(usage).toMatchObject({ state: 'used' })
    if (usage.state === 'used') {
      expect(usage.sessions).toContainEqual({
        principal: scene.current.principal,
        application: consumer.application,
        address: expect.stringMatching(/./),
        count: 1
      })
    }
    expect(await consumer.works()).toBe(true)
    await consumer.end()
    expect(await h().snapshot(scene)).toBe(before)
  })

  it('refuses to retire what is in use, unless told to end the sessions, and changes nothing', async () => {
    const scene = await rotated(await h().scene())
    if (!scene.current.overlap) return expect(await h().works(scene.old)).toBe(false)
    const consumer = await h().use(scene.old)
    const before = await h().snapshot(scene)
    const e = await held(scene, (hold) => refusal(hold.retire(scene.old, { endSessions: false }, soon()), scene.old))
    expect(e.code).toBe('conflict/in-use')
    expect(e.message).toContain(consumer.application)
    expect(await h().snapshot(scene)).toBe(before)
    expect([await consumer.works(), await h().works(scene.old)]).toEqual([true, true])
    await consumer.end()
  })

  it('kills and proves: the login is refused and no session is left; again, if asked again', async () => {
    const scene = await rotated(await h().scene())
    if (!scene.current.overlap) return expect(await h().works(scene.old)).toBe(false)
    const consumer = await h().use(scene.old)
    const startedAt = Date.now()
    const [first, second] = await held(scene, async (hold) => [
      await hold.retire(scene.old, { endSessions: true }, soon()),
      await hold.retire(scene.old, { endSessions: false }, soon())
    ])
    expect(first).toMatchObject({ principal: scene.old.principal, method: expect.stringMatching(/./), sessionsEnded: 1 })
    expect(first?.refusal).not.toBe('')
    expect(first?.endpoint).not.toBe('')
    expect(Math.abs((first?.at ?? 0) - startedAt)).toBeLessThan(60_000)
    expect(second).toMatchObject({ refusal: first?.refusal, sessionsEnded: 0 })
    expect(await consumer.works()).toBe(false)
    expect(await h().works(scene.old)).toBe(false)
    expect(await h().works(scene.current)).toBe(true)
  })

  it('leaves a retired half ready for its next turn', async () => {
    const scene = await rotated(await h().scene())
    if (!scene.current.overlap) return expect(await h().works((await rotated(scene)).current)).toBe(true)
    await held(scene, (hold) => hold.retire(scene.old, { endSessions: true }, soon()))
    const back = await rotated(scene)
    expect(back.current.principal).toBe(scene.old.principal)
    expect(await h().works(back.current)).toBe(true)
  })
}
