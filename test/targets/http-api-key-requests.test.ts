import { describe, expect, it, onTestFinished } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import { isMarkOf } from '../../shared/mark.ts'
import type { HttpDescription } from '../../shared/targets/http-description.ts'
import { SecretText } from '../../shared/types.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { ACME } from '../doubles/http-example.ts'
import { startFormExample } from '../doubles/http-example-form.ts'
import { boltTarget } from '../doubles/http-example-keys.ts'
import { acmeScene, SECRET, VALUE } from '../doubles/http-example-scene.ts'

const acme = (part: Partial<HttpDescription>): HttpDescription => ({ ...ACME, ...part })

describe('a request', () => {
  it('has what the document’s config says, as it is, and leaves out what is optional and absent', async () => {
    const plain = await acmeScene()
    await plain.create()
    expect(plain.asked('CreateKey').json).toEqual({ name: expect.any(String), note: 'made by keyturn for p1' })
    expect(plain.asked('CreateKey').headers).not.toHaveProperty('acme-tag')
    const scopes = [{ on: 'mail', may: ['send', 7] }]
    const full = await acmeScene({ config: { scopes, tag: 'blue' } })
    await full.create()
    const { json, headers } = full.asked('CreateKey')
    expect(json.scopes).toEqual(scopes)
    expect(isMarkOf(String(json.name), SECRET)).toBe(true)
    expect(headers).toMatchObject({ 'acme-tag': 'blue', 'content-type': 'application/json', accept: 'application/json' })
  })

  it('of a form has its fields, with Basic authentication, at the host that config chooses', async () => {
    const [us, eu] = [await startFormExample(), await startFormExample()]
    onTestFinished(async () => void (await Promise.all([us.double.close(), eu.double.close()])))
    const target = boltTarget({ 'us.bolt.example': us.double.url, 'eu.bolt.example': eu.double.url })
    const text = (region?: string) =>
      new SecretText(
        JSON.stringify({
          type: 'http-api-key',
          provider: 'bolt',
          adminsecret: 'm',
          config: { account: 'AC1', region },
          sid: 's',
          secret: 'v'
        })
      )
    for (const region of ['eu', undefined])
      await target.propose(target.inspect(text(region), {}), { secret: SECRET }, 'token', soon())
    expect([us, eu].map(({ double }) => double.calls.map(({ op }) => op))).toEqual([['CreateKey'], ['CreateKey']])
    for (const { shelf } of [us, eu]) expect(isMarkOf(shelf.of('AC1')[0]?.name, SECRET)).toBe(true)
  })

  it('that replaces the whole key repeats what was read of it', async () => {
    const { create, hold, shelf, asked } = await acmeScene()
    const next = await create()
    await (await hold()).disable(next, soon())
    expect(asked('PatchKey').json).toEqual({ name: shelf.find(next.principal)?.name, status: 'disabled' })
    const unnamed = shelf.add({ id: 'unnamed', account: 'p1', value: 'v-unnamed' })
    const { documentOf, target, context } = await acmeScene()
    const its = target.inspect(documentOf({}, { keyId: unnamed.id }), context)
    await (await hold()).disable(its, soon())
    expect(asked('PatchKey').json).toEqual({ status: 'disabled' })
  })

  it('may be a key’s own, which needs no admin', async () => {
    const auth = { headers: { authorization: 'Bearer {key.value}', 'acme-organization': 'org-1' } }
    const { disable: _, enable: __, read: ___, ...rest } = ACME
    const own = await acmeScene({
      description: { ...rest, auth },
      more: { adminsecret: undefined },
      settings: { admin: async () => expect.fail('it was asked') }
    })
    own.admins.add(VALUE)
    const next = await own.create()
    expect(next.principal).toMatch(/^key_/)
    expect(own.asked('CreateKey').headers.authorization).toBe(`Bearer ${VALUE}`)
  })

  it('with the key in its address shows it in no proof', async () => {
    const verify = {
      ...ACME.verify,
      url: 'https://api.acme.example/v1/whoami?key={value}',
      valueInUrl: true,
      auth: { headers: {} }
    }
    const { hold, current, double } = await acmeScene({ description: acme({ verify }) })
    double.setFault(({ op }) => (op === 'WhoAmI' ? { status: 401, body: { error: { code: 'invalid_key' } } } : undefined))
    const proof = await (await hold()).retire(current, { endSessions: false }, soon())
    expect(proof).toMatchObject({ refusal: 'invalid_key', endpoint: 'https://api.acme.example/v1/whoami' })
    expect(JSON.stringify(proof)).not.toContain(VALUE)
  })

  it('for the last use of one key is asked where the list does not tell', async () => {
    const { lastUsed: _, ...list } = ACME.list
    const lastUse = {
      method: 'GET',
      url: ACME.revoke.url,
      lastUsed: { at: 'data.attributes.last_used_at', format: 'iso' }
    } as const
    const { hold, current, shelf, double } = await acmeScene({ description: acme({ list, lastUse }) })
    const usage = async () => (await hold()).usage(current, soon())
    expect(await usage()).toEqual({ state: 'last-used', lastUsedAt: undefined })
    shelf.used('first', 1_700_000_000_000)
    expect(await usage()).toEqual({ state: 'last-used', lastUsedAt: 1_700_000_000_000 })
    expect(double.calls.map(({ op }) => op)).toEqual(['GetKey', 'GetKey'])
  })
})

describe('before a rotation', () => {
  it('a key that the provider does not list is found, and a person is told what may be wrong', async () => {
    const { target, documentOf, context } = await acmeScene()
    const other = target.inspect(documentOf({}, { keyId: 'nobody' }), context)
    const found = await target.preflight(other, context, soon())
    expect(found).toMatchObject([{ code: 'invalid/document', fatal: false, message: expect.stringContaining('nobody') }])
  })

  it('an admin’s secret that is not there is found', async () => {
    const admin = async () => {
      throw new KeyturnError('not-found/secret', 'none')
    }
    const { target, current, context } = await acmeScene({ settings: { admin } })
    const found = await target.preflight(current, context, soon())
    expect(found).toMatchObject([{ code: 'not-found/admin-secret', fatal: true }])
  })
})

it('a key of the same project by another admin is another account’s', async () => {
  const { target, documentOf, context, hold } = await acmeScene()
  const other = target.inspect(documentOf({}, { adminsecret: 'another-admin' }), context)
  const e = await refusal((await hold()).discard(other, soon()))
  expect(e).toMatchObject({ code: 'conflict/key-not-ours', message: expect.stringContaining('another-admin') })
})
