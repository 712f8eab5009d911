import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Credential } from '../../shared/ports/target.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { type Pgbouncer, pgbouncerIsInstalled, startPgbouncer } from '../servers/pgbouncer.ts'
import { startPostgresProxy } from '../servers/postgres-proxy.ts'
import { type Standby, startStandby } from '../servers/standby.ts'
import { adminOf, FIRST_PASSWORD, holding, NOBODY_KNOWN, passwordOf, rotate, startWorld, type World } from './postgres-world.ts'

const inLog = (credential: Credential) => new RegExp(`password authentication failed for user "${credential.principal}"`)

describe('readers', () => {
  let w: World
  let reader: Standby
  beforeAll(async () => {
    w = await startWorld({ version: 17 })
    reader = await startStandby(w.server)
  })
  afterAll(async () => {
    await reader.stop()
    await w.stop()
  })
  const secret = async () => {
    const pair = await w.pair()
    const current = w.credential(pair, { endpoints: [{ host: 'localhost', port: reader.port, role: 'reader' }] })
    await reader.catchUp()
    return current
  }

  it('are logged in to as well, each once, and no login fails on the way', async () => {
    const current = await secret()
    const next = await rotate(w.target(), current)
    expect(reader.readLog()).toMatch(new RegExp(`authorized: user=${next.principal}`))
    expect(reader.readLog()).not.toMatch(inLog(next))
  })

  it('that lag are waited for, and learn of the password without a failed login', async () => {
    const current = await secret()
    const target = w.target()
    const next = await target.propose(current, {}, 't', soon())
    await reader.pauseReplay()
    await holding(target, current, (hold) => hold.apply(next, NOBODY_KNOWN, soon()))
    const verdict = target.verify(next, {}, soon())
    while (
      (await reader.query("SELECT FROM pg_stat_activity WHERE query LIKE '%shobj_description%' AND pid <> pg_backend_pid()"))
        .length === 0
    );
    await reader.resumeReplay()
    expect(await verdict).toBe('accepted')
    expect(reader.readLog()).not.toMatch(inLog(next))
  })

  it('that lag for longer than the bound stop the rotation: nothing is promoted', async () => {
    const current = await secret()
    const target = w.target({ replicaBoundMs: 300 })
    const next = await target.propose(current, {}, 't', soon())
    await reader.pauseReplay()
    await holding(target, current, (hold) => hold.apply(next, NOBODY_KNOWN, soon()))
    const e = await refusal(target.verify(next, {}, soon()), next)
    expect([e.code, e.retryable]).toEqual(['unavailable/replica-lag', true])
    await reader.resumeReplay()
    expect(await target.verify(next, {}, soon())).toBe('accepted')
  })

  it('of a secret without an admin are tried a few times and no more', async () => {
    const [a] = await w.pair()
    await reader.catchUp()
    const target = w.target({ admin: undefined, replicaBoundMs: 400 })
    const endpoints = [{ host: 'localhost', port: reader.port, role: 'reader' }]
    const current = target.inspect(w.document({ username: a, endpoints }), {})
    const next = await target.propose(current, {}, 't', soon())
    await reader.pauseReplay()
    await holding(target, current, (hold) => hold.apply(next, NOBODY_KNOWN, soon()))
    expect((await refusal(target.verify(next, {}, soon()), next)).code).toBe('unavailable/replica-lag')
    expect(reader.readLog().match(new RegExp(inLog(next), 'g'))).toHaveLength(3)
    await reader.resumeReplay()
    await reader.catchUp()
    expect(await target.verify(next, {}, soon())).toBe('accepted')
  })

  it('count in usage and retirement: a session there keeps the old half alive, and is ended when told so', async () => {
    const current = await secret()
    const next = await rotate(w.target(), current)
    const there = await w.connect(current.principal, FIRST_PASSWORD, { port: reader.port, application_name: 'a report' })
    await holding(w.target(), next, async (hold) => {
      const used = await hold.usage(current, soon())
      expect(used).toEqual({
        state: 'used',
        sessions: [{ principal: current.principal, address: '127.0.0.1', application: 'a report', count: 1 }]
      })
      expect((await refusal(hold.retire(current, { endSessions: false }, soon()))).code).toBe('conflict/in-use')
      expect(await hold.retire(current, { endSessions: true }, soon())).toMatchObject({ sessionsEnded: 1, refusal: '28P01' })
    })
    await expect(there.query('SELECT 1')).rejects.toThrow()
    await expect(w.connect(current.principal, FIRST_PASSWORD, { port: reader.port })).rejects.toMatchObject({ code: '28P01' })
  })

  it('that cannot be reached make usage unknown, which is not "unused"', async () => {
    const pair = await w.pair()
    const proxy = await startPostgresProxy(reader)
    const endpoints = [{ host: 'localhost', port: proxy.port, role: 'reader' }]
    const current = w.credential(pair, { endpoints })
    await proxy.stop()
    await holding(w.target(), current, async (hold) => {
      expect(await hold.usage(current, soon())).toMatchObject({
        state: 'cannot-tell',
        why: expect.stringContaining('unavailable/host')
      })
      expect((await refusal(hold.retire(current, { endSessions: false }, soon()))).code).toBe('conflict/in-use')
    })
  })

  it('are no place for the lock', async () => {
    const pair = await w.pair()
    const current = w.credential(pair, { port: reader.port })
    await reader.catchUp()
    const e = await refusal(w.target().hold(current, {}, soon()), current)
    expect([e.code, e.retryable]).toEqual(['unavailable/read-only', true])
    expect((await w.target().preflight(current, {}, soon())).map(({ code }) => code)).toContain('unavailable/read-only')
  })
})

if (pgbouncerIsInstalled())
  describe.each(['transaction', 'session'] as const)('a pooler in %s mode', (mode) => {
    let w: World
    let pooler: Pgbouncer
    beforeAll(async () => {
      w = await startWorld({ version: 17 })
      pooler = await startPgbouncer({ server: w.server, mode, users: 'auth_query' })
    })
    afterAll(async () => {
      await pooler.stop()
      await w.stop()
    })
    const endpoint = (port: number) => ({
      endpoints: [{ host: 'localhost', port, role: 'pooler' }],
      verifyQuery: 'SELECT count(*) > 0 FROM pg_class'
    })

    it('that looks passwords up is verified through', async () => {
      const next = await rotate(w.target(), w.credential(await w.pair(), endpoint(pooler.port)))
      expect(pooler.readLog()).toContain(`${next.principal}@`)
    })

    it('that does not know the new half stops the rotation, and current goes on', async () => {
      const [a, b] = await w.pair()
      await using deaf = await startPgbouncer({ server: w.server, mode, users: { [a]: FIRST_PASSWORD } })
      const current = w.credential([a, b], endpoint(deaf.port))
      const target = w.target()
      const e = await refusal(rotate(target, current), current)
      expect(e.code).toBe('denied/pooler')
      expect(await target.verify(current, {}, soon())).toBe('accepted')
      const next = await target.propose(current, {}, 't', soon())
      await holding(target, current, (hold) => hold.apply(next, NOBODY_KNOWN, soon()))
      await deaf.setUsers({ [a]: FIRST_PASSWORD, [b]: passwordOf(next) })
      expect(await target.verify(next, {}, soon())).toBe('accepted')
    })

    it('between us and the server is no place for the lock, even with one server connection', async () => {
      await using narrow = await startPgbouncer({
        server: w.server,
        mode,
        users: 'auth_query',
        settings: { default_pool_size: '1' }
      })
      const current = w.credential(await w.pair(), { port: narrow.port })
      expect((await refusal(w.target({ admin: adminOf() }).hold(current, {}, soon()), current)).code).toBe('invalid/pooler')
      expect((await w.target().preflight(current, {}, soon())).map(({ code }) => code)).toContain('invalid/pooler')
      // The admin's own secret may name the server behind it, when its reader vouches for that.
      const direct = w.target({ admin: adminOf({ port: w.server.port, host: '127.0.0.1', hostIsChecked: true }) })
      await rotate(direct, current)
    })

    it('has nothing left in it of what we set', async () => {
      const pair = await w.pair()
      await rotate(w.target(), w.credential(pair, endpoint(pooler.port)))
      const client = await w.connect(pair[0], FIRST_PASSWORD, { port: pooler.port })
      const seen = await client.query(
        "SELECT current_setting('search_path') p, current_setting('statement_timeout') t, current_user::text u"
      )
      expect(seen.rows).toEqual([{ p: '"$user", public', t: '0', u: pair[0] }])
      await client.end()
    })
  })
