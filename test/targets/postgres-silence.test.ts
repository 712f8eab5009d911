import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Credential } from '../../shared/ports/target.ts'
import { startPostgresProxy } from '../servers/postgres-proxy.ts'
import {
  ADMIN,
  FIRST_PASSWORD,
  holding,
  NOBODY_KNOWN,
  passwordOf,
  rotate,
  soon,
  startWorld,
  superuserOf,
  VERSIONS,
  type World
} from './postgres-world.ts'

const LOUD = {
  log_statement: 'all',
  log_min_duration_statement: '0',
  log_min_error_statement: 'debug5',
  log_error_verbosity: 'verbose',
  log_duration: 'on',
  log_parameter_max_length: '-1',
  log_parameter_max_length_on_error: '-1',
  shared_preload_libraries: 'pg_stat_statements',
  track_activity_query_size: '16kB'
}

/** A text as it might turn up elsewhere. */
const disguises = (text: string): string[] => [
  text,
  encodeURIComponent(text),
  Buffer.from(text).toString('base64').replace(/=+$/, ''),
  Buffer.from(text).toString('hex'),
  JSON.stringify(text).slice(1, -1)
]

describe.each(VERSIONS)('no password is seen on Postgres %i', (version) => {
  let w: World
  beforeAll(async () => {
    w = await startWorld({ version, settings: LOUD })
    await w.sql('CREATE EXTENSION pg_stat_statements')
  })
  afterAll(() => w.stop())

  const superuser = () => superuserOf(w)

  /** Everything that the server wrote down or shows, but for what the tests themselves set up. */
  const seen = async () => {
    const statements = await w.sql('SELECT query FROM pg_stat_statements')
    const activity = await w.sql('SELECT query FROM pg_stat_activity')
    return [w.server.readLog(), ...[...statements, ...activity].map(({ query }) => String(query))].join('\n')
  }

  it('in logs, statistics and comments, whatever succeeds or fails', async () => {
    const target = w.target()
    const first = w.credential(await w.pair())
    const second = await rotate(target, first)
    const third = await rotate(target, second)
    await holding(target, third, (hold) => hold.retire(second, { endSessions: true }, soon()))
    const lost = await target.propose(third, {}, 't', soon())
    await holding(target, third, async (hold) => {
      await w.sql(`DROP ROLE ${lost.principal}`)
      await expect(hold.apply(lost, NOBODY_KNOWN, soon())).rejects.toMatchObject({ code: 'not-found/role' })
    })
    const text = await seen()
    for (const secret of [second, third, lost].map(passwordOf))
      for (const disguise of disguises(secret)) expect(text).not.toContain(disguise)
    expect(text).toContain('ALTER ROLE')
  })

  it('and where the admin may mute the log, no verifier either', async () => {
    await w.sql('SELECT pg_stat_statements_reset()')
    const offset = w.server.readLog().length
    const target = w.target(superuser())
    const current = w.credential(await w.pair())
    const next = await rotate(target, current)
    await holding(target, next, (hold) => hold.retire(current, { endSessions: true }, soon()))
    expect(w.server.readLog().slice(offset)).not.toContain('SCRAM-SHA-256$')
    expect(w.server.readLog().slice(offset)).toContain('BEGIN')
    expect((await w.sql("SELECT query FROM pg_stat_statements WHERE query LIKE '%SCRAM-SHA-256$%'")).length).toBe(0)
  })

  it('in what is thrown, logged or printed here', async () => {
    const proxy = await startPostgresProxy(w.server)
    const target = w.target()
    const pair = await w.pair()
    const current = target.inspect(w.document({ username: pair[0], pair, masterarn: 'x', port: proxy.port }), {})
    const next = await target.propose(current, {}, 't', soon())
    const thrown: unknown[] = []
    const attempt = async (work: () => Promise<unknown>) => work().catch((e) => thrown.push(e))
    for (let at = 1; at <= 12; at++) {
      for (const fault of ['before', 'lost'] as const) {
        proxy.setHook({ decide: ({ number }) => (number === at ? fault : 'pass') })
        await attempt(() => holding(target, current, (hold) => hold.apply(next, NOBODY_KNOWN, soon())))
        proxy.setHook({ decide: ({ number }) => (number === at ? fault : 'pass') })
        await attempt(() => target.verify(next, {}, soon()))
      }
    }
    proxy.setHook()
    expect(thrown.length).toBeGreaterThan(15)
    const shown = thrown.map((e) => `${inspect(e, { depth: 9, showHidden: true })} ${JSON.stringify(e)}`).join('\n')
    const secrets = [passwordOf(next), FIRST_PASSWORD, ADMIN.password]
    for (const disguise of secrets.flatMap(disguises)) expect(shown).not.toContain(disguise)
    for (const thing of [current, next] satisfies Credential[])
      expect(inspect(thing, { depth: 9, showHidden: true })).not.toContain(passwordOf(thing))
    expect(await rotate(target, current)).toBeDefined()
    await proxy.stop()
  })
})
