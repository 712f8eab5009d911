import { expect, it } from 'vitest'
import { held, nobodyKnown, propose, refusal, soon, type TargetHarness } from './target-harness.ts'

export function lockTests(h: () => TargetHarness): void {
  it('is one at a time, and free when it is released', async () => {
    const scene = await h().scene()
    const { target, current, metadata } = scene
    const hold = await target.hold(current, metadata, soon())
    expect((await refusal(target.hold(current, metadata, soon()), current)).code).toBe('busy/locked')
    await hold.check(soon())
    await hold.release()
    await held(scene, (again) => again.check(soon()))
  })

  it('is the secret’s, whichever of its documents tells where it is', async () => {
    const scene = await h().scene()
    const { target, current, metadata } = scene
    if (current.authority === 'self') return
    const next = await propose(scene)
    await held(scene, async () => expect((await refusal(target.hold(next, metadata, soon()), next)).code).toBe('busy/locked'))
  })

  it('is not another secret’s', async () => {
    const [one, two] = [await h().scene(), await h().scene()]
    await held(one, () => held(two, (hold) => hold.check(soon())))
  })

  it('of one is taken by exactly one of many', async () => {
    const { target, current, metadata } = await h().scene()
    const tries = await Promise.allSettled(Array.from({ length: 5 }, () => target.hold(current, metadata, soon())))
    const won = tries.flatMap((t) => (t.status === 'fulfilled' ? [t.value] : []))
    expect(won).toHaveLength(1)
    await won[0]?.release()
  })

  it('is lost with its session: then every method fails, nothing is changed, and another may take it', async () => {
    const scene = await h().scene()
    const { target, current, metadata } = scene
    const next = await propose(scene)
    const hold = await target.hold(current, metadata, soon())
    await h().cutLock(scene)
    const before = await h().snapshot(scene)
    const calls = [
      () => hold.check(soon()),
      () => hold.apply(next, nobodyKnown, soon()),
      () => hold.usage(current, soon()),
      () => hold.retire(next, { endSessions: true }, soon()),
      () => hold.check(soon())
    ]
    for (const call of calls) expect((await refusal(call(), current, next)).code).toBe('busy/lock-lost')
    expect(await h().snapshot(scene)).toBe(before)
    await held(scene, (again) => again.check(soon()))
    await hold.release()
    await hold.release()
  })

  it('is released as often as one likes', async () => {
    const { target, current, metadata } = await h().scene()
    const hold = await target.hold(current, metadata, soon())
    await Promise.all([hold.release(), hold.release()])
    await hold.release()
    expect((await refusal(hold.check(soon()))).code).toBe('busy/lock-lost')
  })
}
