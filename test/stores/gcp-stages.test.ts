import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { GcpSecretManager } from '../../shared/stores/gcp-secret-manager.ts'
import { attemptFrom, planted, refusal, signal, token } from '../conformance/store-harness.ts'
import { type GcpPlace, gcpPlace } from './gcp-harness.ts'

let place: GcpPlace
beforeAll(async () => {
  place = await gcpPlace({ requestTimeoutMs: 400, maxAttempts: 1 })
})
afterEach(() => place.setFault(undefined))
afterAll(() => place.close())

const fresh = (): Promise<string> => place.fresh('first')
const pendingOf = (id: string) => place.pendingOf(id)

const isSibling = (name: string): boolean => name.endsWith('-pending')
/** The n-th value that is written to a sibling from now on. */
function hitValue(nth: number, fault: 'before' | 'late' | 'lost', meanwhile = (): void => {}): void {
  let seen = 0
  place.setFault(({ op, name }) => {
    if (op !== 'AddSecretVersion' || !isSibling(name)) return undefined
    seen++
    if (seen > nth) meanwhile()
    return seen === nth ? fault : undefined
  })
}

/** How often the sibling was asked for a value: whose it is, what the attempt has, and that once more after a wait. */
async function asksOfSibling(work: () => Promise<unknown>): Promise<number> {
  const from = place.double.calls.length
  await work()
  return place.double.calls.slice(from).filter((c) => c.op === 'AccessSecretVersion' && c.name.includes('-pending/')).length
}

/** Both begin before either is answered. */
async function both(id: string, tokens: readonly [string, string]) {
  const attempts = tokens.map((t) => ({ ...attemptFrom('1'), token: t }))
  const stores: readonly GcpSecretManager[] = [place.store(), place.store()]
  for (const store of stores) await store.describe(id, signal())
  const staged = stores.map((store, n) => store.stage(id, attempts[n] ?? attemptFrom('1'), planted(`value ${n}`), signal()))
  return Promise.allSettled(staged)
}

describe('two processes at once', () => {
  test('with one token keep one value, and the other is told so', async () => {
    for (let n = 0; n < 5; n++) {
      const id = await fresh()
      const t = token()
      const answers = await both(id, [t, t])
      const winner = answers.findIndex((a) => a.status === 'fulfilled')
      expect(answers.filter((a) => a.status === 'fulfilled')).toHaveLength(1)
      expect(answers[1 - winner]).toMatchObject({ reason: { code: 'conflict/token-spent' } })
      expect(await pendingOf(id)).toEqual({ token: t, value: `value ${winner}` })
    }
  })

  test('with two tokens keep one attempt', async () => {
    const id = await fresh()
    const tokens = [token(), token()] as const
    const answers = await both(id, tokens)
    const winner = answers.findIndex((a) => a.status === 'fulfilled')
    expect(answers[1 - winner]).toMatchObject({ reason: { code: 'conflict/pending-other' } })
    expect(await pendingOf(id)).toEqual({ token: tokens[winner], value: `value ${winner}` })
  })
})

describe('an attempt that another one was begun in place of', () => {
  test('is not promoted, and may be asked for again: the other is to end first', async () => {
    const id = await fresh()
    const [store, first, second] = [place.store(), attemptFrom('1'), attemptFrom('1')]
    await store.stage(id, first, planted('second'), signal())
    await refusal(place.store().promote(id, second, signal()), 'conflict/pending-other')
    await place.store().drop(id, first.token, signal())
    await refusal(place.store().promote(id, second, signal()), 'not-found/version')
  })
})

describe('a token that no line has room for, or that would not be one part of it', () => {
  test.each(['t'.repeat(65), '', 'a/b', 'a b', 'a@b', 'a\nb'])('is refused before anything is asked: `%s`', async (t) => {
    const id = await fresh()
    const [store, attempt] = [place.store(), { ...attemptFrom('1'), token: t }]
    const calls = await place.calls(async () => {
      await refusal(store.stage(id, attempt, planted('second'), signal()), 'invalid/request')
      await refusal(store.claim(id, attempt, [], signal()), 'invalid/request')
    })
    expect(calls).toEqual([])
  })

  test('is not one of 64 characters', async () => {
    const [id, attempt] = [await fresh(), { ...attemptFrom('1'), token: 't'.repeat(64) }]
    await place.store().stage(id, attempt, planted('second'), signal())
    expect(await pendingOf(id)).toEqual({ token: attempt.token, value: 'second' })
  })
})

describe('an attempt that was announced and has no value', () => {
  test('is no pending: who announced it died', async () => {
    const id = await fresh()
    hitValue(1, 'before')
    await refusal(place.store().stage(id, attemptFrom('1'), planted('lost'), signal()), 'unavailable/store')
    expect(await pendingOf(id)).toBeUndefined()
  })

  test.each(['the same token', 'another token'])(
    'is taken over by %s, which waits as long as a request can take',
    async (whose) => {
      const id = await fresh()
      const first = attemptFrom('1')
      hitValue(1, 'before')
      await refusal(place.store().stage(id, first, planted('lost'), signal()), 'unavailable/store')
      place.setFault(undefined)
      const second = whose === 'the same token' ? first : attemptFrom('1')
      const began = performance.now()
      await place.store().stage(id, second, planted('second'), signal())
      expect(performance.now() - began).toBeGreaterThan(390)
      expect(await pendingOf(id)).toEqual({ token: second.token, value: 'second' })
    }
  )

  test('is not waited for when it is older than a request can be', async () => {
    const id = await fresh()
    hitValue(1, 'before')
    await refusal(place.store().stage(id, attemptFrom('1'), planted('lost'), signal()), 'unavailable/store')
    place.setFault(undefined)
    place.advance(60_000)
    const asked = await asksOfSibling(() => place.store().stage(id, attemptFrom('1'), planted('second'), signal()))
    expect(asked).toBe(2)
  })

  test('is not taken over where there is no time to wait', async () => {
    const id = await fresh()
    hitValue(1, 'before')
    await refusal(place.store().stage(id, attemptFrom('1'), planted('lost'), signal()), 'unavailable/store')
    place.setFault(undefined)
    await refusal(place.store().stage(id, attemptFrom('1'), planted('second'), AbortSignal.timeout(200)), 'unavailable/store')
    expect(await pendingOf(id)).toBeUndefined()
  })

  test('whose value comes late, after the next one’s, changes nothing', async () => {
    const id = await fresh()
    hitValue(1, 'late')
    await refusal(place.store().stage(id, attemptFrom('1'), planted('late'), signal()), 'unavailable/store')
    place.setFault(undefined)
    const second = attemptFrom('1')
    const store = place.store()
    await store.stage(id, second, planted('second'), signal())
    place.double.landLate()
    expect(await pendingOf(id)).toEqual({ token: second.token, value: 'second' })
    await store.promote(id, second, signal())
    expect((await place.latest(id)).text).toContain('second')
  })

  test('whose value comes late and first, of the same token: it stands, and the second is carried on with it', async () => {
    const id = await fresh()
    const attempt = attemptFrom('1')
    // Created before, so that the late value is the sibling's first.
    await place.create(`${id}-pending`, undefined, {})
    hitValue(1, 'late', () => void place.double.landLate())
    await refusal(place.store().stage(id, attempt, planted('late'), signal()), 'unavailable/store')
    await refusal(place.store().stage(id, attempt, planted('second'), signal()), 'conflict/pending-other')
    expect(await pendingOf(id)).toEqual({ token: attempt.token, value: 'late' })
  })

  test('whose value comes late and first, under the number of another token: it is passed over', async () => {
    const id = await fresh()
    await place.create(`${id}-pending`, undefined, {})
    hitValue(1, 'late', () => void place.double.landLate())
    await refusal(place.store().stage(id, attemptFrom('1'), planted('late'), signal()), 'unavailable/store')
    const second = attemptFrom('1')
    const store = place.store()
    expect(await store.stage(id, second, planted('second'), signal())).toMatchObject({ version: 'pending-2' })
    expect(await pendingOf(id)).toEqual({ token: second.token, value: 'second' })
    await store.promote(id, second, signal())
    expect((await place.latest(id)).text).toContain('second')
  })
})
