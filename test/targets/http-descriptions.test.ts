import { describe, expect, it } from 'vitest'
import { checkDescription, parseDescriptions } from '../../shared/targets/http-checks.ts'
import type { HttpDescription } from '../../shared/targets/http-description.ts'
import { PLANTED, refusal } from '../conformance/target-harness.ts'
import { ACME } from '../doubles/http-example.ts'
import { BOLT } from '../doubles/http-example-form.ts'

/** Acme's description as JSON, with other values at some places; undefined takes a member away. */
function changed(changes: Readonly<Record<string, unknown>>, of: HttpDescription = ACME): unknown {
  const copy = JSON.parse(JSON.stringify(of)) as Record<string, unknown>
  for (const [path, value] of Object.entries(changes)) {
    const names = path.split('.')
    const last = names.pop() ?? ''
    let at = copy
    for (const name of names) at = at[name] as Record<string, unknown>
    if (value === undefined) delete at[last]
    else at[last] = value
  }
  return copy
}

const refusedFor = async (changes: Readonly<Record<string, unknown>>, of?: HttpDescription) => {
  const e = await refusal(() => checkDescription(changed(changes, of)))
  expect(e.code).toBe('invalid/description')
  return e.message
}

it('a description is taken as it is, from a file too', () => {
  expect(checkDescription(ACME)).toBe(ACME)
  const [acme, bolt] = parseDescriptions(JSON.stringify([ACME, BOLT]))
  expect([acme, bolt]).toEqual(JSON.parse(JSON.stringify([ACME, BOLT])))
  expect(parseDescriptions('[]')).toEqual([])
})

describe('the shape of a description: what is wrong is named by its place, and not quoted', () => {
  it.each([
    [{ create: undefined }, 'create is missing'],
    [{ 'create.id': undefined }, 'create.id is missing'],
    [{ 'list.items': 3 }, 'list.items must be string'],
    [{ hosts: 'api.acme.example' }, 'hosts must be a list'],
    [{ hosts: [] }, 'hosts must name a host'],
    [{ 'create.method': 'get' }, 'create.method must be (GET or POST'],
    [{ token: PLANTED }, 'token is no field that a description has'],
    [{ 'create.retry': true, 'list.retry': true }, 'create.retry is no field'],
    [{ 'create.retry': true, 'list.retry': true }, 'list.retry is no field'],
    [{ 'facts.maxLive': 2.5 }, 'facts.maxLive must be a whole number'],
    [{ 'facts.settlesMs': -1 }, 'facts.settlesMs must not be negative'],
    [{ 'facts.overlap': PLANTED }, 'facts.overlap must be (dual or provider or none)'],
    [{ 'list.paging': { by: 'cursor', parameter: 'a' } }, 'list.paging.next is missing'],
    [{ 'list.paging': { by: 'guess' } }, 'list.paging.by must be (cursor or page'],
    [{ 'list.createdAt.format': 'seconds' }, 'list.createdAt.format must be'],
    [{ 'verify.dead': [] }, 'verify.dead must name an answer'],
    [{ 'verify.dead.0.status': 99 }, 'verify.dead.0.status must be a status'],
    [{ 'errors.0.is': 'sad' }, 'errors.0.is must be'],
    [{ 'source.url': 'acme' }, 'source.url must be the URL of a page'],
    [{ 'source.date': 'in March' }, 'source.date must be a day'],
    [{ name: 'Acme Keys' }, 'name must be 1 to 64 characters'],
    [{ auth: PLANTED }, 'auth must be an object'],
    [{ auth: { bearer: PLANTED } }, 'auth'],
    [{ 'config.project': 'text' }, 'config.project must be an object']
  ])('%j: %s', async (changes, message) => {
    expect(await refusedFor(changes)).toContain(message)
  })

  it('all of it at once', async () => {
    const message = await refusedFor({ create: undefined, 'facts.maxLive': '2', more: 1, 'list.id': null })
    for (const place of ['create', 'facts.maxLive', 'more', 'list.id']) expect(message).toContain(place)
  })

  it.each([PLANTED, '{', '{}', 'null', '["a"]', `[{"name":"x","token":"${PLANTED}"}]`])('a file %j is none', async (text) => {
    expect((await refusal(() => parseDescriptions(text))).code).toBe('invalid/description')
  })
})

const API = 'https://api.acme.example'

describe('where a token may go', () => {
  it.each([
    [{ hosts: ['other.example'] }, 'create.url goes to api.acme.example, not among hosts'],
    [{ hosts: ['API.acme.example', 'api.acme.example'] }, 'hosts.0 must be a host as URLs have it'],
    [{ hosts: ['api.acme.example', 'api.acme.example:443'] }, 'hosts.1 must be'],
    [{ hosts: ['api.acme.example', 'user@api.acme.example'] }, 'hosts.1 must be'],
    [{ hosts: ['api.acme.example', 'evil.example/'] }, 'hosts.1 must be'],
    [{ hosts: ['api.acme.example', '0x7f.1'] }, 'hosts.1 must be'],
    [{ 'create.url': `http://api.acme.example/v1` }, 'create.url must be https://'],
    [{ 'create.url': `https://user:pw@api.acme.example/v1` }, 'create.url goes to user:pw@api.acme.example'],
    [{ 'create.url': `${API}:8443/v1` }, 'create.url goes to api.acme.example:8443'],
    [{ 'create.url': `${API}/v1#x` }, 'create.url must be https://'],
    [{ 'create.url': `${API}\\@evil.example/v1` }, 'create.url must be https://'],
    [{ 'create.url': `${API}.evil.example/v1` }, 'create.url goes to api.acme.example.evil.example'],
    [{ 'create.url': `${API}/v1/../admin` }, 'create.url is not written as it would be sent'],
    [{ 'create.url': `${API}/v1/a b` }, 'create.url is not written as it would be sent'],
    [
      { 'create.url': 'https://{config.project}/v1' },
      'create.url has {config.project}: in a host there are only config fields with choices'
    ],
    [{ 'create.url': 'https://api.{config.project}.example/v1' }, 'in a host there are only config fields with choices'],
    [{ 'create.url': 'https://{mark}.acme.example/v1' }, 'in a host there are only config fields with choices'],
    [{ 'create.url': 'https://{admin.host}/v1' }, 'in a host there are only config fields with choices'],
    [
      { 'create.url': 'https://{config.site}/v1', 'config.site': { choices: ['api.acme.example', 'evil.example'] } },
      'create.url goes to evil.example, not among hosts'
    ],
    [
      { 'create.url': 'https://{config.site}/v1', 'config.site': { choices: ['api.acme.example/x?'] } },
      'create.url goes to api.acme.example/x?, not among hosts'
    ]
  ])('%j: %s', async (changes, message) => {
    expect(await refusedFor(changes)).toContain(message)
  })
})

describe('what stands for what', () => {
  it.each([
    [{ 'create.json.name': '{marc}' }, 'create.json.name has {marc}, which is no placeholder'],
    [{ 'create.json.deep': [{ a: '{constructor}' }] }, 'create.json.deep.0.a has {constructor}, which is no placeholder'],
    [{ 'create.json.name': '{mark' }, 'create.json.name has a brace without its other half'],
    [{ 'create.json.name': 'mark}' }, 'create.json.name has a brace without its other half'],
    [{ 'create.json.x': '{config.nobody}' }, 'create.json.x has {config.nobody}: config does not declare it'],
    [{ 'create.json.x': '{config.constructor}' }, 'create.json.x has {config.constructor}: config does not declare it'],
    [{ 'create.json.x': '{id}' }, 'create.json.x has {id}: it is about no key'],
    [{ 'create.json.x': '{value}' }, 'create.json.x has {value}: only verify'],
    [{ 'create.json.x': '{admin.token}' }, 'create.json.x has {admin.token}: only in auth and headers'],
    [{ 'revoke.url': `${API}/k/{id}?t={admin.token}` }, 'revoke.url has {admin.token}: only in auth and headers'],
    [{ 'revoke.url': `${API}/k/{key.value}` }, 'revoke.url has {key.value}: only in auth and headers'],
    [{ 'revoke.url': `${API}/k/{mark}` }, 'revoke.url has {mark}: only create has a mark'],
    [{ 'verify.url': `${API}/v1/check?key={value}` }, 'verify.url has {value}: in a URL only with valueInUrl'],
    [
      { 'verify.headers': { 'x-admin': '{admin.token}' } },
      'verify.headers.x-admin has {admin.token}: only in auth and headers, and not of verify'
    ],
    [
      { 'create.json.x': '{read.name}', 'read.values': { other: 'a' } },
      'create.json.x has {read.name}: read.values does not name it'
    ],
    [{ 'disable.json.name': 'x {read.name}' }, 'disable.json.name has {read.name}: it may be absent, so it must stand alone'],
    [{ 'list.headers': { x: '{read.name}' } }, 'list.headers.x has {read.name}: only in bodies of'],
    [{ 'create.json.scopes': 'x{config.scopes}' }, 'create.json.scopes has {config.scopes}: what is JSON stands alone'],
    [{ 'create.headers.x': '{config.scopes}' }, 'create.headers.x has {config.scopes}: what is JSON stands alone'],
    [{ 'create.json.x': 'tag {config.tag}' }, 'create.json.x has {config.tag}: what is optional stands alone'],
    [{ 'list.url': `${API}/k/{config.tag}` }, 'list.url has {config.tag}: what is optional stands alone'],
    [{ 'list.where': [{ at: 'a', equals: '{mark}' }] }, 'list.where.0.equals has {mark}: there are only config fields'],
    [{ 'auth.headers.authorization': 'Bearer {token}' }, 'auth.headers.authorization has {token}, which is no placeholder'],
    [{ auth: { headers: { authorization: `Bearer ${PLANTED}` } } }, 'auth sends nothing of the admin secret, nor the key'],
    [{ 'revoke.auth': { headers: { a: PLANTED } } }, 'revoke.auth sends nothing of the admin secret'],
    [{ 'verify.auth': { headers: { a: PLANTED } } }, 'verify does not send {value}'],
    [{ 'create.headers.host': 'evil.example' }, 'create cannot have the header "host"'],
    [{ 'create.headers.Content-Length': '0' }, 'create cannot have the header "content-length"'],
    [{ 'create.headers.Acme-Tag': 'b' }, 'create cannot have the header "acme-tag", or not twice'],
    [{ 'create.headers.a b': 'c' }, 'create cannot have the header "a b"'],
    [{ 'create.headers.x': 'a\r\nb: c' }, 'create.headers.x has a control character'],
    [{ 'create.form': { a: 'b' } }, 'create has both json and form'],
    [{ 'list.json': { a: 'b' } }, 'list is a GET with a body'],
    [{ 'config.idle': {} }, 'config.idle is used by no request'],
    [{ 'config.scopes.choices': ['a'] }, 'config.scopes is JSON: it can have no choices'],
    [{ 'config.tag.default': 'a' }, 'config.tag has a default, so it is not optional'],
    [{ 'config.project': { choices: ['a'], default: 'b' } }, 'config.project.default is none of its choices'],
    [{ fields: { keyId: 'provider' } }, 'fields must be two names of their own'],
    [{ fields: { keyId: 'apiKey' } }, 'fields must be two names of their own']
  ])('%j: %s', async (changes, message) => {
    expect(await refusedFor(changes)).toContain(message)
  })

  it('the key itself may stand in a URL where the description says so', () => {
    const url = `${API}/v1/check?key={value}`
    expect(
      checkDescription(changed({ 'verify.url': url, 'verify.valueInUrl': true, 'verify.auth': { headers: {} } }))
    ).toBeDefined()
  })
})

describe('what answers mean', () => {
  it.each([
    [{ 'create.id': 'data[' }, 'create.id is no path'],
    [{ 'create.id': 'data..id' }, 'create.id is no path'],
    [{ 'create.value': "data['x']" }, 'create.value is no path'],
    [{ 'create.value': 'data.value?' }, 'create.value must be there, without ?'],
    [{ 'list.items': 'data[*]' }, 'list.items must name one place, without [*]'],
    [{ 'list.id': '$.' }, 'list.id is no path'],
    [{ 'list.lastUsed.at': '{id}' }, 'list.lastUsed.at is no path'],
    [{ code: '(code)' }, 'code is no path'],
    [{ 'list.paging.next': 'a[b]' }, 'list.paging.next is no path'],
    [{ 'list.paging.parameter': 'limit' }, 'list.url has the parameter of list.paging already'],
    [{ 'verify.dead': [{ status: 401 }] }, 'verify.dead.0 is a bare status: it needs a code'],
    [{ 'verify.dead': [{ status: 403 }] }, 'verify.dead.0 is a bare 403, which is never dead'],
    [
      { 'verify.dead': [{ status: [401, 403] }], 'verify.onlyStatus': { source: 'https://docs.acme.example/errors' } },
      'verify.dead.0 is a bare 403'
    ],
    [
      { 'verify.dead': [{ status: 200 }], 'verify.onlyStatus': { source: 'https://docs.acme.example/errors' } },
      'verify.dead.0 is a bare success'
    ],
    [{ 'verify.dead': [{ status: 401 }], 'verify.onlyStatus': {} }, 'verify.onlyStatus.source is missing'],
    [{ 'verify.alive': [{ status: [200, 403] }] }, 'verify.alive.0 is a bare refusal'],
    [{ 'verify.alive': [{ status: 401 }] }, 'verify.alive.0 is a bare refusal'],
    [{ 'verify.alive': [{ status: 200, at: 'ok' }] }, 'verify.alive.0 needs at, with either equals or contains'],
    [{ 'verify.alive': [{ status: 200, equals: [true] }] }, 'verify.alive.0 needs at'],
    [{ 'verify.alive': [{ status: 200, at: 'ok', equals: [true], contains: 'x' }] }, 'verify.alive.0 needs at'],
    [{ 'verify.alive': [{ status: 200, at: 'ok', equals: [] }] }, 'verify.alive.0.equals must name a value'],
    [{ 'verify.alive': [{ status: [] }] }, 'verify.alive.0.status must name a status'],
    [{ 'verify.dead': [{ status: 503, at: 'a', equals: ['b'] }] }, 'verify.dead.0: 503 is never told apart'],
    [{ 'verify.dead': [{ status: 429, at: 'a', equals: ['b'] }] }, 'verify.dead.0: 429 is never told apart'],
    [{ errors: [{ when: { status: 403 }, is: 'gone' }] }, 'errors.0 is a bare 401 or 403'],
    [{ 'create.errors': [{ when: { status: 200 }, is: 'full' }] }, 'create.errors.0 takes every success for a failure'],
    [{ enable: undefined }, 'disable and enable go together'],
    [{ 'list.disabled': undefined }, 'list.disabled must tell which key is disabled'],
    [{ 'auth.headers.x': '{key.value}' }, 'a key that manages itself could not enable itself'],
    [{ 'create.json.name': 'keyturn' }, 'create sends no {mark}, so list.name is no sign of ours'],
    [{ 'create.repeatable': true }, 'create is never repeatable'],
    [{ 'create.method': 'GET', 'create.json': undefined }, 'create must be a POST, PUT or PATCH'],
    [{ 'disable.json': { s: 'x' }, 'enable.json': { s: 'y' } }, 'read is used by no request'],
    [{ 'facts.maxLive': 1 }, 'facts.maxLive must be 2 at least'],
    [{ 'facts.lastUsed': 'none' }, 'facts.lastUsed is none exactly where'],
    [{ 'list.lastUsed': undefined }, 'facts.lastUsed is none exactly where'],
    [{ 'facts.telemetryLagMs': 0 }, 'facts.telemetryLagMs is 0 exactly where']
  ])('%j: %s', async (changes, message) => {
    expect(await refusedFor(changes)).toContain(message)
  })

  it('a bare status means dead where the vendor’s page says that there is nothing else', () => {
    const onlyStatus = { source: 'https://docs.acme.example/errors' }
    expect(checkDescription(changed({ 'verify.dead': [{ status: 401 }], 'verify.onlyStatus': onlyStatus }))).toBeDefined()
  })
})

describe('a provider with room for one key', () => {
  it.each(['provider', 'none'])('overlap %s is refused with the reason', async (overlap) => {
    for (const work of [
      () => checkDescription(changed({ 'facts.overlap': overlap })),
      () => parseDescriptions(JSON.stringify([BOLT, changed({ 'facts.overlap': overlap, 'facts.maxLive': 1 })]))
    ]) {
      const e = await refusal(work)
      expect(e.code).toBe('unsupported/overlap')
      expect(e.message).toMatch(/acme: .*crash between its creation and its keeping/)
    }
  })
})

it('a file with two wrong descriptions and two of one name is refused for each of them', async () => {
  const wrong = [changed({ hosts: [] }), changed({ token: 1 }, BOLT), { hosts: [] }]
  const e = await refusal(() => parseDescriptions(JSON.stringify(wrong)))
  expect(e.message).toMatch(/acme: hosts.*\nbolt: token.*\ndescription 3: name is missing/s)
  expect((await refusal(() => parseDescriptions(JSON.stringify([ACME, BOLT, ACME])))).message).toContain('the name acme')
})
