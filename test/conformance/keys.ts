import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { isMarkOf } from '../../shared/mark.ts'
import type { Credential, TargetHold } from '../../shared/ports/target.ts'
import type { KeyScene, KeysHarness } from './keys-harness.ts'
import { retireKeyTests } from './keys-retire.ts'
import { nobodyKnown, refusal, soon } from './target-harness.ts'

export const TOKEN = 'a-token-of-thirty-two-characters'

export const create = ({ target, current, context }: KeyScene, token = TOKEN): Promise<Credential> =>
  target.propose(current, context, token, soon())

export async function withHold<T>({ target, current, context }: KeyScene, work: (hold: TargetHold) => Promise<T>): Promise<T> {
  return work(await target.hold(current, context, soon()))
}

/** The target suite for minted keys: what the ports' docstrings promise, asked of one provider. */
export function keysSuite(name: string, startHarness: () => Promise<KeysHarness>): void {
  describe(`the target suite: ${name}`, () => {
    let started: KeysHarness | undefined
    const h = (): KeysHarness => {
      if (!started) throw new Error('the harness did not start')
      return started
    }
    beforeAll(async () => {
      started = await startHarness()
    })
    afterEach(() => {
      started?.setFault(undefined)
      started?.lagCreated(0)
      started?.lagRevoked(0)
    })
    afterAll(() => started?.stop())
    describe('inspect and propose', () => proposeTests(h))
    describe('verify and preflight', () => verifyTests(h))
    describe('the hold: apply, disable, discard, live', () => holdTests(h))
    describe('usage and retire', () => retireKeyTests(h))
    describe('a provider that fails', () => failureTests(h))
  })
}

function proposeTests(h: () => KeysHarness): void {
  it('declares a minted key without a lock of its own', async () => {
    const { target } = await h().scene()
    expect(target.facts).toMatchObject({ issue: 'minted', lock: 'claim' })
    expect(target.facts.maxLive).toBeGreaterThan(1)
  })

  it('names the key, which is told by its document alone', async () => {
    const { target, current, context } = await h().scene()
    expect(target.inspect(current.document, context)).toEqual(current)
    expect(current).toMatchObject({ overlap: true, authority: 'admin' })
    expect(current.principal).not.toBe('')
  })

  it('refuses a document that it cannot read, by the field’s name and without quoting it', async () => {
    const { target } = await h().scene()
    expect(h().unreadable.length).toBeGreaterThan(2)
    for (const { document, names } of h().unreadable) {
      const e = await refusal(() => target.inspect(document, {}))
      expect(`${e.code} ${e.message}`).toMatch(/^invalid\/(document|kind|description)/)
      expect(e.message).toMatch(names)
    }
  })

  it('creates a key beside current; the document differs in the key alone', async () => {
    const scene = await h().scene()
    const next = await create(scene)
    expect(next.principal).not.toBe(scene.current.principal)
    expect(scene.target.inspect(next.document, scene.context)).toEqual(next)
    const [before, after] = [scene.current, next].map(({ document }) => JSON.parse(document.reveal()) as Record<string, unknown>)
    expect(Object.keys(after ?? {})).toEqual(Object.keys(before ?? {}))
    expect(after?.note, 'a field that is not keyturn’s').toEqual(before?.note)
    expect(before?.note).toBeDefined()
    expect([await h().works(scene.current), await h().works(next)]).toEqual([true, true])
  })

  it('answers that there is no room, and makes nothing', async () => {
    const scene = await h().scene()
    const { maxLive = scene.target.facts.maxLive, keys } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    if (maxLive > 20) return expect(maxLive).toBeGreaterThan(20)
    for (let n = keys.length; n < maxLive; n++) await h().person(scene)
    const before = await h().snapshot(scene)
    expect((await refusal(create(scene), scene.current)).code).toBe('conflict/full')
    expect(await h().snapshot(scene)).toBe(before)
  })
}

function verifyTests(h: () => KeysHarness): void {
  it('accepts what works and rejects what the provider refuses, again and again, and changes nothing', async () => {
    const scene = await h().scene()
    const { target, current, context } = scene
    const before = await h().snapshot(scene)
    for (let n = 0; n < 2; n++) {
      expect(await target.verify(current, context, soon())).toBe('accepted')
      expect(await target.verify(h().wrong(current), context, soon())).toBe('rejected')
    }
    expect(await h().snapshot(scene)).toBe(before)
  })

  it('waits for a new key that is refused at first', async () => {
    h().lagCreated(3)
    const scene = await h().scene()
    const next = await create(scene)
    expect(await scene.target.verify(next, { ...scene.context, applied: true }, soon())).toBe('accepted')
  })

  it('takes a new key that is refused for longer for one that is not active yet, and not for a dead one', async () => {
    h().lagCreated(1_000)
    const scene = await h().scene()
    const next = await create(scene)
    const e = await refusal(scene.target.verify(next, { ...scene.context, applied: true }, soon()), next)
    expect(e).toMatchObject({ code: 'unavailable/not-active-yet', retryable: true })
  })

  it('finds nothing fatal before a rotation that will succeed, and changes nothing', async () => {
    const scene = await h().scene()
    const before = await h().snapshot(scene)
    const problems = await scene.target.preflight(scene.current, scene.context, soon())
    expect(problems.filter(({ fatal }) => fatal)).toEqual([])
    expect(await h().snapshot(scene)).toBe(before)
  })

  it('finds a current key that is refused, before a rotation would', async () => {
    const scene = await h().scene()
    const problems = await scene.target.preflight(h().wrong(scene.current), scene.context, soon())
    expect(problems.map(({ code }) => code)).toContain('denied/login')
    for (const { todo } of problems) expect(todo).not.toBe('')
  })

  it('stops when its time is over, and says so', async () => {
    const { target, current, context } = await h().scene()
    const over = AbortSignal.abort()
    const works = [
      target.verify(current, context, over),
      target.hold(current, context, over),
      target.propose(current, context, TOKEN, over)
    ]
    for (const { code } of await Promise.all(works.map((work) => refusal(work, current))))
      expect(code).toBe('unavailable/deadline')
  })
}

function holdTests(h: () => KeysHarness): void {
  it('is given to everybody, and applies what is there already, again and again', async () => {
    const scene = await h().scene()
    const next = await create(scene)
    const before = await h().snapshot(scene)
    await withHold(scene, (one) =>
      withHold(scene, async (other) => {
        await one.apply(next, nobodyKnown, soon())
        await other.apply(next, nobodyKnown, soon())
        await one.check(soon())
        await one.release()
        await other.check(soon())
      })
    )
    expect(await h().snapshot(scene)).toBe(before)
  })

  it('disables a key so that it can be enabled again, or says that it cannot', async () => {
    const scene = await h().scene()
    const next = await create(scene)
    if (!scene.target.facts.canDisable) {
      const e = await withHold(scene, (hold) => refusal(hold.disable(next, soon()), next))
      return expect(e.code).toBe('unsupported/disable')
    }
    await withHold(scene, async (hold) => {
      for (let n = 0; n < 2; n++) expect(await hold.disable(next, soon())).toBeGreaterThan(0)
    })
    expect([await h().works(next), await h().works(scene.current)]).toEqual([false, true])
    await withHold(scene, async (hold) => {
      for (let n = 0; n < 2; n++) await hold.apply(next, nobodyKnown, soon())
    })
    expect(await h().works(next)).toBe(true)
  })

  it('discards a key that will never be promoted, and leaves current alone', async () => {
    const scene = await h().scene()
    const next = await create(scene)
    await withHold(scene, async (hold) => {
      await hold.discard(next, soon())
      await hold.discard(next, soon())
    })
    expect([await h().works(next), await h().works(scene.current)]).toEqual([false, true])
  })

  it('lists what lives, ours by their mark where the provider keeps one, a person’s never', async () => {
    const scene = await h().scene()
    const next = await create(scene)
    const { keys, maxLive = scene.target.facts.maxLive } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(keys.map((k) => k.principal)).toEqual(expect.arrayContaining([scene.current.principal, next.principal]))
    const ours = keys.find((k) => k.principal === next.principal)
    expect(ours?.ours).toBe(h().hasMarks)
    if (h().hasMarks) expect(isMarkOf(ours?.mark, scene.context.secret ?? '')).toBe(true)
    expect(ours?.ageMs ?? 0).toBeLessThan(60_000)
    if (keys.length >= maxLive) return
    const stranger = await h().person(scene)
    const again = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(again.keys.find((k) => k.principal === stranger)).toMatchObject({ ours: false, mark: undefined })
  })

  it('touches no key of another account', async () => {
    const [scene, other] = [await h().scene(), await h().scene()]
    const before = await h().snapshot(other)
    await withHold(scene, async (hold) => {
      const calls = [
        () => hold.apply(other.current, nobodyKnown, soon()),
        () => hold.retire(other.current, { endSessions: true }, soon()),
        () => hold.discard(other.current, soon())
      ]
      for (const call of calls) expect((await refusal(call(), other.current)).code).toBe('conflict/key-not-ours')
    })
    expect(await h().snapshot(other)).toBe(before)
  })

  it('does not make a dead key valid again, and says so', async () => {
    const scene = await h().scene()
    await h().deleteBehind(scene.current)
    expect(await scene.target.verify(scene.current, scene.context, soon())).toBe('rejected')
    const e = await withHold(scene, (hold) => refusal(hold.heal(scene.current, soon()), scene.current))
    expect(e.code).toBe('bug/broken')
  })
}

function failureTests(h: () => KeysHarness): void {
  it('that does not answer a creation is not asked again: the key may be there', async () => {
    const scene = await h().scene()
    const before = h().calls().length
    h().setFault(({ op }) => (op === h().createOp ? 'lost' : undefined))
    expect((await refusal(create(scene), scene.current)).code).toBe('unavailable/provider')
    const made = h()
      .calls()
      .slice(before)
      .filter(({ op }) => op === h().createOp)
    expect(made).toHaveLength(1)
    expect(await h().works(scene.current)).toBe(true)
  })

  it('that asks to slow down a little makes one key all the same', async () => {
    const scene = await h().scene()
    let left = 1
    h().setFault(({ op }) => (op === h().createOp && left-- > 0 ? h().throttled : undefined))
    const next = await create(scene)
    expect(await h().works(next)).toBe(true)
    const { keys } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(keys.filter((k) => k.principal !== scene.current.principal)).toHaveLength(1)
  })

  it('that asks to slow down on and on is throttled, and nothing else', async () => {
    const scene = await h().scene()
    h().setFault(() => h().throttled)
    for (const work of [() => create(scene), () => withHold(scene, (hold) => hold.live(scene.current, soon()))])
      expect((await refusal(work(), scene.current)).code).toBe('throttled/provider')
  })

  it('that denies says what is missing, and no key is dead for it', async () => {
    const scene = await h().scene()
    h().setFault(({ op }) => (op === h().createOp ? h().denied : undefined))
    const e = await refusal(create(scene), scene.current)
    expect(e.code).toBe('denied/provider')
    expect(e.message.length).toBeGreaterThan(20)
  })

  it('that is down is unavailable: neither accepted nor rejected, and nothing is proved', async () => {
    const scene = await h().scene()
    const next = await create(scene)
    h().setFault(() => ({ status: 503, body: 'Service Unavailable' }))
    const works = [
      () => scene.target.verify(scene.current, scene.context, soon()),
      () => create(scene),
      () => withHold(scene, (hold) => hold.live(scene.current, soon())),
      () => withHold(scene, (hold) => hold.retire(next, { endSessions: true }, soon()))
    ]
    for (const work of works) expect((await refusal(work(), scene.current, next)).code).toBe('unavailable/provider')
    h().setFault(undefined)
    expect(await h().works(scene.current)).toBe(true)
  })
}
