import { describe, expect, it } from 'vitest'
import { CLOUDFLARE_ACCOUNT_TOKEN, CLOUDFLARE_USER_TOKEN } from '../../shared/targets/http-provider-cloudflare.ts'
import { SecretText } from '../../shared/types.ts'
import { create, withHold } from '../conformance/keys.ts'
import { nobodyKnown, refusal, soon } from '../conformance/target-harness.ts'
import { type CloudflareKeys, denied, POLICIES, startCloudflare, tooMany } from '../doubles/cloudflare-keys.ts'
import { provesNothing, type Vendor, vendorScene, vendorSuite } from './http-provider-world.ts'

const common = {
  start: startCloudflare,
  host: 'api.cloudflare.com',
  admin: (account: string) => ({ apiKey: `admin-${account}` }),
  createOp: 'CreateToken',
  denied,
  throttled: tooMany
}

const USERS: Vendor<CloudflareKeys> = { ...common, description: CLOUDFLARE_USER_TOKEN, config: () => ({}), wrong: [] }

const ACCOUNTS: Vendor<CloudflareKeys> = {
  ...common,
  description: CLOUDFLARE_ACCOUNT_TOKEN,
  config: (account) => ({ account }),
  wrong: [[{ account: undefined }, /config has no account/]]
}

vendorSuite(USERS)
vendorSuite(ACCOUNTS)

/** What a token may have besides. */
const MORE = {
  policies: [{ ...POLICIES[0], effect: 'deny' }, ...POLICIES],
  condition: { request_ip: { in: ['192.0.2.0/24'] } },
  expires_on: '2027-01-02T03:04:05Z',
  not_before: '2025-01-02T03:04:05Z'
}

describe.each([
  ['cloudflare-user-token', USERS],
  ['cloudflare-account-token', ACCOUNTS]
] as const)('%s', (_, tokens) => {
  it('gives the new token what current may do and from where, and not when current ends', async () => {
    const scene = await vendorScene(tokens)
    scene.vendor.more.set(scene.current.principal, MORE)
    const next = await create(scene)
    const { policies, condition } = MORE
    expect(scene.vendor.more.get(next.principal)).toEqual({ policies, condition })
  })

  it('loses nothing of a token by disabling and enabling it, which replaces all of it', async () => {
    const scene = await vendorScene(tokens)
    const old = await create(scene)
    scene.vendor.more.set(old.principal, MORE)
    await withHold(scene, (hold) => hold.disable(old, soon()))
    expect(scene.vendor.more.get(old.principal)).toEqual(MORE)
    expect(await scene.target.verify(old, scene.context, soon())).toBe('rejected')
    await withHold(scene, (hold) => hold.apply(old, nobodyKnown, soon()))
    expect(scene.vendor.more.get(old.principal)).toEqual(MORE)
    expect(await scene.target.verify(old, scene.context, soon())).toBe('accepted')
  })

  it('makes none where current is gone, since nobody knows what it was allowed', async () => {
    const scene = await vendorScene(tokens)
    await scene.h.deleteBehind(scene.current)
    const e = await refusal(create(scene))
    expect(e.code).toBe('not-found/principal')
    expect(scene.h.calls().map(({ op }) => op)).not.toContain('CreateToken')
  })

  it('makes none for a token of the other kind, which is as unknown here as a deleted one, and says so before', async () => {
    const scene = await vendorScene(tokens)
    const { target, current, context, h } = scene
    const document = { ...(JSON.parse(current.document.reveal()) as object), keyId: 'of-the-other-kind', apiKey: 'cf-other' }
    const other = target.inspect(new SecretText(JSON.stringify(document)), context)
    const problems = await target.preflight(other, context, soon())
    expect(problems.map(({ code }) => code)).toEqual(['denied/login', 'invalid/document'])
    expect((await refusal(create({ ...scene, current: other }))).code).toBe('not-found/principal')
    expect(h.calls().map(({ op }) => op)).not.toContain('CreateToken')
  })

  it('takes an expired token for dead, and no other refusal', async () => {
    const scene = await vendorScene(tokens)
    const { target, current, context, h } = scene
    h.setFault(() => ({ status: 200, body: { success: true, errors: [], result: { id: 'x', status: 'expired' } } }))
    expect(await target.verify(current, context, soon())).toBe('rejected')
    const no = (status: number, code: number) => ({
      status,
      body: { success: false, errors: [{ code, message: 'no' }], messages: [], result: null }
    })
    await provesNothing(scene, [no(403, 9109), no(400, 6003), no(403, 1000), no(401, 10000)])
  })

  it('cannot tell of a last use that the list leaves out', async () => {
    const scene = await vendorScene(tokens)
    const token = { id: scene.current.principal, name: 'by hand', status: 'active', issued_on: '2026-01-02T03:04:05Z' }
    let left = 1
    scene.h.setFault(() => ({ status: 200, body: { success: true, errors: [], result: left-- > 0 ? [token] : [] } }))
    expect(await withHold(scene, (hold) => hold.usage(scene.current, soon()))).toMatchObject({ state: 'cannot-tell' })
  })
})
