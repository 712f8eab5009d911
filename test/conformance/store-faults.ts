import { describe, expect, test } from 'vitest'
import { classOf, KeyturnError } from '../../shared/errors.ts'
import type { Attempt } from '../../shared/ports/secret-store.ts'
import type { SecretId } from '../../shared/types.ts'
import { attemptFrom, type Bench, type Fault, fresh, look, PLANTED, planted, refusal, signal } from './store-harness.ts'

type Call = readonly [name: string, work: (b: Bench, id: SecretId, a: Attempt) => Promise<unknown>]
const value = planted('second')

const LOOKS: readonly Call[] = [
  ['describe', (b, id) => b.store.describe(id, signal())],
  ['read', (b, id, a) => b.store.read(id, a.base, signal())]
]
/** In an order in which each may be done after the one before. */
const WRITES: readonly Call[] = [
  ['claim', (b, id, a) => b.store.claim(id, a, ['K'], signal())],
  ['stage', (b, id, a) => b.store.stage(id, a, value, signal())],
  ['promote', (b, id, a) => b.store.promote(id, a, signal())],
  ['drop', (b, id, a) => b.store.drop(id, a.token, signal())],
  ['annotate', (b, id) => b.store.annotate(id, { owner: 'a', environment: null }, undefined, signal())]
]

const LIST: Call = [
  'list',
  async (b) => {
    for await (const _ of b.store.list(signal()));
  }
]

const EXPECTED: { readonly [F in Fault]?: string } = {
  denied: 'denied',
  'throttled on and on': 'throttled',
  'no answer': 'unavailable',
  disabled: 'disabled'
}

/** Calls with a fault injected, or checks the reason why this store cannot have it. */
async function under(b: Bench, fault: Fault, id: SecretId, work: () => Promise<void>): Promise<void> {
  const inject = b.harness.faults[fault]
  if (typeof inject === 'string') return expect(inject.length).toBeGreaterThan(10)
  const end = await inject(id)
  try {
    await work()
  } finally {
    await end()
  }
}

export function faultTests(b: () => Bench): void {
  describe('when something is wrong', () => {
    for (const [fault, expected] of Object.entries(EXPECTED) as [Fault, string][]) {
      test(`${fault}: every call says so, and none takes effect`, async () => {
        const { id, base } = await fresh(b())
        const attempt = attemptFrom(base)
        await under(b(), fault, id, async () => {
          // A disabled secret is no fault of the list.
          for (const [name, call] of [...LOOKS, ...WRITES, ...(fault === 'disabled' ? [] : [LIST])]) {
            const said = await call(b(), id, attempt).catch((e: unknown) => e)
            expect(said, name).toBeInstanceOf(KeyturnError)
            expect(classOf((said as KeyturnError).code), name).toBe(expected)
          }
        })
        expect(await look(b(), id)).toMatchObject({ current: base, pendings: [], metadata: { kind: 'postgres' } })
      })
    }

    test('throttled a little: every call succeeds all the same', async () => {
      const { id, base } = await fresh(b())
      const attempt = attemptFrom(base)
      for (const [, call] of [...LOOKS, LIST, ...WRITES])
        await under(b(), 'throttled a little', id, async () => void (await call(b(), id, attempt)))
      const inject = b().harness.faults['throttled a little']
      if (typeof inject !== 'string') expect(await b().harness.ordinaryRead(id)).toBe(`${PLANTED} second`)
    })

    test('a lost answer is no answer: the effect may be there, and calling again succeeds, or finds the claim', async () => {
      const { id, base } = await fresh(b())
      const attempt = attemptFrom(base)
      for (const [name, call] of WRITES) {
        await under(b(), 'lost answer', id, async () => {
          const said = await call(b(), id, attempt).catch((e: unknown) => e)
          if (said !== undefined) expect(said, name).toMatchObject({ code: 'unavailable/store' })
          const again = await call(b(), id, attempt).catch((e: unknown) => e)
          // A claim is given once: whoever lost the answer cannot tell his own from another's.
          if (again instanceof KeyturnError) expect([name, again.code]).toEqual(['claim', 'busy/claimed'])
        })
      }
      expect(await look(b(), id)).toMatchObject({
        previous: base,
        currentToken: attempt.token,
        pendings: [],
        metadata: { owner: 'a' }
      })
      expect(await b().harness.ordinaryRead(id)).toBe(`${PLANTED} second`)
    })

    test('a signal that is over ends the wait', async () => {
      const { id, base } = await fresh(b())
      await refusal(b().store.describe(id, AbortSignal.abort()), 'unavailable/store')
      await refusal(b().store.stage(id, attemptFrom(base), value, AbortSignal.abort()), 'unavailable/store')
      expect((await look(b(), id)).pendings).toEqual([])
    })
  })
}
