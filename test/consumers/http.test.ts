import type { LookupFunction } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { httpHook } from '../../shared/consumers/http.ts'
import { type HookHarness, startHook } from '../doubles/consumer-http.ts'
import { consumerSuite, failure, NEWS, soon } from '../doubles/consumer-suite.ts'

consumerSuite('a hook', startHook)

describe('a hook', () => {
  let h: HookHarness
  beforeAll(async () => {
    h = await startHook()
  })
  afterAll(() => h?.stop())
  const call = (restart: HookHarness['restart'], name = h.consumer.name) => restart({ kind: 'http', name }, NEWS, soon())
  const lookupTo =
    (address: string): LookupFunction =>
    (_, options, callback) =>
      options.all ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4)
  const hostName = (name: string): string => h.host.replace('127.0.0.1', name)

  it('gets the event, the secret’s name and the version, and nothing else', async () => {
    await call(h.restart)
    const { json, headers } = h.double.seen.at(-1) ?? {}
    expect(json).toEqual({ event: 'promoted', secret: NEWS.secret, version: NEWS.version })
    expect(headers?.['content-type']).toBe('application/json')
    expect(Object.keys(headers ?? {}).sort()).toEqual(['connection', 'content-length', 'content-type', 'host'])
  })

  it('without a path is called at the root', async () => {
    await call(h.restart, `https://${h.host}`)
    expect(h.double.calls.at(-1)).toMatchObject({ method: 'POST', path: '/', status: 202 })
  })

  it.each([
    ['no host', []],
    ['another host', ['hooks.example.com']],
    ['the host without its port', ['127.0.0.1']]
  ])('is not called where the deployment allows %s', async (_, hosts) => {
    const calls = h.double.calls.length
    const error = await failure(call(h.hookWith({ hosts })))
    expect(error).toMatchObject({ code: 'denied/address', retryable: false })
    expect(error.message).toContain('KEYTURN_RESTART_HOSTS')
    expect(h.double.calls.length).toBe(calls)
  })

  it.each(['xhooks.example.com', 'hooks.example.com.evil.example', 'hooks.example.com:8443', 'example.com'])(
    'on %s, which is only like the host that is allowed, is not called',
    async (host) => {
      const error = await failure(call(h.hookWith({ hosts: ['hooks.example.com'] }), `https://${host}/orders`))
      expect(error).toMatchObject({ code: 'denied/address', message: expect.stringContaining('KEYTURN_RESTART_HOSTS') })
    }
  )

  it('is called by a host’s name in whatever case, with the port that https has anyway or without', async () => {
    const hook = httpHook({ ...h.settings, hosts: ['Hooks.Example.com:443'], lookup: lookupTo('192.0.2.1') })
    // It is among the hosts; what it resolves to is another question.
    expect((await failure(call(hook, 'https://hooks.example.com/'))).message).not.toContain('KEYTURN_RESTART_HOSTS')
  })

  it.each(['https://hooks.example.com', 'user@hooks.example.com', 'hooks.example.com/path', '*', '*.example.com', ''])(
    'cannot be allowed by %j, which is no host',
    (host) => {
      expect(() => httpHook({ hosts: [host] })).toThrow(expect.objectContaining({ code: 'invalid/config' }))
    }
  )

  it('at a private address is not called, though its host is allowed', async () => {
    const calls = h.double.calls.length
    expect(await failure(call(h.hookWith({ allowPrivate: false })))).toMatchObject({ code: 'denied/address' })
    expect(h.double.calls.length).toBe(calls)
  })

  it('whose name has a private address is not called; the name is asked once, for the connection itself', async () => {
    const name = `https://${hostName('localhost')}/hooks/orders`
    const settings = { hosts: [hostName('localhost')], lookup: lookupTo('127.0.0.1') }
    const calls = h.double.calls.length
    expect(await failure(call(h.hookWith({ ...settings, allowPrivate: false }), name))).toMatchObject({ code: 'denied/address' })
    expect(h.double.calls.length).toBe(calls)
    await call(h.hookWith(settings), name)
    expect(h.double.calls.length).toBe(calls + 1)
  })

  it('at the address that gives tokens away is not called, whatever is allowed', async () => {
    const hook = httpHook({
      hosts: ['169.254.169.254', 'tokens.example.com'],
      allowPrivate: true,
      lookup: lookupTo('169.254.169.254')
    })
    for (const host of ['169.254.169.254', 'tokens.example.com'])
      expect(await failure(call(hook, `https://${host}/latest/meta-data`))).toMatchObject({ code: 'denied/address' })
  })

  it('without a certificate that is trusted is told nothing', async () => {
    const calls = h.double.calls.length
    expect(await failure(call(h.hookWith({ ca: undefined })))).toMatchObject({ code: 'invalid/tls' })
    expect(h.double.calls.length).toBe(calls)
  })

  it.each([400, 401, 404, 410, 422])('that answers %i has refused the news', async (status) => {
    h.double.setFault(() => ({ status, body: '<html>the receiver’s words</html>' }))
    const error = await failure(call(h.restart))
    h.double.setFault(undefined)
    expect(error).toMatchObject({ code: 'denied/provider', vendor: String(status) })
    expect(error.message).toContain(String(status))
    expect(error.message).not.toContain('words')
  })
})
