import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Context } from '../../shared/ports/target.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { holding, passwordOf, rotate, startWorld, VERSIONS, type World } from './postgres-world.ts'

const ODD = [
  'Upper Case',
  'a"quote""d',
  "it's",
  `"; DROP TABLE canary; --`,
  `'); DROP TABLE canary; --`,
  'back\\slash\\',
  'select',
  'ünï-çødé-名前-🔑',
  '$user',
  '%s {0} :y ? $1',
  ' leading and trailing ',
  'new\nline\ttab',
  'a/b=c',
  'x'.repeat(63),
  'é'.repeat(31)
]

describe.each(VERSIONS.slice(-1))('names on Postgres %i', (version) => {
  let w: World
  beforeAll(async () => {
    w = await startWorld({ version })
    await w.sql('CREATE TABLE canary ()')
  })
  afterAll(() => w.stop())

  it.each(ODD)('%j are quoted wherever they appear', async (name) => {
    const twin = Buffer.byteLength(name) > 61 ? `${name.slice(0, 25)}2` : `${name} 2`
    const pair = await w.pair({ a: name, b: twin })
    await w.sql(`ALTER ROLE "${name.replaceAll('"', '""')}" SET work_mem TO '5MB'`)
    const target = w.target()
    const back = await rotate(target, await rotate(target, w.credential(pair)))
    expect(back.principal).toBe(name)
    const old = w.credential([twin, name])
    await holding(target, back, async (hold) => {
      expect(await hold.usage(old, soon())).toEqual({ state: 'unused' })
      expect(await hold.retire(old, { endSessions: true }, soon())).toMatchObject({ principal: twin, refusal: '28P01' })
    })
    const client = await w.connect(name, passwordOf(back))
    expect((await client.query('SELECT current_user::text AS u')).rows).toEqual([{ u: name }])
    await client.end()
    expect(await w.sql("SELECT count(*)::int AS n FROM pg_class WHERE relname = 'canary'")).toEqual([{ n: 1 }])
  })

  it('of a clone are refused when base and suffix exceed 63 bytes, before anything is sent', async () => {
    const target = w.target()
    for (const base of ['x'.repeat(58), 'é'.repeat(29), `${'é'.repeat(31)}x`]) {
      const document = w.document({ username: base, masterarn: 'admin' })
      expect((await refusal(() => target.inspect(document, {}))).code).toBe('invalid/name')
    }
    expect(target.inspect(w.document({ username: 'x'.repeat(57), masterarn: 'admin' }), {}).counterpart).toHaveLength(63)
  })

  it('beyond 63 bytes are refused: the server would cut them, and might find another role', async () => {
    const pair = [`${'é'.repeat(31)}xx`, 'b']
    expect((await refusal(() => w.target().inspect(w.document({ username: 'b', pair, masterarn: 'x' }), {}))).code).toBe(
      'invalid/name'
    )
  })

  it('of a pair must be two, one of them the username, and the same in document and metadata', async () => {
    const target = w.target()
    const inspect =
      (pair: string[], metadata = {}) =>
      () =>
        target.inspect(w.document({ username: 'a', pair }), metadata)
    for (const work of [inspect(['a', 'a']), inspect(['b', 'c']), inspect(['a', 'b'], { pair: ['a', 'c'] })])
      expect((await refusal(work)).code).toBe('invalid/pair')
    expect(inspect(['a', 'b'], { pair: ['b', 'a'] })().counterpart).toBe('b')
    expect(target.inspect(w.document({ username: 'a' }), { pair: ['b', 'a'], admin: 'x' })).toMatchObject({
      counterpart: 'b',
      authority: 'admin'
    })
  })

  it('of a pair that another pair or another secret uses are refused', async () => {
    const [a, b] = await w.pair()
    const [c] = await w.pair()
    const target = w.target()
    await rotate(target, w.credential([a, b]))
    const shared = w.credential([c, b])
    expect((await refusal(rotate(target, shared), shared)).code).toBe('conflict/pair-shared')
    expect((await target.preflight(shared, {}, soon())).map(({ code }) => code)).toContain('conflict/pair-shared')

    const [d, e] = await w.pair()
    const mine: Context = { secret: 'arn:one' }
    const theirs: Context = { secret: 'arn:two' }
    await rotate(target, w.credential([d, e]), mine)
    expect((await refusal(rotate(target, w.credential([d, e]), theirs))).code).toBe('conflict/pair-shared')
    const problems = await target.preflight(w.credential([d, e]), theirs, soon())
    expect(problems.map(({ code }) => code)).toContain('conflict/pair-shared')
    await rotate(target, w.credential([d, e]), mine)
    await rotate(target, w.credential([d, e]))
    expect((await refusal(rotate(target, w.credential([d, e]), theirs))).code).toBe('conflict/pair-shared')
  })
})
