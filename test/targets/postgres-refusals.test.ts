import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { refusal, soon } from '../conformance/target-harness.ts'
import { rotate, startWorld, superuserOf, VERSIONS, type World } from './postgres-world.ts'

describe.each(VERSIONS)('what cannot be copied on Postgres %i', (version) => {
  let w: World
  beforeAll(async () => {
    w = await startWorld({ version })
  })
  afterAll(() => w.stop())

  const asSuperuser = () => w.target(superuserOf(w))
  const refused: readonly (readonly [string, string, RegExp])[] = [
    [
      'an object that the first one owns',
      'CREATE TABLE %s (x int); ALTER TABLE %s OWNER TO %a',
      /table public\.\S+.*REASSIGN OWNED BY/
    ],
    [
      'a policy that asks for the current user',
      `CREATE TABLE %s (o text); ALTER TABLE %s ENABLE ROW LEVEL SECURITY;
      GRANT SELECT ON %s TO %a, %b; CREATE POLICY mine ON %s USING (o = current_user)`,
      /policy mine on public\.\S+ asks/
    ],
    [
      'a policy for the first one alone',
      `CREATE TABLE %s (o text); ALTER TABLE %s ENABLE ROW LEVEL SECURITY;
      GRANT SELECT ON %s TO %a, %b; CREATE POLICY ours ON %s TO %a USING (true)`,
      /policy ours on .* ALTER POLICY/
    ],
    ['a schema that is found by "$user"', 'CREATE SCHEMA %a; GRANT USAGE ON SCHEMA %a TO %b', /"\$user".*search_path/],
    [
      'a user mapping',
      'CREATE FOREIGN DATA WRAPPER %s; CREATE SERVER %s FOREIGN DATA WRAPPER %s; CREATE USER MAPPING FOR %a SERVER %s',
      /user mapping for server/
    ]
  ]
  it.each(refused)('is refused for %s, with the cure, before anything is changed', async (_, sql, says) => {
    const [a, b] = await w.pair()
    await w.sql(sql.replaceAll('%s', w.name('x')).replaceAll('%a', a).replaceAll('%b', b))
    const e = await refusal(rotate(asSuperuser(), w.credential([a, b])))
    expect(e.code).toBe('invalid/parity')
    expect(e.message).toMatch(says)
    expect(await w.sql(`SELECT FROM pg_authid WHERE rolname = '${b}' AND rolpassword IS NOT NULL`)).toEqual([])
    const problems = await asSuperuser().preflight(w.credential([a, b]), {}, soon())
    expect(problems.filter(({ fatal }) => fatal).map(({ message }) => message)).toContain(e.message)
  })

  it('is not refused for policies that concern others, do not ask, or do not apply', async () => {
    const [a, b] = await w.pair()
    const [t, u, other] = [w.name('t'), w.name('u'), w.name('other')]
    await w.sql(`CREATE ROLE ${other}; CREATE TABLE ${t} (o text); ALTER TABLE ${t} ENABLE ROW LEVEL SECURITY; GRANT SELECT ON ${t} TO ${a}, ${b};
      CREATE POLICY x ON ${t} TO ${other} USING (o = current_user); CREATE POLICY y ON ${t} USING (o <> 'SESSION_USER');
      CREATE TABLE ${u} (o text); CREATE POLICY z ON ${u} USING (o = current_user)`)
    await rotate(w.target(), w.credential([a, b]))
  })

  it('is warned of functions and views that ask for the current user, and of other databases', async () => {
    const [a, b] = await w.pair()
    const f = w.name('f')
    await w.sql(`CREATE FUNCTION ${f}() RETURNS name LANGUAGE sql AS 'SELECT current_user'; CREATE VIEW ${f}_v AS SELECT session_user AS who;
      GRANT CREATE ON DATABASE template1 TO ${a}`)
    await w.server.query(`CREATE SCHEMA ${f}; GRANT USAGE ON SCHEMA ${f} TO ${a}`, [], 'template1')
    const problems = await asSuperuser().preflight(w.credential([a, b]), {}, soon())
    const said = problems
      .filter(({ fatal }) => !fatal)
      .map(({ message }) => message)
      .join('\n')
    expect(said).toContain(`function public.${f}()`)
    expect(said).toContain(`view public.${f}_v`)
    expect(said).toContain('template1')
    expect(problems.filter(({ fatal }) => fatal)).toEqual([])
    await w.server.query(`DROP SCHEMA ${f}`, [], 'template1')
  })
})
