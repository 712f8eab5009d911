import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import type { PostgresSettings } from '../../shared/targets/postgres.ts'
import { SecretText } from '../../shared/types.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { ADMIN, adminOf, holding, NOBODY_KNOWN, rotate, startWorld, VERSIONS, type World } from './postgres-world.ts'

describe.each(VERSIONS)('the admin on Postgres %i', (version) => {
  let w: World
  beforeAll(async () => {
    w = await startWorld({ version })
  })
  afterAll(() => w.stop())

  const admin = (username: string, password = ADMIN.password): NonNullable<PostgresSettings['admin']> =>
    adminOf({ username, password: new SecretText(password) })
  const fatal = async (settings: PostgresSettings, current = w.credential(['x', 'y'])) =>
    (await w.target(settings).preflight(current, {}, soon()))
      .filter((p) => p.fatal)
      .map(({ code, message }) => `${code}: ${message}`)

  it('needs no superuser, reads no pg_authid and names no attribute that it may not touch', async () => {
    const pair = await w.pair()
    expect(
      await w.sql(
        `SELECT rolsuper, has_table_privilege('${ADMIN.username}', 'pg_authid', 'SELECT') r FROM pg_roles WHERE rolname = '${ADMIN.username}'`
      )
    ).toEqual([{ rolsuper: false, r: false }])
    await rotate(w.target(), w.credential(pair))
  })

  it('that lacks a right is told by preflight and by apply exactly what to run', async () => {
    const [a, b] = await w.pair()
    const poor = w.name('poor')
    await w.sql(`CREATE ROLE ${poor} LOGIN PASSWORD '${ADMIN.password}'`)
    const current = w.credential([a, b])
    const target = w.target({ admin: admin(poor) })
    const e = await refusal(rotate(target, current), current)
    expect(e.code).toBe('denied/admin-option')
    expect(e.message).toContain(`ALTER ROLE "${poor}" CREATEROLE`)
    expect(await fatal({ admin: admin(poor) }, current)).toContain(`denied/admin-option: ${e.message}`)
    // What it says is enough.
    const statements = e.message.slice(e.message.indexOf('ALTER ROLE'))
    await w.sql(statements)
    await rotate(target, current)
    expect(statements.includes('WITH ADMIN OPTION')).toBe(version >= 16)
  })

  it('may not alter a superuser unless it is one', async () => {
    const [a, b] = await w.pair()
    await w.sql(`ALTER ROLE ${b} SUPERUSER`)
    const e = await refusal(rotate(w.target(), w.credential([a, b])))
    expect([e.code, e.message]).toEqual(['denied/admin-option', expect.stringContaining('superuser')])
  })

  it.each(['rds_iam', 'cloudsqliamuser'])('is told that a member of %s logs in with tokens only', async (group) => {
    const [a, b] = await w.pair()
    const between = w.name('between')
    await w.sql(`CREATE ROLE ${group}; CREATE ROLE ${between} IN ROLE ${group}; GRANT ${between} TO ${b}`)
    const current = w.credential([a, b])
    expect((await refusal(rotate(w.target(), current), current)).code).toBe('denied/iam-login')
    expect((await fatal({}, current)).join()).toContain(`denied/iam-login: ${b} belongs to ${group}`)
    await w.sql(`DROP ROLE ${group}`)
  })

  it('whose own password was rotated a moment ago is read once more, and no more than that', async () => {
    const current = w.credential(await w.pair())
    const passwords = ['stale', ADMIN.password]
    let reads = 0
    const rotated = async () => ({ username: ADMIN.username, password: new SecretText(passwords[reads++] ?? 'none') })
    await rotate(w.target({ admin: rotated }), current)
    expect(reads).toBe(2)
    let always = 0
    const stale = async () => {
      always++
      return { username: ADMIN.username, password: new SecretText('stale for ever') }
    }
    expect((await refusal(w.target({ admin: stale }).hold(current, {}, soon()), current)).code).toBe('denied/login')
    expect(always).toBe(2)
  })

  it('that is for another server is refused before it is sent anywhere, unless its reader vouches for the host', async () => {
    const current = w.credential(await w.pair())
    const e = await refusal(w.target({ admin: adminOf({ host: '127.0.0.1' }) }).hold(current, {}, soon()), current)
    expect(e.code).toBe('invalid/host-mismatch')
    await rotate(w.target({ admin: adminOf({ host: '127.0.0.1', hostIsChecked: true }) }), current)
    await rotate(w.target({ admin: adminOf({ host: 'LOCALHOST' }) }), current)
    expect(await fatal({ admin: adminOf({ host: 'elsewhere' }) }, current)).toEqual([
      expect.stringContaining('invalid/host-mismatch')
    ])
  })

  it('that cannot be read is told as its reader told it', async () => {
    const current = w.credential(await w.pair())
    const gone = async () => {
      throw new KeyturnError('not-found/admin-secret', 'no such secret')
    }
    expect((await refusal(w.target({ admin: gone }).hold(current, {}, soon()))).code).toBe('not-found/admin-secret')
    expect((await refusal(w.target({ admin: undefined }).hold(current, {}, soon()))).code).toBe('not-found/admin-secret')
  })

  it('locks in the secret’s database, whatever database its own secret names', async () => {
    await w.sql(`CREATE DATABASE ${w.name('db')}`)
    const pair = await w.pair()
    const current = w.credential(pair, { dbname: 'template1' })
    await holding(w.target({ admin: adminOf({ dbname: 'postgres' }) }), current, async (hold) => {
      await hold.check(soon())
      const rows = await w.sql(
        "SELECT datname FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE locktype = 'advisory'"
      )
      expect(rows).toEqual([{ datname: 'template1' }])
    })
  })

  it('meets a role that somebody else is altering: it waits, and says that it is busy', async () => {
    const [a, b] = await w.pair()
    const target = w.target({ statementTimeoutMs: 300 })
    const current = w.credential([a, b])
    const other = await w.connect(w.server.superuser.user, w.server.superuser.password)
    await other.query(`BEGIN; ALTER ROLE ${b} CONNECTION LIMIT 7`)
    const next = await target.propose(current, {}, 't', soon())
    const e = await holding(target, current, (hold) => refusal(hold.apply(next, NOBODY_KNOWN, soon()), next))
    expect([e.code, e.retryable]).toEqual(['busy/tuple', true])
    await other.query('COMMIT')
    await rotate(w.target(), current)
    await other.end()
  })

  it('meets a role that somebody else altered at the same moment: busy, not a failure', async () => {
    const [a, b] = await w.pair()
    const current = w.credential([a, b])
    const target = w.target()
    const next = await target.propose(current, {}, 't', soon())
    const other = await w.connect(w.server.superuser.user, w.server.superuser.password)
    await other.query(`BEGIN; ALTER ROLE ${b} CONNECTION LIMIT 7`)
    const hold = await target.hold(current, {}, soon())
    const applied = refusal(hold.apply(next, NOBODY_KNOWN, soon()), next)
    while (
      (await w.sql("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'keyturn'")).length === 0
    );
    await other.query('COMMIT')
    expect([(await applied).code, (await applied).vendor]).toEqual(['busy/tuple', 'XX000'])
    await hold.apply(next, NOBODY_KNOWN, soon())
    await hold.release()
    await other.end()
  })
})

describe.each(VERSIONS)('a pair without an admin on Postgres %i', (version) => {
  let w: World
  beforeAll(async () => {
    w = await startWorld({ version })
  })
  afterAll(() => w.stop())

  it(version >= 16 ? 'can go one way only, and preflight says so' : 'goes to and fro where both may create roles', async () => {
    const [a, b] = await w.pair({ attributes: 'CREATEROLE' })
    if (version >= 16) await w.sql(`GRANT ${b} TO ${a} WITH ADMIN OPTION`)
    const target = w.target({ admin: undefined })
    const current = target.inspect(w.document({ username: a, pair: [a, b] }), {})
    expect(current).toMatchObject({ authority: 'self', overlap: true, counterpart: b })
    const problems = await target.preflight(current, {}, soon())
    expect(problems.filter(({ fatal }) => fatal)).toEqual([])
    const next = await rotate(target, current)
    if (version < 16) return void (await rotate(target, next))
    expect(problems.map(({ message }) => message).join()).toContain('no two roles can have ADMIN OPTION on each other')
    const e = await refusal(rotate(target, next), next)
    expect([e.code, e.message]).toEqual([
      'denied/admin-option',
      expect.stringContaining(`GRANT "${a}" TO "${b}" WITH ADMIN OPTION`)
    ])
  })

  it('is told which right its current half lacks', async () => {
    const [a, b] = await w.pair()
    const target = w.target({ admin: undefined })
    const current = target.inspect(w.document({ username: a, pair: [a, b] }), {})
    const e = await refusal(rotate(target, current), current)
    expect([e.code, e.message]).toEqual(['denied/admin-option', expect.stringContaining(`ALTER ROLE "${a}" CREATEROLE`)])
    expect((await target.preflight(current, {}, soon())).map(({ message }) => message)).toContain(e.message)
  })
})
