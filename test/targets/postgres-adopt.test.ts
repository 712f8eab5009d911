import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Credential } from '../../shared/ports/target.ts'
import { adopt, adoptPlan } from '../../shared/targets/postgres-adopt.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import {
  adminOf,
  FIRST_PASSWORD,
  passwordOf,
  quoted,
  rotate,
  startWorld,
  superuserOf,
  VERSIONS,
  type World
} from './postgres-world.ts'

describe.each(VERSIONS)('adopting a login on Postgres %i', (version) => {
  let w: World
  beforeAll(async () => {
    w = await startWorld({ version })
  })
  afterAll(() => w.stop())

  const superuser = () => ({ ca: w.server.caPem, ...superuserOf(w) })
  const ordinary = () => ({ ca: w.server.caPem, admin: adminOf() })
  /** One login that owns its schema, its tables, and all that makes a second login different. */
  const app = async (name = w.name('app')): Promise<Credential> => {
    const q = quoted(name)
    await w.sql(`CREATE ROLE ${q} LOGIN PASSWORD '${FIRST_PASSWORD}'; GRANT ${q} TO keyturn_admin WITH ADMIN OPTION;
      CREATE SCHEMA ${q} AUTHORIZATION ${q}; GRANT ALL ON SCHEMA public TO ${q}; CREATE TABLE ${q}.t (x int); ALTER TABLE ${q}.t OWNER TO ${q};
      CREATE SEQUENCE ${q}.s; ALTER SEQUENCE ${q}.s OWNER TO ${q}; ALTER ROLE ${q} SET work_mem TO '7MB'`)
    return w.target().inspect(w.document({ username: name, masterarn: 'arn:admin' }), {})
  }
  const work = async (credential: Credential, sql: string) => {
    const client = await w.connect(credential.principal, passwordOf(credential))
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }
  const state = () => w.sql("SELECT rolname, shobj_description(oid, 'pg_authid') FROM pg_roles ORDER BY 1")

  it.each(['superuser', 'admin that is none'] as const)(
    'as %s makes a pair that nothing in the database can tell apart',
    async (who) => {
      const settings = who === 'superuser' ? superuser() : ordinary()
      const current = await app()
      const open = await w.connect(current.principal, FIRST_PASSWORD)
      const before = await state()
      if (who !== 'superuser') {
        await w.sql('REVOKE CREATE ON DATABASE postgres FROM keyturn_admin')
        const [refused] = (await adoptPlan(settings, current, {}, {}, soon())).refusals
        expect(refused?.message).toContain('GRANT CREATE ON DATABASE "postgres" TO "keyturn_admin"')
        await w.sql('GRANT CREATE ON DATABASE "postgres" TO "keyturn_admin"')
      }
      const plan = await adoptPlan(settings, current, {}, {}, soon())
      expect(plan.refusals).toEqual([])
      expect(await state()).toEqual(before)
      expect(JSON.stringify(plan)).not.toContain(FIRST_PASSWORD)
      await adopt(settings, current, {}, plan, soon())

      const metadata = { pair: plan.pair }
      const target = w.target(settings)
      const paired = target.inspect(current.document, metadata)
      expect((await target.preflight(paired, metadata, soon())).filter(({ fatal }) => fatal)).toEqual([])
      const next = await rotate(target, paired, metadata)
      await work(next, `INSERT INTO t VALUES (1); CREATE TABLE made_by_b (x int); SELECT nextval('s')`)
      const back = await rotate(target, next, metadata)
      await work(back, 'INSERT INTO t VALUES (2); ALTER TABLE made_by_b ADD y int; DROP TABLE made_by_b')
      expect(await work(back, 'SELECT current_user::text u')).toEqual([{ u: plan.owner }])
      // Who was there all the time noticed nothing.
      expect((await open.query('INSERT INTO t VALUES (3) RETURNING x')).rows).toEqual([{ x: 3 }])
      await open.end()
      expect(
        await w.sql(`SELECT count(*)::int n FROM pg_auth_members m WHERE m.member = 'keyturn_admin'::regrole AND NOT m.admin_option
      AND m.roleid IN ('${plan.owner}'::regrole, '${current.principal}'::regrole)`)
      ).toEqual([{ n: 0 }])
    }
  )

  it('is nothing to do twice', async () => {
    const current = await app()
    const plan = await adoptPlan(superuser(), current, {}, {}, soon())
    await adopt(superuser(), current, {}, plan, soon())
    const again = await adoptPlan(superuser(), current, {}, {}, soon())
    expect(again.statements.filter(({ sql }) => !sql.startsWith('COMMENT'))).toEqual([])
    expect([again.owner, again.pair]).toEqual([plan.owner, plan.pair])
    await adopt(superuser(), current, {}, again, soon())
  })

  it('takes names as they are given, however odd', async () => {
    const current = await app(`odd "app'; -- ${version}`)
    const names = { second: `odd "twin'; --`, owner: 'The Owner\\' }
    const plan = await adoptPlan(superuser(), current, {}, names, soon())
    await adopt(superuser(), current, {}, plan, soon())
    await rotate(w.target(superuser()), current, { pair: plan.pair })
    expect((await refusal(adoptPlan(superuser(), current, {}, { second: 'x'.repeat(64) }, soon()))).code).toBe('invalid/name')
    expect((await refusal(adoptPlan(superuser(), await app(), {}, { second: 'b', owner: 'b' }, soon()))).code).toBe(
      'invalid/pair'
    )
  })

  it('is refused where the login is named in a policy, and leaves everything as it was', async () => {
    const current = await app()
    await w.sql(`ALTER TABLE ${current.principal}.t ENABLE ROW LEVEL SECURITY; ALTER TABLE ${current.principal}.t FORCE ROW LEVEL SECURITY;
      CREATE POLICY mine ON ${current.principal}.t USING (current_user = '${current.principal}')`)
    const plan = await adoptPlan(superuser(), current, {}, {}, soon())
    expect(plan.refusals.map(({ message }) => message)).toEqual([expect.stringContaining('policy mine')])
    const before = await state()
    expect((await refusal(adopt(superuser(), current, {}, plan, soon()))).code).toBe('invalid/parity')
    expect(await state()).toEqual(before)
  })

  it('all or nothing', async () => {
    const current = await app()
    const plan = await adoptPlan(superuser(), current, {}, {}, soon())
    const before = await state()
    const broken = { ...plan, statements: [...plan.statements, { sql: 'ALTER ROLE nobody_at_all LOGIN', why: 'a test' }] }
    expect((await refusal(adopt(superuser(), current, {}, broken, soon()))).code).toBe('not-found/role')
    expect(await state()).toEqual(before)
  })
})
