import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Credential } from '../../shared/ports/target.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { holding, passwordOf, rotate, startWorld, superuserOf, VERSIONS, type World } from './postgres-world.ts'

describe.each(VERSIONS)('the other half of a pair on Postgres %i', (version) => {
  let w: World
  beforeAll(async () => {
    w = await startWorld({ version })
  })
  afterAll(() => w.stop())

  const asSuperuser = () => w.target(superuserOf(w))
  const work = async (credential: Credential, sql: string) => {
    const client = await w.connect(credential.principal, passwordOf(credential))
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }

  it('has the same settings, for every database, lists included', async () => {
    const [a, b] = await w.pair()
    await w.sql(`CREATE SCHEMA "${a}, odd"; CREATE TABLE "${a}, odd".t (n int); GRANT USAGE ON SCHEMA "${a}, odd" TO ${a};
      GRANT SELECT ON "${a}, odd".t TO ${a}, keyturn_admin WITH GRANT OPTION; GRANT USAGE ON SCHEMA "${a}, odd" TO keyturn_admin WITH GRANT OPTION;
      ALTER ROLE ${a} SET search_path TO "${a}, odd", public; ALTER ROLE ${a} SET statement_timeout TO '5s';
      ALTER ROLE ${a} SET "app.tenant" TO 'it''s \\ "x"'; ALTER ROLE ${a} IN DATABASE postgres SET work_mem TO '7MB';
      ALTER ROLE ${a} IN DATABASE template1 SET work_mem TO '6MB'; ALTER ROLE ${b} SET lock_timeout TO '1s'; ALTER ROLE ${b} SET work_mem TO '1MB'`)
    // A parameter that no loaded module defines: a superuser may set it, or who was granted it.
    const e = await refusal(rotate(w.target(), w.credential([a, b])))
    expect([e.code, e.message]).toEqual(['denied/admin-option', expect.stringContaining('GRANT SET ON PARAMETER "app"."tenant"')])
    await w.sql('GRANT SET ON PARAMETER app.tenant TO keyturn_admin')
    const next = await rotate(w.target(), w.credential([a, b]))
    const sql = `SELECT current_setting('search_path') p, current_setting('statement_timeout') s, current_setting('work_mem') m,
      current_setting('app.tenant') t, current_setting('lock_timeout') l, (SELECT count(*)::int FROM t) n`
    expect(await work(next, sql)).toEqual([{ p: `"${a}, odd", public`, s: '5s', m: '7MB', t: `it's \\ "x"`, l: '0', n: 0 }])
    const stored = `SELECT datname, setconfig FROM pg_db_role_setting LEFT JOIN pg_database d ON d.oid = setdatabase
      WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = `
    const sorted = (rows: Record<string, unknown>[]) =>
      rows.map((r) => JSON.stringify([r.datname, [...(r.setconfig as string[])].sort()])).sort()
    expect(sorted(await w.sql(`${stored}'${b}')`))).toEqual(sorted(await w.sql(`${stored}'${a}')`)))
  })

  it('has the same limits and attributes, as far as the admin may give them', async () => {
    const [a, b] = await w.pair()
    await w.sql(
      `ALTER ROLE ${a} CONNECTION LIMIT 5 VALID UNTIL '2099-01-01' CREATEROLE NOINHERIT; ALTER ROLE ${b} CONNECTION LIMIT 9`
    )
    await rotate(w.target(), w.credential([a, b]))
    const [row] = await w.sql(
      `SELECT rolconnlimit, rolvaliduntil, rolcreaterole, rolinherit FROM pg_roles WHERE rolname = '${b}'`
    )
    expect(row).toEqual({ rolconnlimit: 5, rolvaliduntil: new Date('2099-01-01'), rolcreaterole: true, rolinherit: false })
  })

  it.each(['BYPASSRLS', 'REPLICATION'])(
    'is not made without %s, which only a superuser (or who has it) may give',
    async (attribute) => {
      const [a, b] = await w.pair()
      await w.sql(`ALTER ROLE ${a} ${attribute}`)
      const current = w.credential([a, b])
      const e = await refusal(rotate(w.target(), current), current)
      expect(e.code).toBe('denied/admin-option')
      expect(e.message).toContain(attribute)
      const [problem] = (await w.target().preflight(current, {}, soon())).filter(({ fatal }) => fatal)
      expect(problem?.message).toBe(e.message)
      await rotate(asSuperuser(), current)
      expect(await w.sql(`SELECT rolbypassrls OR rolreplication AS has FROM pg_roles WHERE rolname = '${b}'`)).toEqual([
        { has: true }
      ])
    }
  )

  it('is never made a superuser', async () => {
    const [a, b] = await w.pair()
    await w.sql(`ALTER ROLE ${a} SUPERUSER`)
    const e = await refusal(rotate(asSuperuser(), w.credential([a, b])))
    expect([e.code, e.message]).toEqual(['invalid/parity', expect.stringContaining('superuser')])
  })

  it('has the same memberships, with what they carry', async () => {
    const [a, b] = await w.pair()
    const [plain, admin, unset] = [w.name('plain'), w.name('admin'), w.name('unset')]
    await w.sql(`CREATE ROLE ${plain}; CREATE ROLE ${admin}; CREATE ROLE ${unset};
      GRANT ${plain}, ${admin}, ${unset} TO keyturn_admin WITH ADMIN OPTION; GRANT ${plain} TO ${a}; GRANT ${admin} TO ${a} WITH ADMIN OPTION`)
    if (version >= 16) await w.sql(`GRANT ${unset} TO ${a} WITH INHERIT FALSE, SET FALSE`)
    await rotate(w.target(), w.credential([a, b]))
    const options = version >= 16 ? ', m.inherit_option, m.set_option' : ''
    const of = (name: string) =>
      w.sql(`SELECT r.rolname, bool_or(m.admin_option) AS admin ${options} FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
        WHERE m.member = (SELECT oid FROM pg_roles WHERE rolname = '${name}') GROUP BY 1 ${options} ORDER BY 1`)
    expect(await of(b)).toEqual(await of(a))
    expect((await of(b)).length).toBe(version >= 16 ? 3 : 2)
  })

  it('is refused a membership that the admin may not grant, with the GRANT that is missing', async () => {
    const [a, b] = await w.pair()
    const group = w.name('group')
    await w.sql(`CREATE ROLE ${group} SUPERUSER; GRANT ${group} TO ${a}`)
    const e = await refusal(rotate(w.target(), w.credential([a, b])))
    expect([e.code, e.message]).toEqual([
      'denied/admin-option',
      expect.stringContaining(`GRANT "${group}" TO "keyturn_admin" WITH ADMIN OPTION`)
    ])
  })

  it('gets every kind of grant that was made to the first one', async () => {
    const [a, b] = await w.pair()
    const s = w.name('s')
    await w.sql(
      `CREATE SCHEMA ${s}; CREATE TABLE ${s}.t (x int, "y y" int); CREATE SEQUENCE ${s}."Q q"; CREATE VIEW ${s}.v AS SELECT 1 AS one;
      CREATE FUNCTION ${s}.f(int, text DEFAULT 'x') RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE ${s}.p() LANGUAGE sql AS 'SELECT 1';
      CREATE DOMAIN ${s}.d AS int; CREATE TYPE ${s}.e AS ENUM ('x'); CREATE FOREIGN DATA WRAPPER ${s}_w; CREATE SERVER ${s}_srv FOREIGN DATA WRAPPER ${s}_w;
      REVOKE ALL ON FUNCTION ${s}.f, ${s}.d, ${s}.e FROM PUBLIC`.replace(`, ${s}.d, ${s}.e FROM`, ' FROM')
    )
    await w.sql(`REVOKE ALL ON ROUTINE ${s}.p FROM PUBLIC; REVOKE ALL ON TYPE ${s}.d, ${s}.e FROM PUBLIC`)
    const [{ oid } = { oid: 0 }] = await w.sql('SELECT lo_create(0) AS oid')
    const grants = [
      `USAGE, CREATE ON SCHEMA ${s}`,
      `SELECT, INSERT ON ${s}.t`,
      `UPDATE ("y y") ON ${s}.t`,
      `USAGE ON SEQUENCE ${s}."Q q"`,
      `SELECT ON ${s}.v`,
      `EXECUTE ON FUNCTION ${s}.f(int, text)`,
      `EXECUTE ON PROCEDURE ${s}.p()`,
      `USAGE ON TYPE ${s}.d`,
      `USAGE ON TYPE ${s}.e`,
      `USAGE ON FOREIGN DATA WRAPPER ${s}_w`,
      `USAGE ON FOREIGN SERVER ${s}_srv`,
      `SELECT, UPDATE ON LARGE OBJECT ${oid}`,
      'CREATE, TEMPORARY ON DATABASE postgres',
      'CREATE ON TABLESPACE pg_default',
      ...(version >= 15 ? ['SET ON PARAMETER log_min_messages'] : [])
    ]
    await w.sql(grants.map((grant) => `GRANT ${grant} TO ${a}`).join('; '))
    await w.sql(`GRANT DELETE ON ${s}.t TO ${a} WITH GRANT OPTION`)
    await rotate(asSuperuser(), w.credential([a, b]))
    // The server's own count of what mentions the role: every object, and every privilege on it.
    const of = (name: string) =>
      w.sql(
        `SELECT classid::regclass::text, objid::int, objsubid FROM pg_shdepend WHERE refobjid = '${name}'::regrole AND deptype = 'a' ORDER BY 1, 2, 3`
      )
    expect(await of(b)).toEqual(await of(a))
    expect((await of(b)).length).toBe(grants.length - 1 + 1)
    const privileges = (name: string) =>
      w.sql(`SELECT has_table_privilege('${name}', '${s}.t', 'DELETE WITH GRANT OPTION') d, has_column_privilege('${name}', '${s}.t', 'y y', 'UPDATE') u,
        has_column_privilege('${name}', '${s}.t', 'x', 'UPDATE') x, has_function_privilege('${name}', '${s}.f(int, text)', 'EXECUTE') f,
        has_schema_privilege('${name}', '${s}', 'CREATE') c, has_type_privilege('${name}', '${s}.d', 'USAGE') t`)
    expect(await privileges(b)).toEqual([{ d: true, u: true, x: false, f: true, c: true, t: true }])
  })

  it('is refused a grant that the admin may not make, by name, and nothing is changed', async () => {
    const [a, b] = await w.pair()
    const t = w.name('t')
    await w.sql(`CREATE TABLE ${t} (x int); GRANT SELECT ON ${t} TO ${a}; ALTER ROLE ${a} SET work_mem TO '5MB'`)
    const e = await refusal(rotate(w.target(), w.credential([a, b])))
    expect([e.code, e.message]).toEqual([
      'denied/admin-option',
      expect.stringContaining(`GRANT SELECT ON TABLE public.${t} TO "${b}"`)
    ])
    expect(await w.sql(`SELECT FROM pg_db_role_setting WHERE setrole = '${b}'::regrole`)).toEqual([])
  })

  it('needs no copy of what it inherits already, or what everybody may', async () => {
    const [a, b] = await w.pair()
    const [t, group] = [w.name('t'), w.name('group')]
    await w.sql(
      `CREATE TABLE ${t} (x int); GRANT SELECT ON ${t} TO ${a}, PUBLIC; CREATE ROLE ${group}; GRANT INSERT ON ${t} TO ${a}, ${group}; GRANT ${group} TO ${b}`
    )
    await rotate(w.target(), w.credential([a, b]))
  })

  it('gets the first one’s default privileges, as owner and as beneficiary', async () => {
    const [a, b] = await w.pair()
    const [s, reader, other] = [w.name('s'), w.name('reader'), w.name('other')]
    await w.sql(`CREATE SCHEMA ${s}; GRANT CREATE, USAGE ON SCHEMA ${s} TO ${a}, ${b}; CREATE ROLE ${reader}; CREATE ROLE ${other};
      ALTER DEFAULT PRIVILEGES FOR ROLE ${a} IN SCHEMA ${s} GRANT SELECT ON TABLES TO ${reader};
      ALTER DEFAULT PRIVILEGES FOR ROLE ${a} GRANT USAGE ON SEQUENCES TO ${reader} WITH GRANT OPTION;
      ALTER DEFAULT PRIVILEGES FOR ROLE ${a} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
      ALTER DEFAULT PRIVILEGES FOR ROLE ${other} IN SCHEMA ${s} GRANT INSERT ON TABLES TO ${a}`)
    const next = await rotate(asSuperuser(), w.credential([a, b]))
    await work(
      next,
      `CREATE TABLE ${s}.by_b (x int); CREATE SEQUENCE ${s}.q_b; CREATE FUNCTION ${s}.f_b() RETURNS int LANGUAGE sql AS 'SELECT 1'`
    )
    await w.sql(`GRANT CREATE ON SCHEMA ${s} TO ${other}; SET ROLE ${other}; CREATE TABLE ${s}.by_other (x int)`)
    expect(
      await w.sql(`SELECT has_table_privilege('${reader}', '${s}.by_b', 'SELECT') t, has_sequence_privilege('${reader}', '${s}.q_b', 'USAGE WITH GRANT OPTION') q,
        has_function_privilege('${reader}', '${s}.f_b()', 'EXECUTE') f, has_table_privilege('${b}', '${s}.by_other', 'INSERT') o`)
    ).toEqual([{ t: true, q: true, f: false, o: true }])
  })

  it('that an earlier tool left with other grants and settings is made equal in what matters, and keeps the rest', async () => {
    const [a, b] = await w.pair()
    const t = w.name('t')
    await w.sql(`CREATE TABLE ${t} (x int); GRANT DELETE ON ${t} TO ${b}; ALTER ROLE ${b} SET search_path TO nowhere; ALTER ROLE ${b} VALID UNTIL '2001-01-01';
      ALTER ROLE ${b} SET role TO pg_monitor; COMMENT ON ROLE ${b} IS 'made by hand'`)
    const next = await rotate(w.target(), w.credential([a, b]))
    const sql = `SELECT current_user::text u, current_setting('search_path') p, has_table_privilege('${t}', 'DELETE') d`
    expect(await work(next, sql)).toEqual([{ u: b, p: '"$user", public', d: true }])
    const [comment] = await w.sql(`SELECT shobj_description('${b}'::regrole, 'pg_authid') AS c`)
    expect(comment?.c).toMatch(/^made by hand\nkeyturn: pair=/)
  })

  it('is verified to be complete: what was taken away after apply is found before promotion', async () => {
    const [a, b] = await w.pair()
    await w.sql(`ALTER ROLE ${a} SET work_mem TO '5MB'`)
    const next = await rotate(w.target(), w.credential([a, b]))
    await w.sql(`ALTER ROLE ${b} RESET work_mem`)
    const e = await refusal(w.target().verify(next, {}, soon()), next)
    expect([e.code, e.message]).toEqual(['invalid/parity', expect.stringContaining('work_mem')])
    // Also where the process knows nothing of the secret but this document.
    const alone = w.target().inspect(w.document({ username: b, password: passwordOf(next) }), {})
    expect((await refusal(w.target().verify(alone, {}, soon()))).code).toBe('invalid/parity')
  })

  it('is not what the current one is compared with, when that is retired or this healed', async () => {
    const old = w.credential(await w.pair())
    const current = await rotate(w.target(), old)
    await holding(w.target(), current, (hold) => hold.retire(old, { endSessions: true }, soon()))
    await w.sql(`ALTER ROLE ${current.principal} SET work_mem TO '6MB'`)
    expect(await w.target().verify(current, {}, soon())).toBe('accepted')
    await w.sql(`ALTER ROLE ${current.principal} PASSWORD 'by somebody else'`)
    await holding(w.target(), current, (hold) => hold.heal(current, soon()))
    expect(await w.target().verify(current, {}, soon())).toBe('accepted')
  })
})
