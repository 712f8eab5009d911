import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { refusal, soon } from '../conformance/target-harness.ts'
import { holding, NOBODY_KNOWN, passwordOf, rotate, startWorld, VERSIONS, type World } from './postgres-world.ts'

describe.each(VERSIONS)('one login that changes its own password, on Postgres %i', (version) => {
  let w: World
  beforeAll(async () => {
    w = await startWorld({ version })
  })
  afterAll(() => w.stop())

  const alone = async () => {
    const [a] = await w.pair()
    const target = w.target({ admin: undefined })
    return { a, target, current: target.inspect(w.document({ username: a }), {}) }
  }

  it('needs no right at all, and says that there is no overlap', async () => {
    const { target, current } = await alone()
    expect(current).toMatchObject({ overlap: false, authority: 'self', counterpart: undefined })
    const problems = await target.preflight(current, {}, soon())
    expect(problems).toEqual([expect.objectContaining({ code: 'unsupported/overlap', fatal: false })])
    const next = await rotate(target, current)
    expect(next.principal).toBe(current.principal)
    expect(await target.verify(current, {}, soon())).toBe('rejected')
  })

  it('killed between apply and promote: current is refused, the pending opens the hold, and applies again', async () => {
    const { target, current } = await alone()
    const next = await target.propose(current, {}, 't', soon())
    await holding(target, current, (hold) => hold.apply(next, NOBODY_KNOWN, soon()))
    expect((await refusal(target.hold(current, {}, soon()), current)).code).toBe('denied/login')
    await holding(target, next, (hold) => hold.apply(next, NOBODY_KNOWN, soon()))
    expect(await target.verify(next, {}, soon())).toBe('accepted')
  })

  it('that acts as another role changes its password as itself', async () => {
    const { a, target, current } = await alone()
    const owner = w.name('owner')
    await w.sql(`CREATE ROLE ${owner}; GRANT ${owner} TO ${a}; ALTER ROLE ${a} SET role TO ${owner}`)
    const next = await rotate(target, current)
    const client = await w.connect(a, passwordOf(next))
    expect((await client.query('SELECT current_user::text u')).rows).toEqual([{ u: owner }])
    await client.end()
  })

  it('is found to have a twin by its mark, where the process knows the document only', async () => {
    const [a, b] = await w.pair()
    const next = await rotate(w.target(), w.credential([a, b]))
    const { target } = await alone()
    const bare = target.inspect(w.document({ username: b, password: passwordOf(next) }), {})
    expect(await target.verify(bare, {}, soon())).toBe('accepted')
  })
})
