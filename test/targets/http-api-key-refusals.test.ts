import { describe, expect, it } from 'vitest'
import { markOf } from '../../shared/mark.ts'
import type { HttpDescription } from '../../shared/targets/http-description.ts'
import { SecretText } from '../../shared/types.ts'
import { PLANTED, refusal, soon } from '../conformance/target-harness.ts'
import { ACME, ADMIN_TOKEN } from '../doubles/http-example.ts'
import { acmeScene, SECRET, VALUE } from '../doubles/http-example-scene.ts'

const MARK = markOf(SECRET, 'a-token-of-thirty-two-characters')
const acme = (part: Partial<HttpDescription>): HttpDescription => ({ ...ACME, ...part })

describe('a description that looks in the wrong place', () => {
  it('for the id: the path is named, and the key that was made can be found by its mark', async () => {
    const { create, shelf } = await acmeScene({ description: acme({ create: { ...ACME.create, id: 'data.key_id' } }) })
    const e = await refusal(create())
    expect(e.code).toBe('invalid/answer')
    expect(e.message).toContain('create has nothing usable at data.key_id (id); a key may have been made under the name')
    expect(shelf.of('p1').map(({ name }) => name)).toEqual(['by hand', MARK])
    expect(e.message).toContain(MARK)
  })

  it('for the value: the path, the id and the mark are named', async () => {
    const { create, shelf } = await acmeScene({ description: acme({ create: { ...ACME.create, value: 'data.secret' } }) })
    const e = await refusal(create())
    expect(e).toMatchObject({ code: 'invalid/answer', message: expect.stringContaining('data.secret (value)') })
    expect(e.message).toContain(shelf.of('p1')[1]?.id)
    expect(e.message).toContain(MARK)
  })

  it.each([
    ['an answer that is no JSON', { status: 200, body: '<html>' }],
    ['an empty answer', { status: 201 }],
    ['an id that would be another address', { status: 201, body: { data: { id: '../x', attributes: { secret: 'abc' } } } }],
    ['a value that no header can carry', { status: 201, body: { data: { id: 'k', attributes: { secret: `${PLANTED} ä` } } } }]
  ])('or gives %s: a key may have been made, with the mark', async (_, answer) => {
    const { create, answer: change } = await acmeScene()
    change('CreateKey', () => answer)
    const e = await refusal(create())
    expect(e).toMatchObject({ code: 'invalid/answer', message: expect.stringContaining(`may have been made`) })
    expect(e.message).toContain(MARK)
  })

  it.each([
    ['list.id', { id: 'key_id' }, 'no id at key_id'],
    ['list.createdAt', { createdAt: { at: 'attributes.created', format: 'iso' } }, 'no time at attributes.created (createdAt)'],
    [
      'list.createdAt.format',
      { createdAt: { at: 'attributes.created_at', format: 'unix-s' } },
      'no time at attributes.created_at'
    ],
    ['list.items', { items: 'keys' }, 'no array at keys (items)']
  ] as const)('for %s: it is named, and no key is hidden', async (_, part, message) => {
    const { hold, current } = await acmeScene({ description: acme({ list: { ...ACME.list, ...part } }) })
    const e = await refusal((await hold()).live(current, soon()))
    expect(e).toMatchObject({ code: 'invalid/answer', message: expect.stringContaining(message) })
  })

  it('for the last use: it cannot be told, which is not "never"', async () => {
    for (const at of ['attributes.last_used', 'attributes.status']) {
      const list = { ...ACME.list, lastUsed: { at, format: 'iso' } } as const
      const { hold, current } = await acmeScene({ description: acme({ list }) })
      expect(await (await hold()).usage(current, soon())).toMatchObject({
        state: 'cannot-tell',
        why: expect.stringContaining(at)
      })
      expect((await (await hold()).live(current, soon())).keys).toMatchObject([{ used: 'cannot-tell' }])
    }
  })

  it('for what has to be read first: nothing is changed', async () => {
    const read = { method: 'GET', url: `${ACME.revoke.url}`, values: { name: 'data.nobody' } } as const
    const { hold, current, shelf } = await acmeScene({ description: acme({ read }) })
    const before = shelf.snapshot('p1')
    const e = await refusal((await hold()).disable(current, soon()))
    expect(e).toMatchObject({ code: 'invalid/answer', message: expect.stringContaining('data.nobody') })
    expect(shelf.snapshot('p1')).toBe(before)
  })
})

describe('a refusal', () => {
  it.each([
    [403, 'policy', 'denied/provider-policy', /a rule of the account/],
    [403, 'slow_down', 'throttled/provider', /slow down/],
    [409, 'busy', 'unavailable/provider', /cannot be done yet/],
    [403, 'no_role', 'denied/provider', /it takes the role Key Admin of the project/],
    [401, 'bad_admin', 'denied/provider', /it takes the role Key Admin/],
    [404, 'no_project', 'not-found/principal', /config names another/],
    [400, 'bad_scope', 'invalid/answer', /its description does not explain/],
    [422, 'too_many_keys', 'conflict/full', /no room/]
  ])('%i %s is %s, with the vendor’s code', async (status, code, ours, message) => {
    const { create, double, current } = await acmeScene()
    double.setFault(({ op }) => (op === 'CreateKey' ? { status, body: { error: { code, message: PLANTED } } } : undefined))
    expect(await refusal(create(), current)).toMatchObject({ code: ours, vendor: code, message: expect.stringMatching(message) })
  })

  it('inside a success is one too', async () => {
    const errors = [{ when: { status: 200, at: 'ok', equals: [false] }, is: 'denied' }] as const
    const { hold, current, double } = await acmeScene({ description: acme({ errors }) })
    double.setFault(() => ({ status: 200, body: { ok: false, data: [] } }))
    expect((await refusal((await hold()).live(current, soon()))).code).toBe('denied/provider')
  })

  it('that quotes a key in its code or message is not repeated', async () => {
    const { create, double, verify, hold, current } = await acmeScene()
    for (const body of [{ error: { code: VALUE, message: ADMIN_TOKEN } }, `${VALUE} ${ADMIN_TOKEN}`]) {
      double.setFault(() => ({ status: 400, body }))
      for (const work of [
        create,
        verify,
        async () => (await hold()).live(current, soon()),
        async () => (await hold()).retire(current, { endSessions: false }, soon())
      ]) {
        const e = await refusal(work())
        for (const secret of [VALUE, ADMIN_TOKEN]) expect(`${e.message} ${e.vendor} ${e.stack}`).not.toContain(secret)
      }
    }
  })
})

describe('a call with the key', () => {
  it.each([
    ['a bare 401 of a proxy', { status: 401, body: '<html>' }],
    ['a page of a proxy', { status: 200, body: '<html>' }],
    ['a bare 403', { status: 403 }],
    ['a 403 with the code of a dead key', { status: 403, body: { error: { code: 'invalid_key' } } }],
    ['a 401 with another code', { status: 401, body: { error: { code: 'clock_skew' } } }],
    ['a 404', { status: 404, body: { error: { code: 'invalid_key' } } }]
  ])('that is answered with %s tells nothing', async (_, answer) => {
    const { double, verify } = await acmeScene()
    double.setFault(() => answer)
    expect(await refusal(verify())).toMatchObject({
      code: 'unavailable/provider',
      message: expect.stringContaining('neither alive nor dead')
    })
  })

  it('that is refused for want of a right, by its code, is alive', async () => {
    const { double, verify } = await acmeScene()
    double.setFault(() => ({ status: 403, body: { error: { code: 'insufficient_scope' } } }))
    expect(await verify()).toBe('accepted')
  })

  it('that both rules take for theirs tells nothing', async () => {
    const dead = [{ status: 200, at: 'status', equals: ['disabled'] }]
    const { double, verify } = await acmeScene({ description: acme({ verify: { ...ACME.verify, dead } }) })
    expect(await verify()).toBe('accepted')
    double.setFault(() => ({ status: 200, body: { status: 'disabled' } }))
    expect((await refusal(verify())).message).toContain('both alive and dead')
  })

  it('is dead by a success that says so, and by a bare status where there is nothing else', async () => {
    const alive = [{ status: 200, at: 'valid', equals: [true] }]
    const dead = [{ status: 200, at: 'valid', equals: [false] }, { status: 401 }]
    const onlyStatus = { source: 'https://docs.acme.example/errors' }
    const { double, hold, current } = await acmeScene({
      description: acme({ verify: { ...ACME.verify, alive, dead, onlyStatus } })
    })
    const said: string[] = []
    for (const answer of [{ status: 200, body: { valid: false } }, { status: 401 }]) {
      double.setFault(({ op }) => (op === 'WhoAmI' ? answer : undefined))
      said.push((await (await hold()).retire(current, { endSessions: false }, soon())).refusal)
    }
    expect(said).toEqual(['valid false', 'status 401'])
  })
})

describe('the admin’s secret', () => {
  const withAdmin = (text: string) => acmeScene({ settings: { admin: async () => new SecretText(text) } })

  it.each([
    [`${PLANTED}`, /admin secret: the secret is not JSON/],
    [`["${PLANTED}"]`, /admin secret/],
    [`{"token":"${PLANTED}"}`, /admin secret’s organization is not there/],
    [`{"token":["${PLANTED}"],"organization":"org-1"}`, /admin secret’s token is not there/],
    [`{"provider":"bolt","token":"${PLANTED}","organization":"org-1"}`, /another provider’s than acme/]
  ])('%s is refused without quoting it, and nothing is sent', async (text, message) => {
    const { create, sent } = await withAdmin(text)
    expect(await refusal(create())).toMatchObject({ code: 'invalid/document', message: expect.stringMatching(message) })
    expect(sent()).toBe(0)
  })

  it('may say whose it is', async () => {
    for (const provider of ['acme', ['bolt', 'acme']]) {
      const { create } = await withAdmin(JSON.stringify({ provider, token: ADMIN_TOKEN, organization: 'org-1' }))
      expect((await create()).principal).toMatch(/^key_/)
    }
  })
})
