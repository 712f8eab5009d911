import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { catalogTests } from './store-catalog.ts'
import { faultTests } from './store-faults.ts'
import {
  attemptFrom,
  type Bench,
  bench,
  expectSilence,
  fresh,
  look,
  PLANTED,
  planted,
  readWhile,
  refusal,
  rotated,
  type StoreHarness,
  signal,
  token
} from './store-harness.ts'
import { stageTests } from './store-stages.ts'

/**
 * What the port's docstrings promise, asked of one store. Nothing is skipped: a declared fact, or a fault that the store
 * says it cannot have, changes what is asserted.
 */
export function storeSuite(name: string, startHarness: () => Promise<StoreHarness>): void {
  describe(`the store suite: ${name}`, () => {
    let current: Bench | undefined
    const b = (): Bench => {
      if (!current) throw new Error('the harness did not start')
      return current
    }
    beforeAll(async () => {
      current = bench(await startHarness())
    })
    afterAll(() => current?.harness.close())
    afterEach(() => expectSilence(b().heard.splice(0)))
    describe('describe', () => describeTests(b))
    describe('read', () => readTests(b))
    describe('claim', () => claimTests(b))
    stageTests(b)
    catalogTests(b)
    faultTests(b)
  })
}

function describeTests(b: () => Bench): void {
  test('of a secret that is not there is undefined', async () => {
    expect(await b().store.describe('suite-never-made', signal())).toBeUndefined()
  })

  test('shows what is current, nothing pending, and no value', async () => {
    const { id } = await fresh(b())
    const facts = await look(b(), id)
    expect(facts).toMatchObject({ pendings: [], replicasInSync: true, metadata: { kind: 'postgres' } })
    expect(facts.name).toMatch(/^suite-/)
    expect(facts.previous).toBeUndefined()
    expect(facts.managedBy).toBeUndefined()
    expect(JSON.stringify(facts)).not.toContain(PLANTED)
  })

  test('gives an id that is good for every other call', async () => {
    const { id, base } = await fresh(b())
    const facts = await look(b(), id)
    expect((await look(b(), facts.id)).current).toBe(base)
    expect((await b().store.read(facts.id, base, signal()))?.text.reveal()).toBe(`${PLANTED} first`)
  })

  test('tells the time by the store’s clock', async () => {
    const { id } = await fresh(b())
    const before = await look(b(), id)
    b().harness.advance(3_600_000)
    const after = await look(b(), id)
    expect(after.seenAt - before.seenAt).toBeGreaterThanOrEqual(3_600_000 - 1_000)
    expect(after.seenAt - before.seenAt).toBeLessThan(3_660_000)
  })

  test('says when the secret last changed, never earlier than the promotion', async () => {
    const { id, base } = await fresh(b())
    b().harness.advance(60_000)
    const before = await look(b(), id)
    const attempt = attemptFrom(base)
    await b().store.stage(id, attempt, planted('second'), signal())
    b().harness.advance(60_000)
    await b().store.promote(id, attempt, signal())
    // A store's Date header has whole seconds.
    expect((await look(b(), id)).changedAt).toBeGreaterThanOrEqual(before.seenAt + 59_000)
  })
}

function readTests(b: () => Bench): void {
  test('gives the value of a version that a look named, as often as it is asked', async () => {
    const text = 'ünïcödé "quotes" \\ /slash/ = {"json": true}\nline 🔑'
    const { id, base } = await fresh(b(), text)
    for (const _ of [1, 2]) expect((await b().store.read(id, base, signal()))?.text.reveal()).toBe(`${PLANTED} ${text}`)
  })

  test('says when the version was created, by the store’s clock', async () => {
    const { id, base } = await fresh(b())
    const made = await b().store.read(id, base, signal())
    expect(made?.createdAt).toBeDefined()
    expect(Math.abs((made?.createdAt ?? 0) - (await look(b(), id)).seenAt)).toBeLessThan(60_000)
  })

  test('of a version that never was is undefined', async () => {
    const { id } = await fresh(b())
    expect(await b().store.read(id, token(), signal())).toBeUndefined()
  })

  test('of a secret that is not there is undefined or not-found, never a value', async () => {
    const read = b().store.read('suite-never-made', token(), signal())
    const said = await read.catch((e: { code: string }) => e.code)
    expect([undefined, 'not-found/secret']).toContain(said)
  })

  test('still gives the value that was current before', async () => {
    const { id, base } = await rotated(b())
    expect((await b().store.read(id, base, signal()))?.text.reveal()).toBe(`${PLANTED} first`)
  })

  test('says which stages the version has, where the answer shows them', async () => {
    const { id, base } = await fresh(b())
    const attempt = attemptFrom(base)
    await b().store.stage(id, attempt, planted('second'), signal())
    const pending = (await look(b(), id)).pendings[0]?.version ?? ''
    const stages = async (version: string) => (await b().store.read(id, version, signal()))?.stages
    expect([undefined, { current: true, pending: false, base: undefined }]).toContainEqual(await stages(base))
    expect([undefined, { current: false, pending: true, base }]).toContainEqual(await stages(pending))
  })
}

function claimTests(b: () => Bench): void {
  test('shows a pending without a value: whose, since when, and what it had seen', async () => {
    const { id, base } = await fresh(b())
    const attempt = attemptFrom(base)
    const seen = await readWhile(b(), id, () => b().store.claim(id, attempt, ['KEY-1', 'ключ/2='], signal()))
    expect(new Set(seen)).toEqual(new Set([`${PLANTED} first`]))
    const facts = await look(b(), id)
    expect(facts.pendings).toHaveLength(1)
    expect(facts.pendings[0]).toMatchObject({ token: attempt.token, driver: 'keyturn', seen: ['KEY-1', 'ключ/2='] })
    expect(Math.abs((facts.pendings[0]?.claimedAt ?? 0) - facts.seenAt)).toBeLessThan(60_000)
    expect(facts.current).toBe(base)
  })

  test('is refused while another token holds a claim or a pending value', async () => {
    const { id, base } = await fresh(b())
    const first = attemptFrom(base)
    await b().store.claim(id, first, [], signal())
    await refusal(b().store.claim(id, attemptFrom(base), [], signal()), 'busy/claimed')
    await b().store.stage(id, first, planted('second'), signal())
    await refusal(b().store.claim(id, attemptFrom(base), [], signal()), 'busy/claimed')
    expect((await look(b(), id)).pendings.map((p) => p.token)).toEqual([first.token])
  })

  test('of one secret by several tokens at once is given to exactly one', async () => {
    const { id, base } = await fresh(b())
    const attempts = Array.from({ length: 5 }, () => attemptFrom(base))
    const answers = await Promise.allSettled(attempts.map((a) => b().store.claim(id, a, [], signal())))
    const winners = attempts.filter((_, i) => answers[i]?.status === 'fulfilled')
    expect(winners).toHaveLength(1)
    expect((await look(b(), id)).pendings.map((p) => p.token)).toEqual([winners[0]?.token])
    for (const a of answers) if (a.status === 'rejected') expect(a.reason).toMatchObject({ code: 'busy/claimed' })
  })

  test('is refused to its own token too, with and without a value: another delivery of the request may hold it', async () => {
    const { id, base } = await fresh(b())
    const attempt = attemptFrom(base)
    await b().store.claim(id, attempt, ['K'], signal())
    await refusal(b().store.claim(id, attempt, ['K'], signal()), 'busy/claimed')
    await b().store.stage(id, attempt, planted('second'), signal())
    await refusal(b().store.claim(id, attempt, ['K'], signal()), 'busy/claimed')
    const pending = (await look(b(), id)).pendings
    expect(pending).toHaveLength(1)
    expect(pending[0]).toMatchObject({ token: attempt.token, base })
    expect(pending[0]?.claimedAt).toBeUndefined()
    expect((await b().store.read(id, pending[0]?.version ?? '', signal()))?.text.reveal()).toBe(`${PLANTED} second`)
  })

  test('of one secret by one token several times at once is given to exactly one', async () => {
    const { id, base } = await fresh(b())
    const attempt = attemptFrom(base)
    const answers = await Promise.allSettled(Array.from({ length: 4 }, () => b().store.claim(id, attempt, [], signal())))
    expect(answers.filter((a) => a.status === 'fulfilled')).toHaveLength(1)
    for (const a of answers) if (a.status === 'rejected') expect(a.reason).toMatchObject({ code: 'busy/claimed' })
  })

  test('made from a version that a rotation replaced since is refused', async () => {
    const { id, base } = await fresh(b())
    const first = attemptFrom(base)
    await b().store.stage(id, first, planted('second'), signal())
    await b().store.promote(id, first, signal())
    await b().store.drop(id, first.token, signal())
    await refusal(b().store.claim(id, attemptFrom(base), [], signal()), 'conflict/current-moved')
    expect((await look(b(), id)).pendings).toEqual([])
  })

  test('goes with drop, and then another may claim, but never the same token', async () => {
    const { id, base } = await fresh(b())
    const first = attemptFrom(base)
    await b().store.claim(id, first, [], signal())
    await b().store.drop(id, first.token, signal())
    expect((await look(b(), id)).pendings).toEqual([])
    await refusal(b().store.claim(id, first, [], signal()), 'conflict/token-spent')
    await b().store.claim(id, attemptFrom(base), [], signal())
  })

  test('of a secret that is not there is not-found', async () => {
    await refusal(b().store.claim('suite-never-made', attemptFrom(token()), [], signal()), 'not-found/secret')
  })
}
