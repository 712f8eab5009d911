import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { azureStorageKey } from '../../shared/targets/azure-storage-key.ts'
import { SecretText } from '../../shared/types.ts'
import { create, withHold } from '../conformance/keys.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { STORAGE_OPS } from '../doubles/storage-management.ts'
import { type StorageHarness, startStorageHarness } from '../doubles/storage-management-harness.ts'

let h: StorageHarness
beforeAll(async () => {
  h = await startStorageHarness()
})
afterEach(() => {
  h.setFault(undefined)
  Object.assign(h.storage.state.controls, { isLocked: false, odd: undefined })
})
afterAll(() => h.stop())

describe('Azure Resource Manager', () => {
  const faulty = (op: string, status: number, code: string) =>
    h.setFault((call) => (call.op === op ? { status, body: { error: { code, message: 'quoted' } } } : undefined))

  it.each([
    [403, 'AuthorizationFailed', 'denied/provider', /Microsoft\.Storage\/storageAccounts\/regenerateKey\/action/],
    [401, 'ExpiredAuthenticationToken', 'denied/provider', /regenerateKey\/action/],
    [409, 'ScopeLocked', 'denied/provider-policy', /read-only lock/],
    [403, 'RequestDisallowedByPolicy', 'denied/provider-policy', /policy/],
    [404, 'ResourceNotFound', 'not-found/principal', /there is no st/],
    [409, 'StorageAccountOperationInProgress', 'throttled/provider', /under way/],
    [403, 'SomethingNew', 'denied/provider', /regenerateKey\/action/],
    [400, 'SomethingElse', 'unavailable/provider', /SomethingElse/]
  ])('%i %s is %s', async (status, code, expected, names) => {
    const scene = await h.scene()
    faulty(STORAGE_OPS.create, status, code)
    const e = await refusal(create(scene), scene.current)
    expect(e).toMatchObject({ code: expected, vendor: code, message: expect.stringMatching(names) })
    expect(e.retryable).toBe(/^(throttled|unavailable)/.test(expected))
    expect(e.message).not.toContain('quoted')
  })

  it('names the other action where the list is denied', async () => {
    const scene = await h.scene()
    faulty(STORAGE_OPS.list, 403, 'AuthorizationFailed')
    const e = await refusal(withHold(scene, (hold) => hold.live(scene.current, soon())))
    expect(e.message).toMatch(/storageAccounts\/listKeys\/action/)
  })

  it('locks the list too', async () => {
    const scene = await h.scene()
    h.storage.state.controls.isLocked = true
    const problems = await scene.target.preflight(scene.current, scene.context, soon())
    expect(problems).toContainEqual(
      expect.objectContaining({ code: 'denied/provider-policy', message: expect.stringMatching(/lock/) })
    )
  })

  it('knows no account of another subscription or group', async () => {
    for (const wrong of [{ subscriptionId: '11111111-2222-4333-8444-555555555555' }, { resourceGroup: 'another' }])
      expect((await refusal(create(await h.scene({}, wrong)))).code).toBe('not-found/principal')
  })

  it('that answers without the new key has no key promoted', async () => {
    const scene = await h.scene()
    for (const odd of [{}, { keys: [] }, { keys: [{ keyName: 'key2' }] }, [], 'text']) {
      h.storage.state.controls.odd = odd
      expect((await refusal(create(scene))).code).toBe('invalid/answer')
    }
  })

  it('of another cloud is asked with a token for it', async () => {
    const asked: string[] = []
    const token = async (resource: string) => {
      asked.push(resource)
      return new SecretText('admin-token')
    }
    await create(await h.scene({ token }))
    await create(await h.scene({ token, armResource: 'https://management.core.usgovcloudapi.net' }))
    expect(asked).toEqual([h.storage.url, 'https://management.core.usgovcloudapi.net'])
    expect(() => azureStorageKey({ token, arm: 'http://management.example' })).toThrow(/https/)
  })
})
