import type { LookupFunction } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isRefused, publicLookup } from '../../shared/address-guard.ts'
import type { HttpDescription } from '../../shared/targets/http-description.ts'
import { SecretText } from '../../shared/types.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { ACME } from '../doubles/http-example.ts'
import { type AcmeOptions, ADMIN_TOKEN, acmeScene } from '../doubles/http-example-scene.ts'

async function scene(options: AcmeOptions = {}) {
  const started = await acmeScene(options)
  onTestFinished(started.double.close)
  return started
}

const resolvesTo =
  (...addresses: readonly string[]): LookupFunction =>
  (_host, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    )

describe('an address', () => {
  it.each([
    ['unspecified', ['0.0.0.0', '0.1.2.3', '::']],
    ['loopback', ['127.0.0.1', '127.9.9.9', '::1']],
    ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1', 'fec0::1']],
    ['link-local, where clouds give tokens away', ['169.254.169.254', '169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254']],
    ['shared by carriers (CGNAT)', ['100.64.0.1', '100.127.255.255']],
    ['multicast', ['224.0.0.1', '239.255.255.255', 'ff02::1']],
    [
      'reserved, for benchmarks or for documents',
      [
        '192.0.0.1',
        '192.0.2.1',
        '198.18.0.1',
        '198.51.100.1',
        '203.0.113.1',
        '240.0.0.1',
        '255.255.255.255',
        '100::1',
        '2001:db8::1',
        '3fff::1',
        '5f00::1'
      ]
    ],
    ['an IPv4 address as IPv6', ['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe', '::127.0.0.1', '::ffff:0:7f00:1']],
    [
      'NAT64, 6to4 or Teredo of one',
      ['64:ff9b::7f00:1', '64:ff9b::10.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::1', '2002:7f00:1::', '2001::1']
    ],
    ['no address at all', ['', 'localhost', '127.1', '0x7f000001', '2130706433']]
  ])('that is %s is not called', (_, addresses) => {
    expect(addresses.filter((address) => !isRefused(address))).toEqual([])
  })

  it('of the public Internet is called', () => {
    const open = ['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '100.63.0.1', '100.128.0.1', '169.253.0.1', '223.255.255.255']
    const open6 = ['2606:4700:4700::1111', '2a00:1450::1', '64:ff9b::808:808']
    expect([...open, ...open6].filter((address) => isRefused(address))).toEqual([])
  })
})

describe('a name', () => {
  const ask = (lookup: LookupFunction, all: boolean) =>
    new Promise<unknown>((resolve) =>
      publicLookup({ resolve: lookup })('api.example.com', { all }, (error, address, family) =>
        resolve(error ?? { address, family })
      )
    )

  it('is resolved once, and what was checked is what is connected to', async () => {
    let asked = 0
    const rebinding: LookupFunction = (host, options, callback) =>
      resolvesTo(asked++ === 0 ? '8.8.8.8' : '127.0.0.1')(host, options, callback)
    expect(await ask(rebinding, false)).toEqual({ address: '8.8.8.8', family: 4 })
    expect(asked).toBe(1)
    expect(await ask(rebinding, false)).toMatchObject({ code: 'denied/address' })
    expect(await ask(resolvesTo('8.8.8.8', '2606:4700::1'), true)).toEqual({
      address: [
        { address: '8.8.8.8', family: 4 },
        { address: '2606:4700::1', family: 6 }
      ],
      family: undefined
    })
  })

  it('with one private address among public ones is refused, and so is one without any', async () => {
    expect(await ask(resolvesTo('8.8.8.8', '10.0.0.1'), true)).toMatchObject({ code: 'denied/address' })
    expect(await ask(resolvesTo(), true)).toMatchObject({ code: 'denied/address' })
  })

  it('that is not known is what the resolver says', async () => {
    const error = Object.assign(new Error('not found'), { code: 'ENOTFOUND' })
    expect(await ask((_host, _options, callback) => callback(error, '', 0), true)).toBe(error)
  })

  it('of this machine is not called unless the settings name its host, and nothing is sent', async () => {
    const closed = await scene()
    const port = new URL(closed.double.url).port
    const endpoints = { 'api.acme.example': `http://localhost:${port}` }
    const lookup = resolvesTo('127.0.0.1')
    for (const allowPrivate of [undefined, false, [], ['other.example']]) {
      const { create, verify } = await scene({ settings: { endpoints, lookup, allowPrivate } })
      for (const work of [create, verify]) expect((await refusal(work())).code).toBe('denied/address')
    }
    expect(closed.sent()).toBe(0)
    const { verify } = await scene({ settings: { endpoints, lookup, allowPrivate: ['api.acme.example'] } })
    await verify()
    expect(closed.sent()).toBe(1)
  })
})

describe('an address that is written out', () => {
  const at = (host: string): HttpDescription =>
    JSON.parse(JSON.stringify(ACME).replaceAll('api.acme.example', host)) as HttpDescription

  it.each(['169.254.169.254', '127.0.0.1:8443', '10.1.2.3', '[::1]', '[::ffff:7f00:1]', '[fd00:ec2::254]'])(
    'as %s is refused, without a lookup',
    async (host) => {
      const lookup: LookupFunction = () => expect.fail('it was looked up')
      const { create, verify } = await scene({ description: at(host), settings: { allowPrivate: false, endpoints: {}, lookup } })
      for (const work of [create, verify]) expect((await refusal(work())).code).toBe('denied/address')
    }
  )

  it('of the settings’ own endpoint is refused as well, where private ones are not allowed', async () => {
    const { create, sent } = await scene({ settings: { allowPrivate: false } })
    expect((await refusal(create())).code).toBe('denied/address')
    expect(sent()).toBe(0)
  })

  it('may be called without TLS on this machine only', async () => {
    const { create } = await scene({ settings: { endpoints: { 'api.acme.example': 'http://10.0.0.1' }, allowPrivate: true } })
    expect((await refusal(create())).code).toBe('invalid/config')
  })
})

describe('a field of the document', () => {
  it.each([
    'evil.example#',
    '../admin',
    '..',
    '.',
    'p1/../../admin',
    '..%2fadmin',
    'p1%2f..',
    'p1\\..\\admin',
    'p1?x=1',
    'p1#',
    'p1;a=b',
    'p1 x',
    'p1\r\nHost: evil.example',
    ''
  ])('that would make another address, %j, is refused by its name, and nothing is sent', async (project) => {
    const { target, documentOf, sent, context } = await scene()
    const e = await refusal(() => target.inspect(documentOf({ project }), context))
    expect(e).toMatchObject({ code: 'invalid/document', message: expect.stringContaining('project') })
    expect(e.message).not.toContain('evil')
    expect(sent()).toBe(0)
  })

  it('that would make another header is refused by its name, and nothing is sent', async () => {
    const { target, documentOf, sent, context } = await scene()
    for (const tag of ['a\r\nx-evil: 1', 'a\nb', 'a\u0000', ' a', 'ä']) {
      const e = await refusal(() => target.inspect(documentOf({ tag }), context))
      expect(e).toMatchObject({ code: 'invalid/document', message: expect.stringContaining('tag') })
    }
    expect(sent()).toBe(0)
  })

  it('that is the id of a key stays in its place', async () => {
    const { target, documentOf, context } = await scene()
    for (const keyId of ['../p2/keys/theirs', 'a/b', '..']) {
      const e = await refusal(() => target.inspect(documentOf({}, { keyId }), context))
      expect(e).toMatchObject({ code: 'invalid/document', message: expect.stringContaining('keyId') })
    }
  })
})

describe('the admin’s token', () => {
  it('that would make another header is refused, and nothing is sent', async () => {
    const admin = async () => new SecretText(JSON.stringify({ token: `${ADMIN_TOKEN}\r\nx-evil: 1`, organization: 'org-1' }))
    const { create, sent } = await scene({ settings: { admin } })
    const e = await refusal(create())
    expect(e).toMatchObject({ code: 'invalid/document', message: expect.stringContaining('admin secret’s token') })
    expect(e.message).not.toContain(ADMIN_TOKEN)
    expect(sent()).toBe(0)
  })

  it.each([301, 302, 307, 308])('does not follow a redirect (%i) anywhere', async (status) => {
    const [thief, { create, double, sent, verify }] = [await scene(), await scene()]
    double.setFault(() => ({ status, headers: { location: `${thief.double.url}/v1/whoami` } }))
    for (const work of [create, verify]) expect((await refusal(work())).code).toBe('invalid/answer')
    expect([sent(), thief.sent()]).toEqual([2, 0])
  })

  it('does not follow a next page to another host', async () => {
    const thief = await scene()
    const links = { ...ACME.list, paging: { by: 'link', next: 'next' } } as const
    for (const next of [
      `${thief.double.url}/v1`,
      'https://evil.example/',
      'https://api.acme.example:8443/',
      '//evil.example/',
      '/\\evil.example'
    ]) {
      const { answer, hold, current, sent } = await scene({ description: { ...ACME, list: links } })
      answer('ListKeys', (said) => ({ ...said, body: { ...(said.body as object), next } }))
      const e = await refusal((await hold()).live(current, soon()))
      expect(e.code).toMatch(/^(denied\/address|invalid\/answer)$/)
      expect([sent(), thief.sent()]).toEqual([1, 0])
    }
  })
})
