import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expiredIdentity, type Identity, strangerIdentity, wrongHostIdentity } from './certificates.ts'
import { pgbouncerIsInstalled, startPgbouncer } from './pgbouncer.ts'
import { type PostgresServer, postgresVersions, startPostgres } from './postgres.ts'
import { type Fault, type PostgresProxy, startPostgresProxy } from './postgres-proxy.ts'
import { startStandby } from './standby.ts'

type Place = { host: string; port: number; caPem: string }
type How = { user?: string; password?: string; ssl?: false; ca?: string }

async function connect(
  { host, port, caPem }: Place,
  { user = 'app', password = 'right', ssl, ca = caPem }: How = {}
): Promise<Client> {
  const client = new Client({
    host,
    port,
    user,
    password,
    database: 'postgres',
    ssl: ssl ?? { ca },
    connectionTimeoutMillis: 10_000
  })
  client.on('error', () => {})
  await client.connect()
  return client
}

async function ask(place: Place, how: How = {}, sql = 'select current_user::text as answer'): Promise<unknown> {
  const client = await connect(place, how)
  try {
    return (await client.query<{ answer: unknown }>(sql)).rows[0]?.answer
  } finally {
    await client.end()
  }
}

async function startWithApp(options: Partial<Parameters<typeof startPostgres>[0]> = {}): Promise<PostgresServer> {
  const server = await startPostgres({ version: 18, ...options })
  await server.query("create role app login password 'right'")
  return server
}

describe.each(postgresVersions())('PostgreSQL %i', (version) => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startWithApp({ version, settings: { shared_preload_libraries: 'pg_stat_statements', log_statement: 'all' } })
  })
  afterAll(() => server.stop())

  test('is the version that it says', async () => {
    const [row] = await server.query("select current_setting('server_version_num')::int / 10000 as major")
    expect(row).toEqual({ major: version })
  })
  test('lets a role in by SCRAM-SHA-256 over verified TLS', async () => {
    const sql = 'select version as answer from pg_stat_ssl where pid = pg_backend_pid()'
    expect(await ask(server, {}, sql)).toBe('TLSv1.3')
    const [row] = await server.query("select rolpassword like 'SCRAM-SHA-256$%' as scram from pg_authid where rolname = 'app'")
    expect(row).toEqual({ scram: true })
  })
  test('refuses a wrong password', async () => {
    await expect(ask(server, { password: 'wrong' })).rejects.toMatchObject({ code: '28P01' })
  })
  test('refuses plaintext', async () => {
    await expect(ask(server, { ssl: false })).rejects.toMatchObject({ code: '28000' })
  })
  test('is refused by a client that trusts another authority', async () => {
    const { caPem } = await strangerIdentity()
    await expect(ask(server, { ca: caPem })).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
  })
  test('logs statements and counts them where asked to', async () => {
    await server.query('create extension pg_stat_statements')
    await server.query('select 4711')
    expect(server.readLog()).toContain('select 4711')
    expect(await server.query("select 1 as one from pg_stat_statements where query like 'create extension%'")).toHaveLength(1)
  })
  test('keeps what was committed through a kill and through a restart', async () => {
    await server.query('create table kept (x int)')
    await server.kill()
    await expect(server.query('select')).rejects.toThrow()
    await server.restart()
    await server.restart('immediate')
    expect(await server.query('select count(*)::int as answer from kept')).toEqual([{ answer: 0 }])
    expect(await ask(server)).toBe('app')
  })
})

describe('A certificate', () => {
  const bad: [string, () => Promise<Identity>, string][] = [
    ['that has expired', expiredIdentity, 'CERT_HAS_EXPIRED'],
    ['for another host', wrongHostIdentity, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['of another authority', strangerIdentity, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE']
  ]
  test.each(bad)('%s is refused', async (_, identity, code) => {
    await using server = await startWithApp({ tls: await identity() })
    await expect(ask(server)).rejects.toMatchObject({ code })
  })
})

test('Without TLS a server speaks plaintext, and its hba lines hold', async () => {
  await using server = await startWithApp({ tls: 'off', hba: ['host all app 127.0.0.1/32 scram-sha-256'] })
  expect(await ask(server, { ssl: false })).toBe('app')
  await expect(ask(server, { ssl: false, ...server.superuser })).rejects.toMatchObject({ code: '28000' })
})

describe.each(['on', 'off'] as const)('The proxy, TLS %s,', (tls) => {
  let server: PostgresServer
  let proxy: PostgresProxy
  const how: How = tls === 'off' ? { ssl: false } : {}
  const count = async () => (await server.query('select count(*)::int as answer from done'))[0]?.answer
  const inject = (fault: Fault, kind: 'login' | 'statement') => {
    const told: string[] = []
    const isMeant = (text: string) => (kind === 'login' ? text === '' : text.startsWith('insert'))
    proxy.setHook({ decide: ({ text }) => (isMeant(text) ? fault : 'pass'), done: (_, done) => told.push(done) })
    return told
  }
  beforeAll(async () => {
    server = await startWithApp({ tls })
    await server.query('create table done (x int); grant all on done to app')
    proxy = await startPostgresProxy(server)
  })
  afterAll(async () => {
    await proxy.stop()
    await server.stop()
  })

  test('sees each login and each statement, in order', async () => {
    proxy.setHook()
    await ask(proxy, how)
    await expect(ask(proxy, { ...how, password: 'wrong' })).rejects.toMatchObject({ code: '28P01' })
    expect(proxy.exchanges().map(({ number, kind }) => [number, kind])).toEqual([
      [1, 'login'],
      [2, 'query'],
      [3, 'login']
    ])
    const [good, bad] = proxy.logins()
    expect(good).toMatchObject({ user: 'app', database: 'postgres', outcome: 'succeeded' })
    expect(bad).toMatchObject({ outcome: 'failed', code: '28P01' })
  })
  test.each([
    ['before', 0, false],
    ['lost', 1, false],
    ['after', 1, true]
  ] as const)('cuts %s the effect: the server did it %i times, the client knows: %s', async (fault, effects, isKnown) => {
    for (const params of [[], [7]]) {
      await server.query('truncate done')
      proxy.setHook()
      const client = await connect(proxy, how)
      const told = inject(fault, 'statement')
      const outcome = client.query(`insert into done values (${params.length === 0 ? '7' : '$1'})`, params)
      if (isKnown) await outcome
      else await expect(outcome).rejects.toThrow('terminated unexpectedly')
      expect([told, await count()]).toEqual([[fault], effects])
      await client.end()
    }
  })
  test.each(['before', 'lost', 'after'] as const)('cuts a login %s its end', async (fault) => {
    const seen = proxy.logins().length
    const told = inject(fault, 'login')
    if (fault === 'after') await ask(proxy, how)
    else await expect(ask(proxy, how)).rejects.toThrow('terminated unexpectedly')
    expect(told).toEqual([fault])
    expect(proxy.logins().length - seen).toBe(fault === 'before' ? 0 : 1)
    if (fault !== 'before') expect(proxy.logins().at(-1)).toMatchObject({ outcome: 'succeeded' })
  })
  test('cuts, refuses, holds, delays and truncates', async () => {
    proxy.setHook()
    const client = await connect(proxy, how)
    proxy.delay(20)
    const start = performance.now()
    await client.query('select')
    expect(performance.now() - start).toBeGreaterThan(35)
    proxy.delay(0)
    proxy.hold()
    const held = client.query("select 'later' as answer")
    const meanwhile = server.query("select 'meanwhile' as answer")
    expect(await Promise.race([held, meanwhile])).toEqual([{ answer: 'meanwhile' }])
    proxy.release()
    expect((await held).rows).toEqual([{ answer: 'later' }])
    proxy.cutAnswersAfter(1000)
    await expect(client.query("select repeat('x', 5000)")).rejects.toThrow('terminated unexpectedly')
    proxy.cutAnswersAfter(undefined)
    await proxy.refuse()
    await expect(ask(proxy, how)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await proxy.accept()
    const last = await connect(proxy, how)
    const { total } = proxy.connections()
    proxy.cutAll()
    await expect(last.query('select')).rejects.toThrow()
    expect(proxy.connections()).toEqual({ open: 0, total })
  })
})

test('Through the proxy a client still verifies the certificate, and binds the channel to it', async () => {
  await using server = await startWithApp()
  await using proxy = await startPostgresProxy(server)
  const { caPem } = await strangerIdentity()
  await expect(ask(proxy, { ca: caPem })).rejects.toThrow()
  const bound = {
    host: proxy.host,
    port: proxy.port,
    user: 'app',
    password: 'right',
    database: 'postgres',
    enableChannelBinding: true
  }
  const client = new Client({ ...bound, ssl: { ca: proxy.caPem } })
  await client.connect()
  await client.end()
  expect(proxy.logins().at(-1)).toMatchObject({ outcome: 'succeeded' })
})

describe.each(postgresVersions())('A standby of PostgreSQL %i', (version) => {
  test('serves reads, lags while replay is paused, and refuses to write', async () => {
    await using primary = await startWithApp({ version })
    await primary.query('create table seen (x int); grant select on seen to app')
    await using standby = await startStandby(primary)
    const sql = 'select count(*)::int as answer from seen'
    await standby.catchUp()
    await standby.pauseReplay()
    await primary.query('insert into seen values (1)')
    expect(await ask(standby, {}, sql)).toBe(0)
    await standby.resumeReplay()
    await standby.catchUp()
    expect(await ask(standby, {}, sql)).toBe(1)
    await expect(standby.query('create table other ()')).rejects.toMatchObject({ code: '25006' })
  })
})

if (pgbouncerIsInstalled())
  describe('PgBouncer', () => {
    test.each([
      ['transaction', 'auth_query'],
      ['session', 'auth_query'],
      ['transaction', 'userlist'],
      ['session', 'userlist']
    ] as const)('in %s mode with %s lets the right password in, and no other', async (mode, source) => {
      await using server = await startWithApp()
      await using pgbouncer = await startPgbouncer({ server, mode, users: source === 'auth_query' ? source : { app: 'right' } })
      expect(await ask(pgbouncer)).toBe('app')
      // 08P01, not the 28P01 of Postgres.
      await expect(ask(pgbouncer, { password: 'wrong' })).rejects.toMatchObject({ code: '08P01' })
      await server.query("alter role app password 'next'")
      if (source === 'userlist') await pgbouncer.setUsers({ app: 'next' })
      expect(await ask(pgbouncer, { password: 'next' })).toBe('app')
      expect(await pgbouncer.command('SHOW POOLS')).not.toHaveLength(0)
    })
  })
