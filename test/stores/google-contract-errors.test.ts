import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Principal } from '../doubles/google-secrets.ts'
import { clientOf, mask, NUMBER, PROJECT, type Subject, subject } from './google-contract-subject.ts'

const APP = `${PROJECT}/secrets/app`
const PRINCIPALS: readonly Principal[] = [
  { name: 'owner@example.com', tokens: ['owner-token'], may: { '*': ['roles/owner'] } },
  { name: 'app@example.com', tokens: ['app-token'], may: { app: ['roles/secretmanager.secretAccessor'] } },
  {
    name: 'keyturn@example.com',
    tokens: ['keyturn-token'],
    may: {
      'app*': ['roles/secretmanager.viewer', 'roles/secretmanager.secretAccessor', 'roles/secretmanager.secretVersionAdder'],
      app: ['secretmanager.secrets.update']
    }
  }
]

describe('the double of Google Secret Manager, refusing', () => {
  let s: Subject
  beforeEach(async () => {
    s = await subject({ principals: PRINCIPALS })
    await s.create(['one'], { annotations: { a: '1' } })
    await s.create(['pending'], {}, 'app-pending')
  })
  afterEach(() => s.close())

  const as = async (token: string, method: string, path: string, body?: object) =>
    (await s.send(method, path, body, token)).status

  it('lets each principal do what it was granted, secret by secret', async () => {
    expect(await as('app-token', 'GET', `${APP}/versions/latest:access`)).toBe(200)
    expect(await as('app-token', 'GET', `${APP}-pending/versions/latest:access`)).toBe(403)
    expect(await as('app-token', 'GET', APP)).toBe(403)
    expect(await as('keyturn-token', 'GET', `${APP}-pending/versions/latest:access`)).toBe(200)
    expect(await as('keyturn-token', 'PATCH', `${APP}?${mask('annotations')}`, {})).toBe(200)
    expect(await as('keyturn-token', 'PATCH', `${APP}-pending?${mask('annotations')}`, {})).toBe(403)
    expect(await as('keyturn-token', 'POST', `${APP}/versions/1:disable`, {})).toBe(403)
    expect(await as('keyturn-token', 'GET', `${PROJECT}/secrets/other`)).toBe(403)
    expect(await as('keyturn-token', 'GET', `${PROJECT}/secrets`)).toBe(403)
    expect(await as('owner-token', 'GET', `${PROJECT}/secrets`)).toBe(200)
  })

  it('takes a grant back, and gives one, at once', async () => {
    s.double.allow('app@example.com', {})
    expect(await as('app-token', 'GET', `${APP}/versions/1:access`)).toBe(403)
    s.double.allow('sweeper@example.com', { '*': ['roles/secretmanager.viewer'] })
    s.double.accept('sweeper-token', 'sweeper@example.com')
    expect(await as('sweeper-token', 'GET', `${PROJECT}/secrets`)).toBe(200)
  })

  it('answers 403 to a stranger and 404 to an owner for a secret that does not exist', async () => {
    const none = `${PROJECT}/secrets/none`
    const { status, error } = await s.send('GET', `${none}/versions/latest:access`, undefined, 'app-token')
    const resource = `${none}/versions/latest`
    expect([status, error]).toEqual([
      403,
      {
        code: 403,
        message: `Permission 'secretmanager.versions.access' denied for resource '${resource}' (or it may not exist).`,
        status: 'PERMISSION_DENIED',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'IAM_PERMISSION_DENIED',
            domain: 'iam.googleapis.com',
            metadata: { permission: 'secretmanager.versions.access', resource }
          }
        ]
      }
    ])
    expect((await s.send('GET', none)).error).toEqual({
      code: 404,
      message: `Secret [${NUMBER}/secrets/none] not found.`,
      status: 'NOT_FOUND'
    })
    expect((await s.send('GET', `${none}/versions/latest:access`)).error.message).toContain('not found or has no versions.')
    expect((await s.send('GET', `${APP}/versions/7:access`)).error.message).toBe(
      `Secret Version [${NUMBER}/secrets/app/versions/7] not found.`
    )
    expect((await s.send('GET', `${APP}/versions/live:access`)).error.message).toBe(
      `Secret [${NUMBER}/secrets/app] has no alias [live]`
    )
  })

  it('answers 401 without a token, with one that is nobody’s, and with one that expired', async () => {
    s.double.accept('brief', 'owner@example.com', Date.UTC(2030, 0, 1, 13))
    expect(await as('brief', 'GET', APP)).toBe(200)
    s.advance(3_600_000)
    const reasons: unknown[] = []
    for (const token of ['', 'unknown', 'brief']) {
      const { status, error, headers } = await s.send('GET', APP, undefined, token)
      reasons.push([status, error.status, error.details?.[0]?.reason, headers.has('www-authenticate')])
    }
    expect(reasons).toEqual([
      [401, 'UNAUTHENTICATED', 'CREDENTIALS_MISSING', true],
      [401, 'UNAUTHENTICATED', 'ACCESS_TOKEN_TYPE_UNSUPPORTED', true],
      [401, 'UNAUTHENTICATED', 'ACCESS_TOKEN_EXPIRED', true]
    ])
    expect(s.double.calls.slice(-4).map((c) => c.principal)).toEqual(['owner@example.com', undefined, undefined, undefined])
  })

  it('gives the vendor’s client the reason and the permission that are missing', async () => {
    const client = clientOf(s.double.url, 'app-token')
    const seen = await client.getSecret({ name: APP }).catch((e) => [e.code, e.reason, e.domain, e.errorInfoMetadata])
    expect(seen).toEqual([
      7,
      'IAM_PERMISSION_DENIED',
      'iam.googleapis.com',
      { permission: 'secretmanager.secrets.get', resource: APP }
    ])
    await client.close()
  })

  it('says which of some permissions a principal has, and none for a secret that is not there', async () => {
    const permissions = ['secretmanager.versions.access', 'secretmanager.versions.add']
    const ask = async (path: string) => (await s.send('POST', `${path}:testIamPermissions`, { permissions }, 'app-token')).body
    expect(await ask(APP)).toEqual({ permissions: ['secretmanager.versions.access'] })
    expect(await ask(`${PROJECT}/secrets/none`)).toEqual({})
  })

  it('tells a disabled version, a destroyed one, a stale etag and a KMS key apart by words only', async () => {
    const messages: unknown[] = []
    const failed = async (method: string, path: string, body?: object) => {
      const { status, error } = await s.send(method, path, body)
      expect([status, error.status]).toEqual([400, 'FAILED_PRECONDITION'])
      messages.push(error.message)
    }
    s.double.set('app', { kmsUnavailable: true })
    await failed('GET', `${APP}/versions/1:access`)
    await failed('POST', `${APP}:addVersion`, { payload: { data: 'eA==' } })
    s.double.set('app', { kmsUnavailable: false })
    await s.send('POST', `${APP}/versions/1:disable`, {})
    await failed('GET', `${APP}/versions/1:access`)
    await s.send('POST', `${APP}/versions/1:destroy`, {})
    await failed('GET', `${APP}/versions/1:access`)
    await failed('POST', `${APP}/versions/1:destroy`, {})
    await failed('PATCH', `${APP}?${mask('annotations')}`, { etag: '"1"' })
    expect(messages).toEqual([
      expect.stringContaining('Failed precondition on Cloud KMS resource'),
      expect.stringContaining('Failed precondition on Cloud KMS resource'),
      `Secret Version [${NUMBER}/secrets/app/versions/1] is in DISABLED state.`,
      `Secret Version [${NUMBER}/secrets/app/versions/1] is in DESTROYED state.`,
      'SecretVersion.state is already DESTROYED.',
      expect.stringContaining('The etag provided in the request does not match')
    ])
  })

  it('refuses a name that the message does not have, and says where it was', async () => {
    const refused = async (method: string, path: string, body?: unknown) => {
      const { status, error } = await s.send(method, path, body)
      expect([status, error.status]).toEqual([400, 'INVALID_ARGUMENT'])
      expect(error.details?.[0]?.['@type']).toBe('type.googleapis.com/google.rpc.BadRequest')
      return error.message
    }
    const said = (name: string, rest: string) => `Invalid JSON payload received. Unknown name "${name}"${rest}`
    expect(await refused('PATCH', `${APP}?${mask('labels')}`, { owner: 'x' })).toBe(
      said('owner', " at 'secret': Cannot find field.")
    )
    const payload = { data: 'eA==', requestId: '1' }
    expect(await refused('POST', `${APP}:addVersion`, { payload })).toBe(said('requestId', " at 'payload': Cannot find field."))
    expect(await refused('POST', `${APP}:addVersion`, { etag: '"1"', payload: { data: 'eA==' } })).toBe(
      said('etag', ': Cannot find field.')
    )
    expect(await refused('GET', `${APP}?view=FULL`)).toBe(
      said('view', ": Cannot bind query parameter. Field 'view' could not be found in request message.")
    )
    expect(await refused('POST', `${APP}:addVersion`, '{"payload":')).toContain('Invalid JSON payload received.')
    expect(await refused('PATCH', `${APP}?${mask('labels')}`, { labels: [] })).toContain('Cannot bind a list to map')
    expect(await refused('PATCH', `${APP}?${mask('labels')}`, { labels: { a: 1 } })).toBe(
      "Invalid value at 'secret.labels[a]' (TYPE_STRING), 1"
    )
    expect(await refused('POST', `${APP}:addVersion`, { payload: { data: 'eA==', dataCrc32c: 'x' } })).toContain('(TYPE_INT64)')
    // Why keyturn must never pass such a message on: it repeats the value.
    expect(await refused('POST', `${APP}:addVersion`, { payload: { data: '-not base64-' } })).toContain('-not base64-')
  })

  it('takes names in snake_case too, and the query parameters of every Google API', async () => {
    expect(
      (await s.send('PATCH', `${APP}?update_mask=version_aliases&prettyPrint=false&alt=json`, { version_aliases: { live: '1' } }))
        .status
    ).toBe(200)
    expect(s.double.secret('app')?.versionAliases).toEqual({ live: '1' })
  })

  it('writes enum values as numbers for who asks for that, as the vendor’s client does', async () => {
    const url = `${s.double.url}/v1/${APP}/versions?$alt=json%3Benum-encoding=int`
    const response = await fetch(url, { headers: { Authorization: 'Bearer owner-token' } })
    expect(await response.json()).toMatchObject({ versions: [{ state: 1, replicationStatus: { automatic: {} } }], totalSize: 1 })
  })

  it('refuses a secret id that no secret can have', async () => {
    for (const id of ['db.password', 'x'.repeat(256), 'a%20b']) {
      const { status, error } = await s.send('GET', `${PROJECT}/secrets/${id}/versions/latest:access`)
      expect([status, error.status, error.message?.slice(-26)]).toEqual([400, 'INVALID_ARGUMENT', ' is not in a valid format.'])
    }
  })

  it('answers a page of HTML for a path that no call has', async () => {
    for (const path of ['secrets/app%2Fversions%2F1', 'secrets/%zz']) {
      expect((await fetch(`${s.double.url}/v1/${PROJECT}/${path}`)).status).toBe(404)
    }
    const response = await fetch(`${s.double.url}/v1/projects/keyturn-test/vaults`, {
      headers: { Authorization: 'Bearer owner-token' }
    })
    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'text/html; charset=UTF-8'])
  })

  it('writes the clock that it is given into the Date header', async () => {
    s.advance(3_600_000)
    expect((await s.send('GET', APP)).headers.get('date')).toBe('Tue, 01 Jan 2030 13:00:00 GMT')
  })
})
