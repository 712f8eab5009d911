import { describe, expect, test } from 'vitest'
import { SecretText } from '../../shared/types.ts'
import {
  attemptFrom,
  type Bench,
  fresh,
  look,
  PLANTED,
  planted,
  readWhile,
  refusal,
  rotated,
  signal,
  token
} from './store-harness.ts'

/** stage, promote, drop: the promises of the port, in the order of its sentences. */
export function stageTests(b: () => Bench): void {
  describe('stage', () => stageOnly(b))
  describe('promote', () => promoteOnly(b))
  describe('drop', () => dropOnly(b))
}

function stageOnly(b: () => Bench): void {
  test('keeps the value as pending, and readers of current do not notice', async () => {
    const { id, base } = await fresh(b())
    const attempt = attemptFrom(base)
    const seen = await readWhile(b(), id, () => b().store.stage(id, attempt, planted('second "x" = /y/ ü'), signal()))
    expect(new Set(seen)).toEqual(new Set([`${PLANTED} first`]))
    const facts = await look(b(), id)
    expect(facts.current).toBe(base)
    expect(facts.pendings).toMatchObject([{ token: attempt.token, base, driver: 'keyturn' }])
    expect(facts.pendings[0]?.claimedAt).toBeUndefined()
    const stored = await b().store.read(id, facts.pendings[0]?.version ?? '', signal())
    expect(stored?.text.reveal()).toBe(`${PLANTED} second "x" = /y/ ü`)
  })

  test('may be repeated with the same token and value', async () => {
    const { id, base } = await fresh(b())
    const attempt = attemptFrom(base)
    for (const _ of [1, 2]) await b().store.stage(id, attempt, planted('second'), signal())
    expect((await look(b(), id)).pendings).toHaveLength(1)
  })

  test('refuses another value under the same token, and keeps the first', async () => {
    const { id, base } = await fresh(b())
    const attempt = attemptFrom(base)
    await b().store.stage(id, attempt, planted('second'), signal())
    await refusal(b().store.stage(id, attempt, planted('other'), signal()), 'conflict/token-spent')
    const pending = (await look(b(), id)).pendings[0]
    expect(pending).toMatchObject({ token: attempt.token, base })
    expect((await b().store.read(id, pending?.version ?? '', signal()))?.text.reveal()).toBe(`${PLANTED} second`)
  })

  test('refuses another token while one is pending or claimed, and leaves that one alone', async () => {
    const { id, base } = await fresh(b())
    const first = attemptFrom(base)
    await b().store.claim(id, first, [], signal())
    await refusal(b().store.stage(id, attemptFrom(base), planted('other'), signal()), 'conflict/pending-other')
    await b().store.stage(id, first, planted('second'), signal())
    await refusal(b().store.stage(id, attemptFrom(base), planted('other'), signal()), 'conflict/pending-other')
    expect((await look(b(), id)).pendings).toMatchObject([{ token: first.token, base }])
  })

  test('by several tokens at once is given to exactly one', async () => {
    const { id, base } = await fresh(b())
    const attempts = Array.from({ length: 5 }, () => attemptFrom(base))
    const answers = await Promise.allSettled(attempts.map((a) => b().store.stage(id, a, planted(a.token), signal())))
    const winners = attempts.filter((_, i) => answers[i]?.status === 'fulfilled')
    expect(winners).toHaveLength(1)
    for (const a of answers) if (a.status === 'rejected') expect(a.reason).toMatchObject({ code: 'conflict/pending-other' })
    const pending = (await look(b(), id)).pendings
    expect(pending).toMatchObject([{ token: winners[0]?.token, base }])
    const stored = await b().store.read(id, pending[0]?.version ?? '', signal())
    expect(stored?.text.reveal()).toBe(`${PLANTED} ${winners[0]?.token}`)
  })

  test('refuses a token that drop ended, with its value and with another', async () => {
    const { id, base } = await fresh(b())
    const attempt = attemptFrom(base)
    await b().store.stage(id, attempt, planted('second'), signal())
    await b().store.drop(id, attempt.token, signal())
    await refusal(b().store.stage(id, attempt, planted('second'), signal()), 'conflict/token-spent')
    await refusal(b().store.stage(id, attempt, planted('other'), signal()), 'conflict/token-spent')
    expect((await look(b(), id)).pendings).toEqual([])
  })

  test('refuses a token that promote ended', async () => {
    const { id, attempt, current } = await rotated(b())
    await refusal(b().store.stage(id, { ...attempt, base: current }, planted('second'), signal()), 'conflict/token-spent')
    await refusal(b().store.stage(id, { ...attempt, base: current }, planted('other'), signal()), 'conflict/token-spent')
    expect(await b().harness.ordinaryRead(id)).toBe(`${PLANTED} second`)
  })

  test('keeps the longest value whole, and refuses a longer one before it is sent', async () => {
    const { id, base } = await fresh(b())
    const attempt = attemptFrom(base)
    const room = b().store.facts.maxValueBytes - PLANTED.length - 1
    const large = planted(`${'ü'.repeat(Math.floor(room / 2))}${room % 2 === 0 ? '' : 'x'}`)
    await refusal(b().store.stage(id, attempt, new SecretText(`${large.reveal()}x`), signal()), 'invalid/document')
    expect((await look(b(), id)).pendings).toEqual([])
    await b().store.stage(id, attempt, large, signal())
    const pending = (await look(b(), id)).pendings[0]?.version ?? ''
    expect((await b().store.read(id, pending, signal()))?.text.equals(large)).toBe(true)
  })

  test('of a secret that is not there is not-found', async () => {
    await refusal(b().store.stage('suite-never-made', attemptFrom(token()), planted('x'), signal()), 'not-found/secret')
  })
}

function promoteOnly(b: () => Bench): void {
  test('makes the value current and the base previous; a reader sees the old or the new, never neither', async () => {
    const { id, base } = await fresh(b())
    const attempt = attemptFrom(base)
    await b().store.stage(id, attempt, planted('second'), signal())
    const seen = await readWhile(b(), id, () => b().store.promote(id, attempt, signal()))
    expect([`${PLANTED} first`, `${PLANTED} second`]).toEqual(expect.arrayContaining([...new Set(seen)]))
    b().harness.advance(b().store.facts.convergenceMs)
    expect(await b().harness.ordinaryRead(id)).toBe(`${PLANTED} second`)
    // Where readers converge at once, nobody is shown the old one after the new one.
    const shift = seen.indexOf(`${PLANTED} second`)
    if (b().store.facts.convergenceMs === 0) expect(seen.slice(shift)).not.toContain(`${PLANTED} first`)
    const facts = await look(b(), id)
    expect(facts).toMatchObject({ previous: base, currentToken: attempt.token })
    expect(facts.current).not.toBe(base)
  })

  test('leaves at most its own mark as pending until drop', async () => {
    const { id, base } = await fresh(b())
    const attempt = attemptFrom(base)
    await b().store.stage(id, attempt, planted('second'), signal())
    await b().store.promote(id, attempt, signal())
    for (const p of (await look(b(), id)).pendings) expect(p.token).toBe(attempt.token)
    await b().store.drop(id, attempt.token, signal())
    const facts = await look(b(), id)
    expect(facts).toMatchObject({ pendings: [], previous: base, currentToken: attempt.token })
    expect(await b().harness.ordinaryRead(id)).toBe(`${PLANTED} second`)
  })

  test('may be repeated, also after drop, and changes nothing', async () => {
    const { id, base, attempt } = await rotated(b())
    const before = await look(b(), id)
    await b().store.promote(id, attempt, signal())
    const after = await look(b(), id)
    expect({ ...after, seenAt: 0 }).toEqual({ ...before, seenAt: 0 })
    expect(after.previous).toBe(base)
  })

  test('is refused when current is another than the base, where the store can compare', async () => {
    const { id, base } = await fresh(b())
    const attempt = attemptFrom(base)
    await b().store.stage(id, attempt, planted('second'), signal())
    await b().harness.overwrite(id, 'a person was here')
    const promotion = b().store.promote(id, attempt, signal())
    if (b().store.facts.compareAndSet) await refusal(promotion, 'conflict/current-moved')
    else await promotion
    const read = await b().harness.ordinaryRead(id)
    expect(read).toBe(b().store.facts.compareAndSet ? 'a person was here' : `${PLANTED} second`)
  })

  test('of an attempt that was fenced comes too late, where the store can be fenced', async () => {
    const { id, base } = await fresh(b())
    const late = attemptFrom(base)
    await b().store.stage(id, late, planted('leaked'), signal())
    await b().store.drop(id, late.token, signal())
    const fence = attemptFrom(base)
    await b().store.stage(id, fence, planted('first'), signal())
    await b().store.promote(id, fence, signal())
    const promotion = b().store.promote(id, late, signal())
    if (b().store.facts.fence) await refusal(promotion, 'conflict/current-moved')
    else await promotion.catch(() => undefined)
    if (b().store.facts.fence) expect(await b().harness.ordinaryRead(id)).toBe(`${PLANTED} first`)
  })

  test('of a token that staged nothing is refused, and current stays', async () => {
    const { id, base } = await fresh(b())
    await refusal(b().store.promote(id, attemptFrom(base), signal()), 'not-found/version')
    expect((await look(b(), id)).current).toBe(base)
  })

  test('many times over keeps current and previous readable', async () => {
    const { id, base } = await fresh(b())
    let before = base
    for (let n = 1; n <= 15; n++) {
      const attempt = attemptFrom(before)
      await b().store.stage(id, attempt, planted(`value ${n}`), signal())
      await b().store.promote(id, attempt, signal())
      await b().store.drop(id, attempt.token, signal())
      const facts = await look(b(), id)
      expect(facts.previous).toBe(before)
      before = facts.current ?? ''
      expect((await b().store.read(id, before, signal()))?.text.reveal()).toBe(`${PLANTED} value ${n}`)
    }
  })
}

function dropOnly(b: () => Bench): void {
  test('takes the pending, spends the token, and leaves current and previous', async () => {
    const { id, base, current } = await rotated(b())
    const attempt = attemptFrom(current)
    await b().store.stage(id, attempt, planted('third'), signal())
    const seen = await readWhile(b(), id, () => b().store.drop(id, attempt.token, signal()))
    expect(new Set(seen)).toEqual(new Set([`${PLANTED} second`]))
    expect(await look(b(), id)).toMatchObject({ current, previous: base, pendings: [] })
  })

  test('may be repeated, and of a token that holds nothing succeeds', async () => {
    const { id, base } = await fresh(b())
    const attempt = attemptFrom(base)
    await b().store.stage(id, attempt, planted('second'), signal())
    for (const _ of [1, 2]) await b().store.drop(id, attempt.token, signal())
    await b().store.drop(id, token(), signal())
    expect(await look(b(), id)).toMatchObject({ current: base, pendings: [] })
  })

  test('never touches another token’s pending', async () => {
    const { id, base } = await fresh(b())
    const first = attemptFrom(base)
    await b().store.stage(id, first, planted('second'), signal())
    await b().store.drop(id, token(), signal())
    expect((await look(b(), id)).pendings).toMatchObject([{ token: first.token, base }])
  })

  test('makes room for another attempt', async () => {
    const { id, base } = await fresh(b())
    const first = attemptFrom(base)
    await b().store.stage(id, first, planted('second'), signal())
    await b().store.drop(id, first.token, signal())
    const second = attemptFrom(base)
    await b().store.stage(id, second, planted('third'), signal())
    expect((await look(b(), id)).pendings).toMatchObject([{ token: second.token, base }])
  })

  test('of a secret that is not there is not-found', async () => {
    await refusal(b().store.drop('suite-never-made', token(), signal()), 'not-found/secret')
  })
}
