import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { refusal, soon } from '../conformance/target-harness.ts'
import { rotate, startWorld, VERSIONS, type World } from './postgres-world.ts'

describe.each([VERSIONS[0], VERSIONS.at(-1)].filter((v) => v !== undefined))('the owner’s check on Postgres %i', (version) => {
  let w: World
  beforeAll(async () => {
    w = await startWorld({ version })
    await w.sql('CREATE TABLE orders (n int); INSERT INTO orders VALUES (1); GRANT ALL ON orders TO PUBLIC')
    await w.sql("CREATE FUNCTION tricky() RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO orders VALUES (2); RETURN 1; END'")
  })
  afterAll(() => w.stop())
  const codeOf = async (verifyQuery: string) => {
    const current = w.credential(await w.pair(), { verifyQuery })
    return (await refusal(rotate(w.target({ statementTimeoutMs: 1_000 }), current), current)).code
  }

  it.each([
    'SELECT n FROM orders',
    'SELECT n > 0 FROM orders',
    'SELECT 1 WHERE false',
    'TABLE orders;',
    'EXPLAIN SELECT 1',
    'SELECT 0',
    'SELECT NULL::bool'
  ])('passes with %j', async (verifyQuery) => void (await rotate(w.target(), w.credential(await w.pair(), { verifyQuery }))))

  it.each(['SELECT false', 'SELECT count(*) > 5 FROM orders'])('fails when it answers false: %j', async (query) => {
    expect(await codeOf(query)).toBe('denied/workload-check')
  })

  it.each(['SELECT * FROM missing', 'SELECT pg_sleep(60)', 'SELECT 1/0', 'SELECT * FROM pg_authid'])(
    'fails when it fails: %j',
    async (query) => {
      expect(await codeOf(query)).toBe('denied/workload-check')
    }
  )

  it.each([
    'SELEC 1',
    'SELECT 1; DELETE FROM orders',
    'COMMIT; DELETE FROM orders',
    'DELETE FROM orders',
    'SELECT tricky()',
    'CREATE TABLE x ()',
    "SELECT nextval('s')"
  ])('is refused when it is no single statement that only reads: %j', async (query) => {
    if (query.includes('nextval')) await w.sql('CREATE SEQUENCE IF NOT EXISTS s; GRANT ALL ON SEQUENCE s TO PUBLIC')
    expect(await codeOf(query)).toBe('invalid/verify-query')
  })

  it.each(['COMMIT', 'SET TRANSACTION READ WRITE', 'ROLLBACK'])('changes nothing, whatever it is: %j', async (verifyQuery) => {
    await rotate(w.target(), w.credential(await w.pair(), { verifyQuery })).catch(() => {})
  })

  it('is run by preflight, as the current login', async () => {
    const current = w.credential(await w.pair(), { verifyQuery: 'SELEC 1' })
    const problems = await w.target().preflight(current, {}, soon())
    expect(problems.map(({ code }) => code)).toEqual(['invalid/verify-query'])
  })

  it('runs with the login’s own settings, and finds what "it logs in" does not', async () => {
    const pair = await w.pair()
    await w.sql(`CREATE SCHEMA ${pair[0]}_s; CREATE TABLE ${pair[0]}_s.deep (x int); GRANT USAGE ON SCHEMA ${pair[0]}_s TO ${pair[0]}, ${pair[1]};
      GRANT SELECT ON ${pair[0]}_s.deep TO ${pair[0]}, ${pair[1]}; ALTER ROLE ${pair[0]} SET search_path TO ${pair[0]}_s`)
    await rotate(w.target(), w.credential(pair, { verifyQuery: 'SELECT * FROM deep' }))
  })

  it('has left nothing behind', async () => {
    expect(await w.sql('SELECT n FROM orders')).toEqual([{ n: 1 }])
  })
})
