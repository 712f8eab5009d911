import { describe, expect, it } from 'vitest'
import { SENDGRID_API_KEY } from '../../shared/targets/http-provider-sendgrid.ts'
import { create, withHold } from '../conformance/keys.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { denied, type SendGridKeys, startSendGrid, tooMany } from '../doubles/sendgrid-keys.ts'
import { provesNothing, type Vendor, vendorScene, vendorSuite } from './http-provider-world.ts'

const SCOPES = ['mail.send', 'alerts.read']

const SENDGRID: Vendor<SendGridKeys> = {
  description: SENDGRID_API_KEY,
  start: startSendGrid,
  host: 'api.sendgrid.com',
  config: () => ({ scopes: SCOPES }),
  admin: (account) => ({ apiKey: `SG.admin-${account}` }),
  createOp: 'create-api-keys',
  denied,
  throttled: tooMany,
  wrong: [
    [{ scopes: undefined }, /config has no scopes/],
    [{ host: 'api.sendgrid.example.com' }, /one of api\.sendgrid\.com, api\.eu\.sendgrid\.com as host/]
  ]
}

vendorSuite(SENDGRID)

describe('sendgrid-api-key', () => {
  it('never makes a key that may do everything: the scopes are the document’s', async () => {
    const scene = await vendorScene(SENDGRID)
    const next = await create(scene)
    expect(scene.vendor.scopes.get(next.principal)).toEqual(SCOPES)
  })

  it('says that there is no room for the hundred-and-first key, and that it may not, which both are a 403', async () => {
    const scene = await vendorScene(SENDGRID)
    for (let n = 1; n < 100; n++) await scene.h.person(scene)
    expect((await refusal(create(scene))).code).toBe('conflict/full')
    scene.h.setFault(() => denied)
    const e = await refusal(create(scene))
    expect(e).toMatchObject({ code: 'denied/provider', message: expect.stringMatching(/api_keys\.create/) })
  })

  it('does not know how old a key is', async () => {
    const scene = await vendorScene(SENDGRID)
    const { keys } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(keys).toEqual([expect.objectContaining({ createdAt: undefined, ageMs: undefined, used: 'cannot-tell' })])
  })

  it('takes the two refusals that are written down for a death, and no other', async () => {
    const scene = await vendorScene(SENDGRID)
    const { target, current, context, h } = scene
    const answer = (status: number, message: string) => ({ status, body: { errors: [{ message, field: null }] } })
    h.setFault(() => answer(401, 'authorization required'))
    expect(await target.verify(current, context, soon())).toBe('rejected')
    await provesNothing(scene, [
      answer(401, 'Maximum credits exceeded'),
      answer(403, 'access forbidden'),
      answer(403, 'authorization required')
    ])
  })
})
