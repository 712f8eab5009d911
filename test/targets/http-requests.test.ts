import { describe, expect, it } from 'vitest'
import type { HttpRequest } from '../../shared/targets/http-description.ts'
import { type Scope, written } from '../../shared/targets/http-requests.ts'
import { SecretText } from '../../shared/types.ts'
import { refusal } from '../conformance/target-harness.ts'
import { ACME } from '../doubles/http-example.ts'

/** `written` is asked past the checks of a description, as the second line behind them. */
const scope: Scope = {
  config: { host: 'api.acme.example', text: 'a&b=c#d é/..', list: ['x'], constructor: undefined },
  id: 'k-1',
  mark: 'm',
  value: new SecretText('the-key'),
  admin: (field) => (field === 'token' ? new SecretText('the-token') : undefined)
}
const auth = { headers: { authorization: 'Bearer {admin.token}' } }
const of = (part: Partial<HttpRequest>, more: Scope = scope, hosts = ACME.hosts) =>
  written({ ...ACME, hosts, auth }, { method: 'GET', url: 'https://api.acme.example/v1', ...part }, more)

describe('an address', () => {
  it('takes nothing out of its place: a query’s value is encoded, a path’s is an id or refused', async () => {
    expect(of({ url: 'https://api.acme.example/k/{id}?q={config.text}&limit=2' }).path).toBe(
      '/k/k-1?q=a%26b%3Dc%23d%20%C3%A9%2F..&limit=2'
    )
    expect(of({ url: 'https://api.acme.example' }).path).toBe('/')
    expect((await refusal(() => of({ url: 'https://api.acme.example/{config.text}' }))).code).toBe('invalid/document')
  })

  it.each([
    'https://evil.example/v1',
    'https://api.acme.example:8443/v1',
    'https://{config.text}/v1',
    'https://api.acme.example@evil.example/v1',
    'https://api.acme.example/v1/../admin',
    'https://api.acme.example/v1/%2e%2e/admin',
    'https://api.acme.example/a b',
    'http://api.acme.example/v1',
    'ftp://api.acme.example/v1',
    ''
  ])('%s is not called', async (url) => {
    expect((await refusal(() => of({ url }))).code).toBe('denied/address')
  })

  it('with a user in its host is not the host that is named', async () => {
    for (const host of ['me@evil.example', 'evil.example#', 'EVIL.example'])
      expect((await refusal(() => of({ url: `https://${host}/v1` }, scope, [host]))).code).toBe('denied/address')
  })

  it('is shown without what was filled in, and without its query', () => {
    expect(of({ url: 'https://{config.host}/k/{id}?q={config.text}' }).endpoint).toBe('https://api.acme.example/k/{id}')
  })
})

describe('a body', () => {
  it('as JSON has values as they are, and texts filled in at any depth', () => {
    const json = {
      a: ['{mark}', 1, null, { b: 'x-{id}', c: '{config.list}', d: '{config.none}' }],
      e: '{config.none}',
      f: '{{}}',
      g: '{value}'
    }
    expect(JSON.parse(of({ method: 'POST', json }).body ?? '')).toEqual({
      a: ['m', 1, null, { b: 'x-k-1', c: ['x'] }],
      f: '{}',
      g: 'the-key'
    })
  })

  it('as a form is encoded', () => {
    const { body, headers } = of({ method: 'POST', form: { 'a b': '{config.text}', none: '{config.none}', to: 'x {mark}' } })
    expect(body).toBe('a+b=a%26b%3Dc%23d+%C3%A9%2F..&to=x+m')
    expect(headers['content-type']).toBe('application/x-www-form-urlencoded')
  })

  it('without one has no type, and with a type of its own keeps it', () => {
    expect(of({ method: 'POST' }).headers).not.toHaveProperty('content-type')
    const headers = { 'Content-Type': 'application/vnd.api+json' }
    expect(of({ method: 'POST', json: {}, headers }).headers['content-type']).toBe('application/vnd.api+json')
  })
})

describe('a header', () => {
  it('authorizes by what the admin’s secret has', () => {
    expect(of({}).headers).toMatchObject({ authorization: 'Bearer the-token', 'user-agent': 'keyturn' })
    const basic = { basic: { user: '{id}', password: '{admin.token}' } }
    expect(of({ auth: basic }).headers.authorization).toBe(`Basic ${Buffer.from('k-1:the-token').toString('base64')}`)
  })

  it('is not left out where the admin’s secret lacks it: the request would go unsigned', async () => {
    const e = await refusal(() => of({ auth: { headers: { 'x-key': '{admin.key}' } } }))
    expect(e).toMatchObject({ code: 'invalid/document', message: 'the admin secret’s key is not there, or is no text' })
  })
})
