import { describe, expect, it } from 'vitest'
import { httpApiKey } from '../../shared/targets/http-api-key.ts'
import { DATADOG_API_KEY } from '../../shared/targets/http-provider-datadog.ts'
import { SecretText } from '../../shared/types.ts'
import { create, withHold } from '../conformance/keys.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { type DatadogKeys, forbidden, startDatadog, tooMany } from '../doubles/datadog-keys.ts'
import { AT_ONCE } from '../doubles/http-example-harness.ts'
import { provesNothing, type Vendor, vendorScene, vendorSuite } from './http-provider-world.ts'

const DATADOG: Vendor<DatadogKeys> = {
  description: DATADOG_API_KEY,
  start: startDatadog,
  host: 'api.datadoghq.com',
  config: () => ({}),
  admin: (organization) => ({ apiKey: `api-${organization}`, applicationKey: `application-${organization}` }),
  createOp: 'CreateAPIKey',
  denied: forbidden,
  throttled: tooMany,
  wrong: [[{ site: 'datadoghq.example.com' }, /one of datadoghq\.com, .* as site/]]
}

vendorSuite(DATADOG)

describe('datadog-api-key', () => {
  it('goes to the site that the document names', async () => {
    const { vendor } = await vendorScene(DATADOG)
    const host = 'api.us5.datadoghq.com'
    const target = httpApiKey(DATADOG_API_KEY, {
      ...AT_ONCE,
      endpoints: { [host]: vendor.double.url },
      allowPrivate: [host],
      admin: async () => new SecretText('{}')
    })
    const { id, value } = vendor.shelf.add({ id: 'k', account: 'o', value: 'value-in-us5' })
    const document = { type: 'http-api-key', provider: 'datadog-api-key', keyId: id, apiKey: value, adminsecret: 'a' }
    const key = target.inspect(new SecretText(JSON.stringify({ ...document, config: { site: 'us5.datadoghq.com' } })), {})
    expect(await target.verify(key, {}, soon())).toBe('accepted')
  })

  it('asks for Remote Configuration and a category only where config says so', async () => {
    const plain = await vendorScene(DATADOG)
    await create(plain)
    expect(plain.vendor.asked()).toEqual({
      data: { type: 'api_keys', attributes: { name: expect.stringMatching(/^keyturn-/) } }
    })
    const remote = await vendorScene({ ...DATADOG, config: () => ({ remoteConfigReadEnabled: false, category: 'agents' }) })
    await create(remote)
    expect(remote.vendor.asked()).toMatchObject({
      data: { attributes: { category: 'agents', remote_config_read_enabled: false } }
    })
  })

  it('lists a key that was lost under the attempt’s own name, which Datadog would not take twice', async () => {
    const scene = await vendorScene(DATADOG)
    scene.vendor.refuseNames()
    scene.h.setFault(({ op }) => (op === 'CreateAPIKey' ? 'lost' : undefined))
    expect((await refusal(create(scene))).code).toBe('unavailable/provider')
    scene.h.setFault(undefined)
    const e = await refusal(create(scene))
    expect(e).toMatchObject({ code: 'invalid/answer', vendor: '400' })
    const { keys } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(keys).toHaveLength(2)
    expect(keys[1]).toMatchObject({ ours: true, used: 'never', mark: expect.stringMatching(/^keyturn-/) })
  })

  it('takes no 403 but Datadog’s own word for a death, and cannot tell of a last use that the list leaves out', async () => {
    const scene = await vendorScene(DATADOG)
    const { current, h } = scene
    const bodies = ['<html>Forbidden</html>', { errors: ['Your IP is not allowed'] }, { errors: [] }]
    await provesNothing(
      scene,
      bodies.map((body) => ({ status: 403, body }))
    )
    const key = { id: current.principal, attributes: { name: 'by hand', created_at: '2026-01-02T03:04:05.000Z' } }
    h.setFault(() => ({ status: 200, body: { data: [key], meta: { page: { total_filtered_count: 1 } } } }))
    expect(await withHold(scene, (hold) => hold.usage(current, soon()))).toMatchObject({ state: 'cannot-tell' })
  })
})
