import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { held, nobodyKnown, propose, refusal, rotated, type Scene, soon, type TargetHarness } from './target-harness.ts'
import { lockTests } from './target-lock.ts'
import { retireTests } from './target-retire.ts'

/** What the port's docstrings promise, asked of one target. A declared fact changes what is asserted, never whether. */
export function targetSuite(name: string, startHarness: () => Promise<TargetHarness>): void {
  describe(`the target suite: ${name}`, () => {
    let started: TargetHarness | undefined
    const h = (): TargetHarness => {
      if (!started) throw new Error('the harness did not start')
      return started
    }
    beforeAll(async () => {
      started = await startHarness()
    })
    afterAll(() => started?.stop())
    describe('inspect and propose', () => proposeTests(h))
    describe('verify and preflight', () => verifyTests(h))
    describe('apply', () => applyTests(h))
    describe('heal and discard', () => healTests(h))
    describe('usage and retire', () => retireTests(h))
    describe('the lock', () => lockTests(h))
  })
}

function proposeTests(h: () => TargetHarness): void {
  it('names the principal, its counterpart and who has authority', async () => {
    const { target, current, metadata } = await h().scene()
    const seen = target.inspect(current.document, metadata)
    expect(seen).toEqual(current)
    expect(seen.overlap).toBe(seen.counterpart !== undefined)
    expect(seen.counterpart).not.toBe(seen.principal)
  })

  it('refuses a document that it cannot read, by the field’s name and without quoting it', async () => {
    const { target } = await h().scene()
    for (const { document, names } of h().unreadable) {
      const e = await refusal(() => target.inspect(document, {}))
      expect(`${e.code} ${e.message}`).toMatch(/^(invalid|unsupported)\//)
      expect(e.message).toMatch(names)
    }
  })

  it('proposes the other half, with a secret of its own each time, and sends nothing', async () => {
    const scene = await h().scene()
    const before = await h().snapshot(scene)
    const [one, two] = [await propose(scene), await propose(scene)]
    expect(one.principal).toBe(scene.current.counterpart ?? scene.current.principal)
    expect(one.document.equals(two.document)).toBe(false)
    expect(one.document.equals(scene.current.document)).toBe(false)
    expect(scene.target.inspect(one.document, scene.metadata)).toEqual(one)
    expect(await h().snapshot(scene)).toBe(before)
  })
}

function verifyTests(h: () => TargetHarness): void {
  it('accepts what works and rejects what the target refuses, again and again, and changes nothing', async () => {
    const scene = await h().scene()
    const { target, current, metadata } = scene
    const before = await h().snapshot(scene)
    for (let n = 0; n < 2; n++) {
      expect(await target.verify(current, metadata, soon())).toBe('accepted')
      expect(await target.verify(h().wrong(current), metadata, soon())).toBe('rejected')
    }
    expect(await h().snapshot(scene)).toBe(before)
  })

  it('finds nothing fatal before a rotation that will succeed, and changes nothing', async () => {
    const scene = await h().scene()
    const before = await h().snapshot(scene)
    const problems = await scene.target.preflight(scene.current, scene.metadata, soon())
    expect(problems.filter(({ fatal }) => fatal)).toEqual([])
    expect(await h().snapshot(scene)).toBe(before)
    await rotated(scene)
  })

  it('finds a current credential that is refused, before a rotation would', async () => {
    const scene = await h().scene()
    const problems = await scene.target.preflight(h().wrong(scene.current), scene.metadata, soon())
    expect(problems.map(({ code }) => code)).toContain('denied/login')
    for (const problem of problems) expect(problem.todo).not.toBe('')
  })

  it('stops when its time is over, and says so', async () => {
    const { target, current, metadata } = await h().scene()
    const over = AbortSignal.abort()
    const works = [target.verify(current, metadata, over), target.hold(current, metadata, over)]
    for (const { code } of await Promise.all(works.map((work) => refusal(work, current))))
      expect(code).toBe('unavailable/deadline')
  })
}

function applyTests(h: () => TargetHarness): void {
  it('makes next work besides current, or (without overlap) instead of it', async () => {
    const scene = await rotated(await h().scene())
    expect(await h().works(scene.current)).toBe(true)
    expect(await h().works(scene.old)).toBe(scene.current.overlap)
  })

  it('is repeatable with the same value', async () => {
    const scene = await h().scene()
    const next = await propose(scene)
    await held(scene, (hold) => hold.apply(next, nobodyKnown, soon()))
    const again: Scene = scene.current.overlap ? scene : { ...scene, current: next }
    await held(again, async (hold) => {
      await hold.apply(next, nobodyKnown, soon())
      await hold.apply(next, nobodyKnown, soon())
    })
    expect(await scene.target.verify(next, scene.metadata, soon())).toBe('accepted')
    expect(await h().works(scene.current)).toBe(scene.current.overlap)
  })

  it('goes to and fro', async () => {
    const first = await h().scene()
    const third = await rotated(await rotated(first))
    expect(third.current.principal).toBe(first.current.principal)
    expect(await h().works(third.current)).toBe(true)
    expect(await h().works(first.current)).toBe(false)
  })

  it('refuses a principal that is not the secret’s, and touches nothing', async () => {
    const [scene, other] = [await h().scene(), await h().scene()]
    const before = await h().snapshot(other)
    const e = await held(scene, (hold) => refusal(hold.apply(other.current, nobodyKnown, soon()), other.current))
    expect(e.code).toMatch(/^(invalid|conflict)\//)
    expect(await h().snapshot(other)).toBe(before)
  })
}

function healTests(h: () => TargetHarness): void {
  it('makes current’s own secret valid again, or says that nothing here may', async () => {
    const scene = await h().scene()
    const { target, current, metadata } = scene
    const hold = await target.hold(current, metadata, soon())
    try {
      await h().breakSecret(current)
      expect(await target.verify(current, metadata, soon())).toBe('rejected')
      if (current.authority === 'self') {
        expect((await refusal(hold.heal(current, soon()), current)).code).toBe('bug/broken')
      } else {
        await hold.heal(current, soon())
        await hold.heal(current, soon())
        expect(await target.verify(current, metadata, soon())).toBe('accepted')
      }
    } finally {
      await hold.release()
    }
  })

  it('discards an attempt, applied or not, and leaves current alone', async () => {
    const scene = await h().scene()
    const next = await propose(scene)
    await held(scene, async (hold) => {
      await hold.discard(next, soon())
      if (scene.current.overlap) await hold.apply(next, nobodyKnown, soon())
      await hold.discard(next, soon())
      await hold.discard(next, soon())
    })
    expect(await h().works(scene.current)).toBe(true)
    if (scene.target.facts.issue === 'minted') expect(await h().works(next)).toBe(false)
  })

  it('lists what lives, where the target can', async () => {
    const scene = await h().scene()
    const live = await held(scene, (hold) => hold.live(scene.current, soon()))
    expect(live.keys.map(({ principal }) => principal)).toEqual(
      scene.target.facts.issue === 'minted' ? [scene.current.principal] : []
    )
  })
}
