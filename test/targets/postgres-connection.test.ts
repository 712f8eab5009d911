import { describe, expect, it } from 'vitest'
import type { KeyturnError } from '../../shared/errors.ts'
import { postgres } from '../../shared/targets/postgres.ts'
import { SecretText } from '../../shared/types.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { expiredIdentity, strangerIdentity, wrongHostIdentity } from '../servers/certificates.ts'
import { startPostgres } from '../servers/postgres.ts'
import { startPostgresProxy } from '../servers/postgres-proxy.ts'
import { FIRST_PASSWORD, passwordOf, rotate, startWorld } from './postgres-world.ts'

describe('TLS', () => {
  const served = async (
    tls: 'off' | 'expired' | 'wrong host' | 'stranger',
    work: (verify: (host?: string) => Promise<KeyturnError>) => Promise<void>
  ) => {
    const stranger = await strangerIdentity()
    const shown = { off: 'off' as const, expired: await expiredIdentity(), 'wrong host': await wrongHostIdentity(), stranger }[
      tls
    ]
    await using server = await startPostgres({ version: 18, tls: shown, settings: { log_connections: 'on' } })
    await server.query(`CREATE ROLE app LOGIN PASSWORD '${FIRST_PASSWORD}'`)
    await work((host = server.host) => {
      const target = postgres({ ca: server.caPem })
      const text = { engine: 'postgres', host, port: server.port, username: 'app', password: FIRST_PASSWORD }
      return refusal(target.verify(target.inspect(new SecretText(JSON.stringify(text)), {}), {}, soon()))
    })
    // No login was even begun: neither in plaintext nor otherwise.
    expect(server.readLog()).not.toContain('user=app')
  }

  it('that the server does not speak is never replaced by plaintext', () =>
    served('off', async (verify) => {
      const e = await verify()
      expect([e.code, e.message]).toEqual(['invalid/tls', expect.stringContaining('speaks no TLS')])
    }))
  it('of an authority that is not trusted is refused', () =>
    served('stranger', async (verify) => expect((await verify()).code).toBe('invalid/tls')))
  it('with a certificate for another host is refused, for an address as for a name', () =>
    served('wrong host', async (verify) => {
      for (const host of ['localhost', '127.0.0.1']) expect((await verify(host)).vendor).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    }))
  it('with an expired certificate is refused', () =>
    served('expired', async (verify) => expect((await verify()).vendor).toBe('CERT_HAS_EXPIRED')))

  it('of a platform’s own authority is accepted for that platform’s hosts, and for no other', async () => {
    await using server = await startPostgres({ version: 18 })
    await server.query(`CREATE ROLE app LOGIN PASSWORD '${FIRST_PASSWORD}'`)
    const { caPem: ca } = await strangerIdentity()
    for (const hosts of [['localhost'], ['elsewhere.example']]) {
      const authorities = async (host: string) => (hosts.includes(host) ? [server.caPem] : undefined)
      const target = postgres({ ca, authorities })
      const text = { engine: 'postgres', host: 'localhost', port: server.port, username: 'app', password: FIRST_PASSWORD }
      const login = target.verify(target.inspect(new SecretText(JSON.stringify(text)), {}), {}, soon())
      if (hosts.includes('localhost')) expect(await login).toBe('accepted')
      else expect((await refusal(login)).code).toBe('invalid/tls')
    }
  })

  it('with a certificate for an address is accepted for that address', async () => {
    const w = await startWorld({ version: 18 })
    const [a, b] = await w.pair()
    const target = w.target()
    const byAddress = target.inspect(w.document({ username: a, pair: [a, b], masterarn: 'x', host: '127.0.0.1' }), {})
    expect(await target.verify(byAddress, {}, soon())).toBe('accepted')
    await w.stop()
  })

  it('with no authority given trusts Node’s own store, and there the test server’s is not', async () => {
    const w = await startWorld({ version: 18 })
    const target = w.target({ ca: undefined })
    expect((await refusal(target.verify(w.credential(await w.pair()), {}, soon()))).code).toBe('invalid/tls')
    await w.stop()
  })

  it('that a document switches off is refused, not obeyed', async () => {
    const document = new SecretText(JSON.stringify({ engine: 'postgres', host: 'h', username: 'a', password: 'p', ssl: 'false' }))
    const e = await refusal(() => postgres({}).inspect(document, {}))
    expect([e.code, e.message]).toEqual(['invalid/tls', expect.stringContaining('ssl: false')])
  })
})

describe('a server in trouble', () => {
  it('that is starting up or shutting down, or loses the connection, is told from a refusal', async () => {
    const w = await startWorld({ version: 18 })
    const proxy = await startPostgresProxy(w.server)
    const [a, b] = await w.pair()
    const target = w.target()
    const current = target.inspect(w.document({ username: a, pair: [a, b], masterarn: 'x', port: proxy.port }), {})
    for (const at of ['login', 'query'] as const) {
      proxy.setHook({ decide: ({ kind }) => (kind === at || (at === 'query' && kind === 'parse') ? 'lost' : 'pass') })
      const e = await refusal(target.verify(current, {}, soon()), current)
      expect([e.code, e.retryable]).toEqual(['unavailable/server', true])
    }
    proxy.setHook()
    expect(await target.verify(current, {}, soon())).toBe('accepted')
    await w.server.kill()
    expect((await refusal(target.verify(w.credential([a, b]), {}, soon()))).code).toBe('unavailable/host')
    await proxy.stop()
    await w.stop()
  })

  it('that is read-only for the moment is not written to, and the next run may', async () => {
    const w = await startWorld({ version: 18 })
    const current = w.credential(await w.pair())
    await w.sql('ALTER SYSTEM SET default_transaction_read_only TO on')
    await w.sql('SELECT pg_reload_conf()')
    const e = await refusal(rotate(w.target(), current), current)
    expect([e.code, e.retryable]).toEqual(['unavailable/read-only', true])
    await w.stop()
  })

  it('whose COMMIT is not answered: the lock is lost, and the same value applied again is accepted', async () => {
    const w = await startWorld({ version: 18 })
    const proxy = await startPostgresProxy(w.server)
    const target = w.target()
    const pair = await w.pair()
    const current = target.inspect(w.document({ username: pair[0], pair, masterarn: 'x', port: proxy.port }), {})
    const next = await target.propose(current, {}, 'token', soon())
    for (const fault of ['before', 'lost', 'after'] as const) {
      const hold = await target.hold(current, {}, soon())
      proxy.setHook({ decide: ({ text }) => (text === 'COMMIT' ? fault : 'pass') })
      if (fault === 'after') await hold.apply(next, async () => [], soon())
      else
        expect(
          (
            await refusal(
              hold.apply(next, async () => [], soon()),
              next
            )
          ).code
        ).toBe('busy/lock-lost')
      proxy.setHook()
      await hold.release()
    }
    expect(await target.verify(next, {}, soon())).toBe('accepted')
    expect(passwordOf(next)).not.toBe(passwordOf(current))
    expect(proxy.logins().filter(({ outcome }) => outcome === 'failed')).toEqual([])
    await proxy.stop()
    await w.stop()
  })
})
