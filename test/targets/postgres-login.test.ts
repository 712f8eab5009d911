import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Credential } from '../../shared/ports/target.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { freePort } from '../servers/ports.ts'
import { FIRST_PASSWORD, rotate, startWorld, VERSIONS, type World } from './postgres-world.ts'

const HBA = [
  'hostssl all banned 127.0.0.1/32 reject',
  'hostssl all in_clear 127.0.0.1/32 password',
  'hostssl all all 127.0.0.1/32 scram-sha-256'
]

describe.each(VERSIONS)('a login that fails on Postgres %i is diagnosed', (version) => {
  let w: World
  beforeAll(async () => {
    w = await startWorld({ version, hba: HBA })
    await w.sql(`CREATE ROLE banned LOGIN PASSWORD '${FIRST_PASSWORD}'; CREATE ROLE in_clear LOGIN PASSWORD '${FIRST_PASSWORD}'`)
  })
  afterAll(() => w.stop())

  const single = (fields: object): Credential => w.target().inspect(w.document({ username: 'x', ...fields }), {})
  const login = async (sql: string) => {
    const name = w.name('login')
    await w.sql(`CREATE ROLE ${name} LOGIN PASSWORD '${FIRST_PASSWORD}'; ${sql.replaceAll('%', name)}`)
    return single({ username: name })
  }
  const verify = (credential: Credential) => w.target().verify(credential, {}, soon())
  const codeOf = async (credential: Credential) => (await refusal(verify(credential), credential)).code

  it('as refused, without guessing, where the server does not say: wrong password, unknown role, expired', async () => {
    expect(await verify(single({ username: w.name('unknown') }))).toBe('rejected')
    expect(await verify(await login("ALTER ROLE % PASSWORD 'another'"))).toBe('rejected')
    const expired = await login("ALTER ROLE % VALID UNTIL '2001-01-01'")
    expect(await verify(expired)).toBe('rejected')
    const e = await refusal(w.target().hold(expired, {}, soon()), expired)
    expect([e.code, e.vendor, e.todo]).toEqual(['denied/login', '28P01', expect.stringContaining('does not say why')])
  })

  it('as NOLOGIN', async () => expect(await codeOf(await login('ALTER ROLE % NOLOGIN'))).toBe('denied/no-login'))
  it('as pg_hba.conf', async () => expect(await codeOf(single({ username: 'banned' }))).toBe('denied/hba'))
  it('as a database that is not there', async () => {
    const { principal } = await login('')
    expect(await codeOf(single({ username: principal, dbname: 'nowhere' }))).toBe('not-found/database')
  })
  it('as no right to connect, or a database that takes no connections', async () => {
    const { principal } = await login('')
    await w.sql('CREATE DATABASE closed')
    await w.sql('REVOKE CONNECT ON DATABASE closed FROM PUBLIC')
    expect(await codeOf(single({ username: principal, dbname: 'closed' }))).toBe('denied/connect')
    expect(await codeOf(single({ username: principal, dbname: 'template0' }))).toBe('denied/connect')
  })
  it('as the limit of the role, never as a wrong password', async () => {
    const credential = await login('ALTER ROLE % CONNECTION LIMIT 1')
    const busy = await w.connect(credential.principal, FIRST_PASSWORD)
    const e = await refusal(verify(credential), credential)
    expect([e.code, e.retryable]).toEqual(['throttled/connections', true])
    await busy.end()
  })
  it('as a server that asks for the password itself, which is not sent', async () => {
    expect(await codeOf(single({ username: 'in_clear' }))).toBe('invalid/auth-method')
  })
  it('as a host that cannot be reached', async () => {
    const port = await freePort()
    const e = await refusal(verify(single({ port: String(port) })))
    expect([e.code, e.vendor, e.retryable]).toEqual(['unavailable/host', 'ECONNREFUSED', true])
    expect(await codeOf(single({ host: 'no-such-host.invalid' }))).toBe('unavailable/host')
  })
  it('as a host that does not answer, within the time that was given', async () => {
    const { port, silent } = await listener(() => {})
    const target = w.target({ connectTimeoutMs: 200 })
    const started = performance.now()
    const e = await refusal(target.verify(single({ port }), {}, soon()))
    expect([e.code, e.vendor]).toEqual(['unavailable/host', 'timeout'])
    expect(performance.now() - started).toBeLessThan(2_000)
    silent.close()
  })
  it('as a server that hangs up', async () => {
    const { port, silent } = await listener((socket) => socket.destroy())
    expect(await codeOf(single({ port }))).toBe('unavailable/server')
    silent.close()
  })
  it('as an aborted run', async () => {
    const { port, silent } = await listener(() => {})
    const e = await refusal(w.target().verify(single({ port }), {}, AbortSignal.timeout(50)))
    expect(e.code).toBe('unavailable/deadline')
    silent.close()
  })

  it('so that a new half that pg_hba.conf rejects is not promoted, and current stays as it is', async () => {
    const [a] = await w.pair()
    await w.sql('GRANT banned TO keyturn_admin WITH ADMIN OPTION')
    const current = w.credential([a, 'banned'])
    expect((await refusal(rotate(w.target(), current), current)).code).toBe('denied/hba')
    expect(await verify(current)).toBe('accepted')
  })

  it('so that a current login that has expired is not copied, and nothing is changed', async () => {
    const [a, b] = await w.pair()
    await w.sql(`ALTER ROLE ${a} VALID UNTIL '2001-01-01'`)
    const current = w.credential([a, b])
    expect((await refusal(rotate(w.target(), current), current)).code).toBe('denied/expired-valid-until')
    expect(await w.sql(`SELECT FROM pg_authid WHERE rolname = '${b}' AND rolpassword IS NOT NULL`)).toEqual([])
    const codes = (await w.target().preflight(current, {}, soon())).map(({ code }) => code)
    expect(codes).toEqual(expect.arrayContaining(['denied/login', 'denied/expired-valid-until']))
  })

  it('so that a twin that may not log in is refused before its password is set', async () => {
    const [a, b] = await w.pair()
    await w.sql(`ALTER ROLE ${b} NOLOGIN`)
    const e = await refusal(rotate(w.target(), w.credential([a, b])))
    expect([e.code, e.message]).toEqual(['denied/no-login', expect.stringContaining(`ALTER ROLE "${b}" LOGIN`)])
  })
})

async function listener(onConnection: (socket: import('node:net').Socket) => void): Promise<{ port: number; silent: Server }> {
  const silent = createServer(onConnection)
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done))
  const address = silent.address()
  silent.unref()
  return { port: typeof address === 'object' && address ? address.port : 0, silent }
}
