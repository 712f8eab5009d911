import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Report } from '../../shared/act.ts'
import { CODES, type Code, KeyturnError } from '../../shared/errors.ts'
import { httpStatusOf, MAX_BODY_BYTES } from '../../shared/http.ts'
import { findAzurite } from '../servers/azurite.ts'
import { eventOf, principalOf } from './azure-events.ts'
import type { HttpAnswer, HttpQuestion } from './azure-host.ts'
import { type AzureWorld, DAY, type Owned, startAzureWorld } from './azure-world.ts'
import { type BuiltFunction, builtFunction } from './lambda-runtime.ts'

const refusal = (code: Code, status = httpStatusOf(new KeyturnError(code, ''))) => {
  const [retryable, todo] = CODES[code]
  return { status, body: { ok: false, code, retryable, todo } }
}

/** Without Azurite there is no journal, and nothing is rotated. */
const rotates = findAzurite() !== undefined

describe('POST /api/rotate-database', () => {
  let built: BuiltFunction
  let world: AzureWorld
  beforeAll(async () => {
    built = await builtFunction('azure/rotate-database')
    world = await startAzureWorld(built.folder)
  })
  afterAll(async () => {
    await world.close()
    built.remove()
  })

  const post = (question: HttpQuestion): Promise<HttpAnswer> => world.app().http('rotate-database', question)
  const rotation = (secret: Owned, more: object = {}) => ({ ...eventOf('http-rotate'), secretId: secret.name, ...more })
  const reported = ({ body }: HttpAnswer, { name }: Owned) => (body as Report).results.find((r) => r.secret === name)

  if (rotates)
    describe('rotates', () => {
      test('one secret, and answers with the report; both logins work afterwards', async () => {
        const secret = await world.secret()
        const before = await world.read(secret)
        const answer = await post({ body: rotation(secret) })
        expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } })
        expect(reported(answer, secret)).toMatchObject({ ok: true, phase: 'draining', current: secret.b, previous: secret.a })
        expect([await world.login(await world.read(secret)), await world.login(before)]).toEqual(['in', 'in'])
      })

      test('once for each requestId, in the same process and in a new one', async () => {
        const secret = await world.secret()
        const body = rotation(secret, { requestId: 'ticket 4711' })
        await post({ body })
        const newest = world.newestVersion(secret)
        const again = [await post({ body })]
        await world.restart()
        again.push(await post({ body }))
        const note = expect.stringContaining('done already')
        expect(again.map((answer) => reported(answer, secret))).toMatchObject([{ note }, { note }])
        expect(world.newestVersion(secret)).toBe(newest)
      })

      test('everything that is due, when a sweep is asked for; what fails is the status, and the rest is done', async () => {
        const bad = await world.secret({ more: { masterarn: 'nobody' } })
        const good = await world.secret()
        world.advance(31 * DAY)
        const answer = await post({ body: eventOf('http-sweep') })
        expect(answer.status).toBe(httpStatusOf(new KeyturnError('not-found/admin-secret', '')))
        expect(answer.body).toMatchObject({ ok: false, code: 'not-found/admin-secret' })
        const { report } = answer.body as { report: Report }
        const about = (secret: Owned) => report.results.find((r) => r.secret === secret.name)
        expect([about(bad), about(good)]).toMatchObject([
          { ok: false, code: 'not-found/admin-secret' },
          { ok: true, current: good.b }
        ])
      })
    })

  describe('refuses', () => {
    const BODIES: Readonly<Record<string, HttpQuestion>> = {
      'no body': {},
      'a body that is not JSON': { body: '{"action":"rotate","secretId":"hunter2' },
      'a body that is not UTF-8': { body: Buffer.from([0xff, 0xfe]) },
      'a list': { body: [eventOf('http-rotate')] },
      'a text': { body: '"rotate"' },
      'an action that is none': { body: { action: 'explode' } },
      'a rotation of nothing': { body: { action: 'rotate' } },
      'a sweep of one secret': { body: { action: 'sweep', secretId: 'db-app' } },
      'a field of no request': { body: { action: 'sweep', forse: 'hunter2' } }
    }
    test.each(Object.entries(BODIES))('%s', async (_, question) => {
      expect(await post(question)).toMatchObject(refusal('invalid/request', 400))
      expect(world.output()).not.toContain('hunter2')
    })

    test('a body that is longer than any request', async () => {
      const request = JSON.stringify({ action: 'explode' })
      const padded = (bytes: number): string => request + ' '.repeat(bytes - request.length)
      expect(await post({ body: padded(MAX_BODY_BYTES + 1) })).toMatchObject(refusal('invalid/request', 413))
      expect(await post({ body: padded(MAX_BODY_BYTES) })).toMatchObject(refusal('invalid/request', 400))
    })

    test('a secret that is not there, and one that keyturn does not manage', async () => {
      const own = await world.secret({ metadata: null })
      const nobody = { name: 'nobody', a: '', b: '' }
      expect(await post({ body: rotation(nobody) })).toMatchObject(refusal('not-found/secret', 404))
      expect(await post({ body: rotation(own) })).toMatchObject(refusal('conflict/unmanaged', 409))
      expect(world.vault.versions(own.name)).toHaveLength(1)
    })

    if (rotates)
      test('a second rotation inside the grace, and says when to come again', async () => {
        const secret = await world.secret()
        await post({ body: rotation(secret) })
        const again = await post({ body: rotation(secret) })
        expect(again).toMatchObject({ ...refusal('conflict/inside-grace', 409), headers: { 'retry-after': '60' } })
        const never = await post({ body: rotation(await world.secret({ metadata: null })) })
        expect(never.headers).not.toHaveProperty('retry-after')
      })

    test('for keyturn’s own want of a right, and shows nothing of what the vault said', async () => {
      const secret = await world.secret()
      world.vault.setRights('app', [])
      const answer = await post({ body: rotation(secret) })
      world.vault.setRights('app', undefined)
      expect(answer).toMatchObject(refusal('denied/store', 502))
      expect(JSON.stringify(answer.body)).not.toMatch(/Caller|appid|vault\.azure/)
    })
  })

  describe('where App Service authentication is off', () => {
    test('believes no X-MS-CLIENT-PRINCIPAL: what a client wrote lets nobody in and keeps nobody out', async () => {
      const nobodys = principalOf({ claims: [] })
      for (const forged of [nobodys, 'no base64 at all', principalOf(eventOf('easy-auth-principal'))]) {
        const answer = await post({ headers: { 'x-ms-client-principal': forged }, body: { action: 'explode' } })
        expect(answer).toMatchObject(refusal('invalid/request', 400))
      }
    })
  })

  describe('where App Service authentication is on', () => {
    beforeAll(() => world.restart({ WEBSITE_AUTH_ENABLED: 'True' }))
    afterAll(() => world.restart())

    const principal = eventOf('easy-auth-principal')
    const asked = (header: string | undefined) =>
      post({ headers: header === undefined ? {} : { 'x-ms-client-principal': header }, body: { action: 'explode' } })

    test('takes a principal with the role, as `roles` and under the name that the principal gives', async () => {
      const renamed = { claims: [{ typ: principal.role_typ, val: 'keyturn.rotate' }], role_typ: principal.role_typ }
      for (const one of [principal, renamed]) expect(await asked(principalOf(one))).toMatchObject(refusal('invalid/request', 400))
    })

    if (rotates)
      test('rotates for it', async () => {
        const secret = await world.secret()
        const headers = { 'x-ms-client-principal': principalOf(principal) }
        expect(reported(await post({ headers, body: rotation(secret) }), secret)).toMatchObject({ current: secret.b })
      })

    const STRANGERS: Readonly<Record<string, readonly [number, string | undefined]>> = {
      'nobody signed in': [401, undefined],
      'an empty header': [401, ''],
      'a header that is no JSON': [401, Buffer.from('hunter2').toString('base64')],
      'a principal without claims': [401, principalOf({ auth_typ: 'aad' })],
      'a principal with claims that are none': [401, principalOf({ claims: [{ typ: 'roles', val: ['keyturn.rotate'] }] })],
      'another role': [403, principalOf({ claims: [{ typ: 'roles', val: 'keyturn.read' }] })],
      'the role in another claim': [403, principalOf({ claims: [{ typ: 'name', val: 'keyturn.rotate' }] })],
      'no claim at all': [403, principalOf({ claims: [], role_typ: null })]
    }
    test.each(Object.entries(STRANGERS))('refuses %s', async (_, [status, header]) => {
      const answer = await asked(header)
      expect(answer).toMatchObject(refusal('denied/caller', status))
      expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined)
      expect(world.output()).not.toContain('hunter2')
    })

    test('wants the role that KEYTURN_ROLE names', async () => {
      await world.restart({ WEBSITE_AUTH_ENABLED: 'True', KEYTURN_ROLE: 'rotator' })
      const other = principalOf({ claims: [{ typ: 'roles', val: 'rotator' }] })
      expect([(await asked(principalOf(principal))).status, (await asked(other)).status]).toEqual([403, 400])
      await world.restart({ WEBSITE_AUTH_ENABLED: 'True' })
    })
  })
})
