import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Credential } from '../../shared/ports/target.ts'
import { SecretText } from '../../shared/types.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { FIRST_PASSWORD, holding, passwordOf, quoted, rotate, startWorld, VERSIONS, type World } from './postgres-world.ts'

describe.each(VERSIONS)('a clone on Postgres %i', (version) => {
  let w: World
  beforeAll(async () => {
    w = await startWorld({ version })
  })
  afterAll(() => w.stop())

  /** A base login that the admin may alter, and a secret as AWS's console makes it. */
  const base = async (name = w.name('app'), attributes = '') => {
    await w.sql(
      `CREATE ROLE ${quoted(name)} LOGIN PASSWORD '${FIRST_PASSWORD}' ${attributes}; GRANT ${quoted(name)} TO keyturn_admin WITH ADMIN OPTION`
    )
    return { name, current: w.target().inspect(w.document({ username: name, masterarn: 'arn:admin' }), {}) }
  }
  /** What AWS's multi-user template runs (SecretsManagerRDSPostgreSQLRotationMultiUser, set_secret). */
  const asAws = async (name: string) => {
    await w.sql(`SET ROLE keyturn_admin; CREATE ROLE ${quoted(`${name}_clone`)} WITH LOGIN PASSWORD '${FIRST_PASSWORD}';
      GRANT ${quoted(name)} TO ${quoted(`${name}_clone`)}`)
    return w.target().inspect(w.document({ username: `${name}_clone`, masterarn: 'arn:admin' }), {})
  }
  const work = async (credential: Credential, sql: string) => {
    const client = await w.connect(credential.principal, passwordOf(credential))
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }
  const marks = (name: string) => w.sql(`SELECT shobj_description(${`'${quoted(name)}'`}::regrole, 'pg_authid') AS mark`)

  it('is like its base in all that AWS’s clone is not', async () => {
    const { name, current } = await base(undefined, "CONNECTION LIMIT 5 CREATEDB VALID UNTIL '2099-01-01'")
    await w.sql(`ALTER ROLE keyturn_admin CREATEDB; CREATE ROLE ${name}_reader; CREATE SCHEMA ${name} AUTHORIZATION ${name};
      ALTER ROLE ${name} SET search_path TO "$user", public; ALTER ROLE ${name} SET statement_timeout TO '5s';
      ALTER ROLE ${name} IN DATABASE postgres SET work_mem TO '7MB'; SET ROLE ${name}; CREATE TABLE ${name}.t1 (owner text);
      INSERT INTO ${name}.t1 VALUES ('${name}'); ALTER TABLE ${name}.t1 ENABLE ROW LEVEL SECURITY; ALTER TABLE ${name}.t1 FORCE ROW LEVEL SECURITY;
      CREATE POLICY mine ON ${name}.t1 USING (owner = current_user); ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO ${name}_reader`)
    const next = await rotate(w.target(), current)
    const limits = `(SELECT json_agg(json_build_array(rolconnlimit, rolcreatedb, rolvaliduntil)) FROM pg_roles WHERE rolname = session_user) l`
    const sql = `SELECT (SELECT count(*)::int FROM t1) rows, current_setting('statement_timeout') s, current_setting('work_mem') m, ${limits}`
    expect(await work(next, sql)).toEqual(await work(current, sql))
    expect((await work(next, sql))[0]).toMatchObject({ rows: 1, s: '5s', m: '7MB' })
    await work(next, 'CREATE TABLE t2 (x int)')
    expect(await w.sql(`SELECT has_table_privilege('${name}_reader', '${name}.t2', 'SELECT') r`)).toEqual([{ r: true }])
    await work(next, `CREATE DATABASE ${name}_db`)
    const back = await rotate(w.target(), next)
    await work(back, 'INSERT INTO t2 VALUES (1); ALTER TABLE t2 ADD y int; DROP TABLE t2')
    await w.sql(`DROP DATABASE ${name}_db`)
  })

  it('keeps its base’s rights after a pooler’s DISCARD ALL', async () => {
    const { name, current } = await base()
    const next = await rotate(w.target(), current)
    const client = await w.connect(next.principal, passwordOf(next))
    await client.query('DISCARD ALL')
    expect((await client.query('SELECT current_user::text, session_user::text')).rows).toEqual([
      { current_user: name, session_user: `${name}_clone` }
    ])
    await client.end()
  })

  it('that AWS’s template made is adopted as a member of its base, in either direction, and the adoption is recorded', async () => {
    const one = await base()
    await asAws(one.name)
    const clone = await rotate(w.target(), one.current)
    expect(clone.principal).toBe(`${one.name}_clone`)
    expect((await marks(clone.principal))[0]?.mark).toMatch(/^keyturn: pair=/)

    const two = await base()
    const back = await rotate(w.target(), await asAws(two.name))
    expect(back.principal).toBe(two.name)
    expect((await marks(two.name))[0]?.mark).toMatch(/^keyturn: pair=/)
    expect((await rotate(w.target(), back)).principal).toBe(`${two.name}_clone`)
  })

  it('that owns something its base could not use is refused until it is reassigned', async () => {
    const { name } = await base()
    const current = await asAws(name)
    await w.sql(`CREATE TABLE ${name}_t (x int); ALTER TABLE ${name}_t OWNER TO ${name}_clone`)
    const e = await refusal(rotate(w.target(), current), current)
    expect([e.code, e.message]).toEqual(['invalid/parity', expect.stringContaining(`table public.${name}_t`)])
    await w.sql(`REASSIGN OWNED BY ${name}_clone TO ${name}`)
    await rotate(w.target(), current)
  })

  it('is warned of while its base is current', async () => {
    const { name, current } = await base()
    await asAws(name)
    await w.sql(`CREATE TABLE ${name}_t (x int); ALTER TABLE ${name}_t OWNER TO ${name}_clone`)
    const problems = await w.target().preflight(current, {}, soon())
    expect(problems.filter(({ fatal }) => fatal)).toEqual([])
    expect(problems.map(({ message }) => message).join()).toContain('the rotation after the next')
  })

  it('is never somebody else’s role that happens to have the name', async () => {
    const { name, current } = await base()
    await w.sql(
      `CREATE ROLE ${name}_clone LOGIN PASSWORD 'of a stranger'; GRANT ${name}_clone TO keyturn_admin WITH ADMIN OPTION`
    )
    const before = await w.sql(`SELECT * FROM pg_authid WHERE rolname = '${name}_clone'`)
    const e = await refusal(rotate(w.target(), current), current)
    expect(e.code).toBe('conflict/role-not-ours')
    expect((await w.target().preflight(current, {}, soon())).map(({ code }) => code)).toContain('conflict/role-not-ours')
    expect(await w.sql(`SELECT * FROM pg_authid WHERE rolname = '${name}_clone'`)).toEqual(before)
    // Unless the secret's own versions name it.
    const known = [name, `${name}_clone`]
    expect((await w.target().preflight(current, { known }, soon())).map(({ code }) => code)).not.toContain(
      'conflict/role-not-ours'
    )
    const next = await w.target().propose(current, {}, 'token', soon())
    await holding(w.target(), current, (hold) => hold.apply(next, async () => known, soon()))
    expect(await w.target().verify(next, {}, soon())).toBe('accepted')
  })

  it('whose own name ends in _clone does not change an unrelated role that has the rest of it', async () => {
    const sheep = w.name('sheep')
    await base(sheep)
    const { current } = await base(`${sheep}_clone`)
    const before = await w.sql(`SELECT * FROM pg_authid WHERE rolname = '${sheep}'`)
    expect((await refusal(rotate(w.target(), current), current)).code).toBe('conflict/role-not-ours')
    expect(await w.sql(`SELECT * FROM pg_authid WHERE rolname = '${sheep}'`)).toEqual(before)
  })

  it('whose base is gone is refused', async () => {
    const { current } = await base(`${w.name('orphan')}_clone`)
    expect((await refusal(rotate(w.target(), current), current)).code).toBe('not-found/role')
  })

  it('takes over everything of its base while that is NOINHERIT', async () => {
    const group = w.name('group')
    const { name, current } = await base(undefined, 'NOINHERIT')
    await w.sql(`CREATE ROLE ${group}; GRANT ${group} TO ${name}; GRANT ${group} TO keyturn_admin WITH ADMIN OPTION; CREATE TABLE ${name}_t (x int);
      ALTER TABLE ${name}_t OWNER TO ${name}; CREATE TABLE ${group}_t (x int); GRANT SELECT ON ${group}_t TO ${group}`)
    const next = await rotate(w.target(), current)
    expect(await work(next, `SELECT count(*)::int n FROM ${name}_t`)).toEqual([{ n: 0 }])
    await expect(work(next, `SELECT FROM ${group}_t`)).rejects.toMatchObject({ code: '42501' })
    await work(next, `SET ROLE ${group}; SELECT FROM ${group}_t`)
  })

  it('cannot be made without the rights to make it, and the message names them', async () => {
    const { name, current } = await base()
    const poor = w.name('poor')
    await w.sql(`CREATE ROLE ${poor} LOGIN PASSWORD 'poor admin'`)
    const target = w.target({ admin: async () => ({ username: poor, password: new SecretText('poor admin') }) })
    const codes = (await target.preflight(current, {}, soon())).map(({ code, message }) => `${code} ${message}`).join('\n')
    expect(codes).toContain(`denied/admin-option ${poor} may not create ${name}_clone: ALTER ROLE "${poor}" CREATEROLE`)
    expect(codes).toContain(`GRANT "${name}" TO "${poor}" WITH ADMIN OPTION`)
    expect((await refusal(rotate(target, current), current)).code).toMatch(/^denied\//)
    expect(await w.sql(`SELECT FROM pg_roles WHERE rolname = '${name}_clone'`)).toEqual([])
  })
})
