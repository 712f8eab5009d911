import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SecretText } from '../../shared/types.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { type PostgresProxy, startPostgresProxy } from '../servers/postgres-proxy.ts'
import { adminOf, FIRST_PASSWORD, holding, rotate, startWorld, VERSIONS, type World } from './postgres-world.ts'

describe.each(VERSIONS)('the end of a half on Postgres %i', (version) => {
  let w: World
  beforeAll(async () => {
    w = await startWorld({ version })
    await w.sql(`CREATE ROLE dim LOGIN CREATEROLE PASSWORD 'a dim admin'`)
  })
  afterAll(() => w.stop())

  const dim = () => w.target({ admin: adminOf({ username: 'dim', password: new SecretText('a dim admin') }) })
  const rotated = async () => {
    const pair = await w.pair()
    await w.sql(`GRANT ${pair[0]}, ${pair[1]} TO dim WITH ADMIN OPTION${version >= 16 ? ', INHERIT FALSE, SET FALSE' : ''}`)
    const old = w.credential(pair)
    return { old, next: await rotate(w.target(), old) }
  }
  const hash = (name: string) => w.sql(`SELECT rolpassword FROM pg_authid WHERE rolname = '${name}'`)

  if (version >= 16)
    it('by an admin that sees little: sessions are counted, addresses hidden, and what it may not end it says before anything is changed', async () => {
      const { old, next } = await rotated()
      const there = await w.connect(old.principal, FIRST_PASSWORD, { application_name: 'somebody' })
      const before = await hash(old.principal)
      await holding(dim(), next, async (hold) => {
        expect(await hold.usage(old, soon())).toEqual({
          state: 'used',
          sessions: [{ principal: old.principal, address: 'hidden', application: 'somebody', count: 1 }]
        })
        expect((await refusal(hold.retire(old, { endSessions: false }, soon()))).code).toBe('conflict/in-use')
        const e = await refusal(hold.retire(old, { endSessions: true }, soon()))
        expect([e.code, e.message]).toEqual(['denied/privilege', expect.stringContaining('GRANT pg_signal_backend TO "dim"')])
      })
      expect(await hash(old.principal)).toEqual(before)
      expect((await dim().preflight(next, {}, soon())).map(({ message }) => message).join()).toContain('pg_signal_backend')
      await there.end()
    })

  it('names who is there, in every database, at most ten of them', async () => {
    const { old, next } = await rotated()
    const clients = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        w.connect(old.principal, FIRST_PASSWORD, { application_name: `app ${n}`, database: n === 0 ? 'template1' : 'postgres' })
      )
    )
    const e = await holding(w.target(), next, (hold) => refusal(hold.retire(old, { endSessions: false }, soon())))
    expect(e.message).toMatch(/1 from 127\.0\.0\.1 \(app \d+\).* and 2 more$/)
    const proof = await holding(w.target(), next, (hold) => hold.retire(old, { endSessions: true }, soon()))
    expect(proof.sessionsEnded).toBe(12)
    for (const client of clients) await client.end().catch(() => {})
  })

  it('spares replication, and says that it is there', async () => {
    const { old, next } = await rotated()
    await w.sql(`ALTER ROLE ${old.principal} REPLICATION`)
    const { host, port, caPem } = w.server
    const login = { host, port, user: old.principal, password: FIRST_PASSWORD, database: 'postgres', ssl: { ca: caPem } }
    const walsender = new Client({ ...login, replication: 'database', application_name: 'a slot' } as ConstructorParameters<
      typeof Client
    >[0])
    walsender.on('error', () => {})
    await walsender.connect()
    const retire = () => holding(w.target(), next, (hold) => refusal(hold.retire(old, { endSessions: true }, soon())))
    // Before 16 only a superuser may alter who may replicate.
    if (version < 16) {
      expect(await retire()).toMatchObject({ code: 'denied/admin-option', message: expect.stringContaining('REPLICATION') })
      await w.sql('ALTER ROLE keyturn_admin SUPERUSER')
    }
    expect(await retire()).toMatchObject({ code: 'conflict/in-use', message: expect.stringContaining('a slot') })
    await w.sql('ALTER ROLE keyturn_admin NOSUPERUSER')
    expect((await walsender.query('IDENTIFY_SYSTEM')).rows).toHaveLength(1)
    await walsender.end()
  })

  it('takes exactly one failed login, and ends who came in between', async () => {
    const pair = await w.pair()
    const proxy = await startPostgresProxy(w.server)
    const old = w.target().inspect(w.document({ username: pair[0], pair, masterarn: 'x', port: proxy.port }), {})
    const next = await rotate(w.target(), old)
    const late = letIn(w, proxy, old.principal)
    const proof = await holding(w.target(), next, (hold) => hold.retire(old, { endSessions: true }, soon()))
    expect(proof).toMatchObject({ sessionsEnded: 1, endpoint: `localhost:${proxy.port}` })
    await expect((await late())?.query('SELECT 1')).rejects.toThrow()
    expect(proxy.logins().filter(({ outcome }) => outcome === 'failed')).toEqual([
      { user: old.principal, database: 'postgres', outcome: 'failed', code: '28P01' }
    ])
    await proxy.stop()
  })

  it('that is not told to end sessions leaves who came in between for the next try', async () => {
    const pair = await w.pair()
    const proxy = await startPostgresProxy(w.server)
    const old = w.target().inspect(w.document({ username: pair[0], pair, masterarn: 'x', port: proxy.port }), {})
    const next = await rotate(w.target(), old)
    const late = letIn(w, proxy, old.principal)
    const again = () => holding(w.target(), next, (hold) => hold.retire(old, { endSessions: false }, soon()))
    expect((await refusal(again())).code).toBe('conflict/in-use')
    await (await late())?.end()
    while ((await w.sql(`SELECT FROM pg_stat_activity WHERE usename = '${old.principal}'`)).length > 0);
    expect((await again()).refusal).toBe('28P01')
    await proxy.stop()
  })
})

/** Right before the password is replaced, somebody still gets in. */
function letIn(w: World, proxy: PostgresProxy, principal: string): () => Promise<Client> | undefined {
  let late: Promise<Client> | undefined
  proxy.setHook({
    decide: async ({ text }) => {
      if (!text.startsWith('ALTER ROLE')) return 'pass' as const
      late ??= w.connect(principal, FIRST_PASSWORD)
      await late
      return 'pass' as const
    }
  })
  return () => late
}

describe('a proof', () => {
  it('is not taken from a refusal that came before the password was looked at', async () => {
    const w = await startWorld({
      version: 18,
      hba: ['hostssl all shut 127.0.0.1/32 reject', 'hostssl all all 127.0.0.1/32 scram-sha-256']
    })
    const [a, b] = await w.pair({ a: 'shut' })
    const next = await rotate(w.target(), w.credential([a, b]))
    const e = await holding(w.target(), next, (hold) => refusal(hold.retire(w.credential([a, b]), { endSessions: true }, soon())))
    expect(e.code).toBe('denied/hba')
    await w.stop()
  })

  it('is not to be had where the server lets everybody in, and that is said aloud', async () => {
    const w = await startWorld({
      version: 18,
      hba: ['hostssl all postgres all scram-sha-256', 'hostssl all all 127.0.0.1/32 trust']
    })
    const old = w.credential(await w.pair())
    const next = await rotate(w.target(), old)
    const e = await holding(w.target(), next, (hold) => refusal(hold.retire(old, { endSessions: true }, soon()), old))
    expect(e.code).toBe('bug/proof')
    await w.stop()
  })
})
