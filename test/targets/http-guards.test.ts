import type { LookupFunction } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { HttpDescription } from '../../shared/targets/http-description.ts'
import { SecretText } from '../../shared/types.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { ACME, ADMIN_TOKEN } from '../doubles/http-example.ts'
import { acmeScene } from '../doubles/http-example-scene.ts'

const resolvesTo =
  (...addresses: readonly string[]): LookupFunction =>
  (_host, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    )

describe('a name', () => {
  it('of this machine is not called unless the settings name its host, and nothing is sent', async () => {
    const closed = await acmeScene()
    const port = new URL(closed.double.url).port
    const endpoints = { 'api.acme.example': `http://localhost:${port}` }
    const lookup = resolvesTo('127.0.0.1')
    for (const allowPrivate of [undefined, false, [], ['other.example']]) {
      const { create, verify } = await acmeScene({ settings: { endpoints, lookup, allowPrivate } })
      for (const work of [create, verify]) expect((await refusal(work())).code).toBe('denied/address')
    }
    expect(closed.sent()).toBe(0)
    const { verify } = await acmeScene({ settings: { endpoints, lookup, allowPrivate: ['api.acme.example'] } })
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
      const { create, verify } = await acmeScene({
        description: at(host),
        settings: { allowPrivate: false, endpoints: {}, lookup }
      })
      for (const work of [create, verify]) expect((await refusal(work())).code).toBe('denied/address')
    }
  )

  it('of the settings’ own endpoint is refused as well, where private ones are not allowed', async () => {
    const { create, sent } = await acmeScene({ settings: { allowPrivate: false } })
    expect((await refusal(create())).code).toBe('denied/address')
    expect(sent()).toBe(0)
  })

  it('may be called without TLS on this machine only', async () => {
    const { create } = await acmeScene({ settings: { endpoints: { 'api.acme.example': 'http://10.0.0.1' }, allowPrivate: true } })
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
    const { target, documentOf, sent, context } = await acmeScene()
    const e = await refusal(() => target.inspect(documentOf({ project }), context))
    expect(e).toMatchObject({ code: 'invalid/document', message: expect.stringContaining('project') })
    expect(e.message).not.toContain('evil')
    expect(sent()).toBe(0)
  })

  it('that would make another header is refused by its name, and nothing is sent', async () => {
    const { target, documentOf, sent, context } = await acmeScene()
    for (const tag of ['a\r\nx-evil: 1', 'a\nb', 'a\u0000', ' a', 'ä']) {
      const e = await refusal(() => target.inspect(documentOf({ tag }), context))
      expect(e).toMatchObject({ code: 'invalid/document', message: expect.stringContaining('tag') })
    }
    expect(sent()).toBe(0)
  })

  it('that is the id of a key stays in its place', async () => {
    const { target, documentOf, context } = await acmeScene()
    for (const keyId of ['../p2/keys/theirs', 'a/b', '..']) {
      const e = await refusal(() => target.inspect(documentOf({}, { keyId }), context))
      expect(e).toMatchObject({ code: 'invalid/document', message: expect.stringContaining('keyId') })
    }
  })
})

describe('the admin’s token', () => {
  it('that would make another header is refused, and nothing is sent', async () => {
    const admin = async () => new SecretText(JSON.stringify({ token: `${ADMIN_TOKEN}\r\nx-evil: 1`, organization: 'org-1' }))
    const { create, sent } = await acmeScene({ settings: { admin } })
    const e = await refusal(create())
    expect(e).toMatchObject({ code: 'invalid/document', message: expect.stringContaining('admin secret’s token') })
    expect(e.message).not.toContain(ADMIN_TOKEN)
    expect(sent()).toBe(0)
  })

  it.each([301, 302, 307, 308])('does not follow a redirect (%i) anywhere', async (status) => {
    const [thief, { create, double, sent, verify }] = [await acmeScene(), await acmeScene()]
    double.setFault(() => ({ status, headers: { location: `${thief.double.url}/v1/whoami` } }))
    for (const work of [create, verify]) expect((await refusal(work())).code).toBe('invalid/answer')
    expect([sent(), thief.sent()]).toEqual([2, 0])
  })

  it('does not follow a next page to another host', async () => {
    const thief = await acmeScene()
    const links = { ...ACME.list, paging: { by: 'link', next: 'next' } } as const
    for (const next of [
      `${thief.double.url}/v1`,
      'https://evil.example/',
      'https://api.acme.example:8443/',
      '//evil.example/',
      '/\\evil.example'
    ]) {
      const { answer, hold, current, sent } = await acmeScene({ description: { ...ACME, list: links } })
      answer('ListKeys', (said) => ({ ...said, body: { ...(said.body as object), next } }))
      const e = await refusal((await hold()).live(current, soon()))
      expect(e.code).toMatch(/^(denied\/address|invalid\/answer)$/)
      expect([sent(), thief.sent()]).toEqual([1, 0])
    }
  })
})
