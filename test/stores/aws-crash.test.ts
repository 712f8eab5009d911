import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasCode, type KeyturnError } from '../../shared/errors.ts'
import type { Token } from '../../shared/types.ts'
import { attemptFrom, type Bench, bench, fresh, look, planted, signal, token } from '../conformance/store-harness.ts'
import { type AwsHarness, marks, startAws } from './aws-harness.ts'

let aws: AwsHarness
let b: Bench
beforeAll(async () => {
  aws = await startAws(1)
  b = bench(aws)
})
afterAll(() => aws.close())

/** What a run does, as the core does it: carry on what is pending, else make a value. */
async function run(id: string, t: Token, value: string, claims: boolean): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    const facts = await look(b, id)
    const base = facts.current ?? ''
    const [p] = facts.pendings
    if (!p && facts.currentToken === t) return
    const attempt = { token: p?.token ?? t, base: p?.base ?? base, driver: p?.driver ?? ('keyturn' as const) }
    if (!p || p.claimedAt !== undefined) {
      if (claims && !p) await b.store.claim(id, attempt, [], signal())
      const staged = b.store.stage(id, attempt, planted(value), signal())
      await staged.catch((e: unknown) => {
        if (!hasCode(e, 'conflict/pending-other')) throw e
      })
    } else if (p.version === base || p.base !== base) await b.store.drop(id, p.token, signal())
    else await b.store.promote(id, attempt, signal())
  }
  throw new Error('it does not converge')
}

describe('a run that dies', () => {
  const WRITES = ['PutSecretValue', 'UpdateSecretVersionStage']
  const cases = ['before', 'lost'].flatMap((fault) =>
    [true, false].map((claims) => [fault, claims] as ['before' | 'lost', boolean])
  )
  for (const [fault, claims] of cases) {
    const when = `${fault === 'before' ? 'before' : 'after'} any write${claims ? ', with a claim' : ''}`
    test(`${when}, is carried on by the same request, with another value in hand`, async () => {
      let survived = false
      for (let nth = 0; !survived; nth++) {
        const { id } = await fresh(b)
        const t = token()
        let writes = 0
        let dead = false
        aws.double.setFault(({ op }) => {
          if (dead) return 'before'
          if (!WRITES.includes(op) || writes++ < nth) return undefined
          dead = true
          return fault
        })
        const said = await run(id, t, `first ${nth}`, claims).catch((e: unknown) => e)
        aws.double.setFault(undefined)
        survived = said === undefined
        if (!survived) expect(said).toMatchObject({ code: 'unavailable/store' })
        await run(id, t, `second ${nth}`, claims)
        const facts = await look(b, id)
        expect(facts).toMatchObject({ currentToken: t, pendings: [] })
        // Once more, by another request: what the dead run left is gone.
        await run(id, token(), 'third', claims)
        expect({ nth, marks: marks(aws, id) }).toEqual({ nth, marks: [] })
        if (survived) expect(nth).toBe(claims ? 8 : 5)
      }
    })
  }

  test('loses any answer, and the same call again succeeds', async () => {
    for (const op of WRITES)
      for (const nth of [0, 1, 2]) {
        const { id, base } = await fresh(b)
        const attempt = attemptFrom(base)
        const calls = [
          () => b.store.claim(id, attempt, ['K'], signal()),
          () => b.store.stage(id, attempt, planted('second'), signal()),
          () => b.store.promote(id, attempt, signal()),
          () => b.store.drop(id, attempt.token, signal())
        ]
        for (const call of calls) {
          let seen = 0
          aws.double.setFault((c) => (c.op === op && seen++ === nth ? 'lost' : undefined))
          const said = await call().catch((e: KeyturnError) => e.code)
          aws.double.setFault(undefined)
          expect([undefined, 'unavailable/store']).toContain(said)
          // A claim is given once: whoever lost the answer cannot tell his own from another's.
          const again = await call().catch((e: KeyturnError) => e.code)
          expect([undefined, ...(call === calls[0] ? ['busy/claimed'] : [])]).toContain(again)
        }
        expect(await look(b, id)).toMatchObject({ currentToken: attempt.token, previous: base, pendings: [] })
        expect(marks(aws, id)).toEqual([])
      }
  })
})
