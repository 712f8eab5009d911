import { describe, expect, it } from 'vitest'
import { TWILIO_API_KEY } from '../../shared/targets/http-provider-twilio.ts'
import { create, withHold } from '../conformance/keys.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { authenticate, startTwilio, type TwilioKeys, tooMany } from '../doubles/twilio-keys.ts'
import { provesNothing, type Vendor, vendorScene, vendorSuite } from './http-provider-world.ts'

const TWILIO: Vendor<TwilioKeys> = {
  description: TWILIO_API_KEY,
  start: startTwilio,
  host: 'api.twilio.com',
  config: (account) => ({ account }),
  admin: (account) => ({ keyId: `SKmain-${account}`, apiKey: `main-secret-of-${account}` }),
  createOp: 'CreateNewKey',
  denied: authenticate,
  throttled: tooMany,
  wrong: [
    [{ account: 'AC1/../AC2' }, /config\.account has characters/],
    [{ host: 'api.twilio.example.com' }, /one of api\.twilio\.com, .* as host/]
  ]
}

vendorSuite(TWILIO)

describe('twilio-api-key', () => {
  it('says that there is no room for another key by Twilio’s own code', async () => {
    const scene = await vendorScene(TWILIO)
    scene.vendor.setRoom(1)
    expect(await refusal(create(scene))).toMatchObject({ code: 'conflict/full', vendor: '70151' })
  })

  it('lists the keys of every page, and when each was made', async () => {
    const scene = await vendorScene(TWILIO)
    const people = [await scene.h.person(scene), await scene.h.person(scene), await scene.h.person(scene)]
    const { keys } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(keys.map(({ principal }) => principal)).toEqual([scene.current.principal, ...people])
    for (const { ageMs } of keys) expect(ageMs).toBeLessThan(60_000)
  })

  it('takes no other refusal of the call for a death: a missing permission, an account that is not there', async () => {
    const no = (status: number, code: number) => ({ status, body: { code, message: 'no', status } })
    await provesNothing(await vendorScene(TWILIO), [no(401, 70051), no(403, 20003), no(403, 70051), no(404, 20404)])
  })

  it('says who may make keys where another key is used for it', async () => {
    const scene = await vendorScene({ ...TWILIO, admin: () => ({ keyId: 'SKstandard', apiKey: 'of-nobody' }) })
    const e = await refusal(create(scene))
    expect(e).toMatchObject({ code: 'denied/provider', message: expect.stringMatching(/Main API key/), vendor: '20003' })
  })
})
