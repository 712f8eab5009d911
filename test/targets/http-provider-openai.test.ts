import { describe, expect, it } from 'vitest'
import { OPENAI_ADMIN_KEY, OPENAI_PROJECT_KEY } from '../../shared/targets/http-provider-openai.ts'
import { create, withHold } from '../conformance/keys.ts'
import { soon } from '../conformance/target-harness.ts'
import { missingScope, type OpenAiKeys, startOpenAiAdmins, startOpenAiProjects, tooMany } from '../doubles/openai-keys.ts'
import { provesNothing, type Vendor, vendorScene, vendorSuite } from './http-provider-world.ts'

const common = {
  host: 'api.openai.com',
  admin: (account: string) => ({ apiKey: `sk-admin-${account}` }),
  denied: missingScope('api.management.write'),
  throttled: tooMany
}

const PROJECTS: Vendor<OpenAiKeys> = {
  ...common,
  description: OPENAI_PROJECT_KEY,
  start: startOpenAiProjects,
  config: (project) => ({ project, serviceAccount: `sa-${project}` }),
  createOp: 'CreateServiceAccountKey',
  wrong: [
    [{ serviceAccount: undefined }, /config has no serviceAccount/],
    [{ host: 'api.openai.com.example.com' }, /one of api\.openai\.com, .* as host/]
  ]
}

const ADMINS: Vendor<OpenAiKeys> = {
  ...common,
  description: OPENAI_ADMIN_KEY,
  start: startOpenAiAdmins,
  config: () => ({}),
  createOp: 'CreateAdminKey',
  wrong: []
}

vendorSuite(PROJECTS)
vendorSuite(ADMINS)

describe('openai-project-key', () => {
  it('knows the keys of its service account, and neither people’s nor other accounts’, on every page', async () => {
    const scene = await vendorScene(PROJECTS)
    const next = await create(scene)
    const stranger = await scene.h.person(scene)
    const { keys } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(keys.map(({ principal }) => principal)).toEqual([scene.current.principal, next.principal, stranger])
  })

  it('gives the new key the scopes that config names, and none where it names none', async () => {
    const plain = await vendorScene(PROJECTS)
    await create(plain)
    expect(plain.vendor.asked()).toEqual({ name: expect.stringMatching(/^keyturn-/) })
    const config = (account: string) => ({ ...PROJECTS.config(account), scopes: ['model.request'] })
    const scoped = await vendorScene({ ...PROJECTS, config })
    await create(scoped)
    expect(scoped.vendor.asked()).toMatchObject({ scopes: ['model.request'] })
  })

  it('asks for a key that expires where config says so, since a policy may demand it', async () => {
    const config = (account: string) => ({ ...PROJECTS.config(account), expiresInSeconds: 7_776_000 })
    const scene = await vendorScene({ ...PROJECTS, config })
    await create(scene)
    expect(scene.vendor.asked()).toEqual({ name: expect.stringMatching(/^keyturn-/), expires_in_seconds: 7_776_000 })
  })

  it('takes a key that may not list models for alive: it is known', async () => {
    const { target, current, context, vendor, h } = await vendorScene(PROJECTS)
    vendor.restricted.add(vendor.shelf.find(current.principal)?.value ?? '')
    expect(await target.verify(current, context, soon())).toBe('accepted')
    h.setFault(({ op }) => (op === 'ListModels' ? missingScope('api.model.read') : undefined))
    expect(await target.verify(current, context, soon())).toBe('accepted')
  })

  it('takes no other refusal for a death: the wrong region, an address that is not allowed, a country', async () => {
    const no = (status: number, code: string | null) => ({
      status,
      body: { error: { message: 'no', type: 'invalid_request_error', param: null, code } }
    })
    await provesNothing(await vendorScene(PROJECTS), [
      no(401, 'incorrect_hostname'),
      no(401, 'ip_not_authorized'),
      no(403, 'unsupported_country_region_territory'),
      no(401, null)
    ])
  })
})

describe('openai-admin-key', () => {
  it('asks for a key that expires where config says so', async () => {
    const scene = await vendorScene({ ...ADMINS, config: () => ({ expiresInSeconds: 7_776_000 }) })
    await create(scene)
    expect(scene.vendor.asked()).toEqual({ name: expect.stringMatching(/^keyturn-/), expires_in_seconds: 7_776_000 })
  })

  it('takes an admin key that may not read for alive, and cannot tell of a last use that the list leaves out', async () => {
    const scene = await vendorScene(ADMINS)
    const { vendor, target, current, context, h } = scene
    vendor.restricted.add(vendor.shelf.find(current.principal)?.value ?? '')
    expect(await target.verify(current, context, soon())).toBe('accepted')
    const key = { id: current.principal, created_at: 1_780_000_000, object: 'organization.admin_api_key' }
    h.setFault(() => ({ status: 200, body: { object: 'list', data: [key], has_more: false, last_id: current.principal } }))
    expect(await withHold(scene, (hold) => hold.usage(current, soon()))).toMatchObject({ state: 'cannot-tell' })
  })
})
