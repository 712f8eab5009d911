import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { hasCode } from '../../shared/errors.ts'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import { instant, type Token } from '../../shared/types.ts'
import { attemptFrom, planted, refusal, signal, token } from '../conformance/store-harness.ts'
import { codeOf, type GcpPlace, gcpPlace } from './gcp-harness.ts'
import { gcpPromotions, look } from './gcp-promotions.ts'

let place: GcpPlace
beforeAll(async () => {
  place = await gcpPlace({ maxAttempts: 1, requestTimeoutMs: 200 })
})
afterEach(() => place.setFault(undefined))
afterAll(() => place.close())

const { values } = gcpPromotions(() => place)
const WRITES = ['UpdateSecret', 'AddSecretVersion', 'CreateSecret', 'DestroySecretVersion']

/** What a run does, as the core does it, in a process of its own: carry on what is pending, else make a value. */
async function run(id: string, t: Token, value: string, claims: boolean): Promise<void> {
  const store = place.store()
  for (let turn = 0; turn < 10; turn++) {
    const facts = await look(store, id)
    const base = facts.current ?? ''
    const [p] = facts.pendings
    if (!p && facts.currentToken === t) return
    const attempt = { token: p?.token ?? t, base: p?.base ?? base, driver: p?.driver ?? ('keyturn' as const) }
    if (!p || p.claimedAt !== undefined) {
      if (claims && !p) await store.claim(id, attempt, [], signal())
      await store.stage(id, attempt, planted(value), signal()).catch((e: unknown) => {
        if (!hasCode(e, 'conflict/pending-other')) throw e
      })
    } else if (p.token === facts.currentToken || p.base !== base) await store.drop(id, p.token, signal())
    else await store.promote(id, attempt, signal())
  }
  throw new Error('it does not converge')
}

describe('a run that dies', () => {
  const cases = (['before', 'lost', 'late'] as const).flatMap((fault) => [true, false].map((claims) => [fault, claims] as const))
  test.each(cases)(
    '%s any write (with a claim: %s) is carried on by another process, with another value in hand',
    async (fault, claims) => {
      let survived = false
      for (let nth = 0; !survived; nth++) {
        const id = await place.fresh('first')
        const t = token()
        let writes = 0
        let dead = false
        place.setFault(({ op }) => {
          if (dead) return 'before'
          if (!WRITES.includes(op) || writes++ < nth) return undefined
          dead = true
          return fault
        })
        const said = await codeOf(run(id, t, `first ${nth}`, claims))
        place.setFault(undefined)
        survived = said === undefined && !dead
        if (said !== undefined) expect(said).toBe('unavailable/store')
        await run(id, t, `second ${nth}`, claims)
        place.double.landLate()
        const facts = await look(place.store(), id)
        expect({ nth, ...facts }).toMatchObject({ currentToken: t, pendings: [], previous: '1' })
        // Readers have one of the two values, and it is the one that the look says.
        const [current, ...others] = [values(id).at(-1), ...values(id).slice(1)]
        expect(new Set(others)).toEqual(new Set([current]))
        // Once more, by another request.
        await run(id, token(), 'third', claims)
        expect(values(id).at(-1)).toBe('third')
      }
    }
  )
})

describe('any lost answer', () => {
  test('is no answer, and the same call again succeeds', async () => {
    for (const op of WRITES)
      for (const nth of [0, 1, 2]) {
        const id = await place.fresh('first')
        const [store, attempt] = [place.store(), attemptFrom('1')]
        const calls = [
          () => store.claim(id, attempt, ['K'], signal()),
          () => store.stage(id, attempt, planted('second'), signal()),
          () => store.promote(id, attempt, signal()),
          () => store.drop(id, attempt.token, signal())
        ]
        for (const call of calls) {
          let seen = 0
          place.setFault((c) => (c.op === op && seen++ === nth ? 'lost' : undefined))
          expect([undefined, 'unavailable/store']).toContain(await codeOf(call()))
          place.setFault(undefined)
          // A claim is given once: whoever lost the answer cannot tell his own from another's.
          expect([undefined, ...(call === calls[0] ? ['busy/claimed'] : [])]).toContain(await codeOf(call()))
        }
        const expected = { currentToken: attempt.token, previous: '1', pendings: [] }
        expect(await look(place.store(), id)).toMatchObject(expected)
        expect(values(id)).toEqual(['first', 'second'])
      }
  })
})

describe('a look beside a promotion', () => {
  /** Another process promotes and drops while the look waits before its n-th call. */
  async function lookWhile(nth: number): Promise<readonly [facts: SecretFacts, attempt: Token] | undefined> {
    const id = await place.fresh('first')
    const [other, attempt] = [place.store(), attemptFrom('1')]
    await other.annotate(id, { retired: { version: '0', at: instant(0), refusal: '28P01' } }, undefined, signal())
    await other.stage(id, attempt, planted('second'), signal())
    let calls = 0
    let isOn = true
    place.setFault(async () => {
      if (!isOn || calls++ < nth) return undefined
      isOn = false
      await other.promote(id, attempt, signal())
      await other.drop(id, attempt.token, signal())
      return undefined
    })
    const facts = await look(place.store(), id)
    place.setFault(undefined)
    return isOn ? undefined : [facts, attempt.token]
  }

  test('shows it as under way, or as done, and never as neither', async () => {
    let looks = 0
    for (let nth = 0; ; nth++) {
      const found = await lookWhile(nth)
      if (!found) break
      looks++
      const [facts, t] = found
      const isDone = facts.current === '2' && [t, undefined].includes(facts.pendings[0]?.token)
      const isUnderWay = facts.current === '1' && facts.pendings[0]?.token === t
      expect({ nth, isDone, isUnderWay, current: facts.current }).toMatchObject(isDone ? { isDone } : { isUnderWay: true })
      if (isDone && facts.currentToken !== undefined) expect(facts.currentToken).toBe(t)
      // What was retired before is no news of the promotion.
      if (facts.currentToken === t) expect(facts.metadata.retired).toBeUndefined()
    }
    expect(looks).toBeGreaterThan(3)
  })
})

describe('the lease of a stage', () => {
  test('that is over is proved again before the promotion: by one call more, or the attempt is not promoted', async () => {
    const [kept, lost] = [await place.fresh('first'), await place.fresh('first')]
    const [store, attempt] = [place.store(), attemptFrom('1')]
    for (const id of [kept, lost]) await store.stage(id, attempt, planted('second'), signal())
    await place.store().drop(lost, attempt.token, signal())
    const began = performance.now()
    const later = vi.spyOn(performance, 'now').mockImplementation(() => began + 70_000)
    try {
      const calls = await place.calls(() => store.promote(kept, attempt, signal()))
      expect(calls.slice(0, 2)).toEqual(['GetSecret', 'UpdateSecret'])
      await refusal(store.promote(lost, attempt, signal()), 'not-found/version')
    } finally {
      later.mockRestore()
    }
    expect([values(kept), values(lost)]).toEqual([['first', 'second'], ['first']])
  })

  /** The process is frozen for ten minutes between the question for the next number and the add; `meanwhile` others act. */
  async function frozen(meanwhile: (id: string, t: Token) => Promise<unknown>) {
    const id = await place.fresh('first')
    const [store, attempt] = [place.store(), attemptFrom('1')]
    await store.stage(id, attempt, planted('second'), signal())
    const now = performance.now.bind(performance)
    let aheadMs = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs)
    place.setFault(async ({ op, name }) => {
      if (aheadMs > 0 || op !== 'AccessSecretVersion' || !name.endsWith(`${id}/versions/2`)) return undefined
      aheadMs = 600_000
      await meanwhile(id, attempt.token)
      return undefined
    })
    let code: unknown
    const calls = await place.calls(async () => {
      code = await codeOf(store.promote(id, attempt, signal()))
    })
    clock.mockRestore()
    return { code, calls, values: values(id) }
  }

  test('is asked right before the promotion is sent: where it went by meanwhile, all is asked and proved again', async () => {
    expect(await frozen(async () => {})).toEqual({
      code: undefined,
      calls: ['AccessSecretVersion', 'GetSecret', 'UpdateSecret', 'AccessSecretVersion', 'AddSecretVersion', 'UpdateSecret'],
      values: ['first', 'second']
    })
  })

  test('that went by while another process dropped the attempt is not taken for one: nothing is sent', async () => {
    const dropped = await frozen(async (id, t) => {
      place.setFault(undefined)
      await place.store().drop(id, t, signal())
    })
    expect(dropped).toMatchObject({ code: 'not-found/version', values: ['first'] })
  })

  test('is over where another run of the same process dropped the attempt', async () => {
    const id = await place.fresh('first')
    const [store, attempt] = [place.store(), attemptFrom('1')]
    await store.stage(id, attempt, planted('second'), signal())
    let isDropped = false
    place.setFault(async ({ op, name }) => {
      if (isDropped || op !== 'AccessSecretVersion' || !name.endsWith(`${id}/versions/2`)) return undefined
      isDropped = true
      await store.drop(id, attempt.token, signal())
      return undefined
    })
    await refusal(store.promote(id, attempt, signal()), 'not-found/version')
    expect(values(id)).toEqual(['first'])
  })
})
