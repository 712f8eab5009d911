import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { azureStorageKey } from '../../shared/targets/azure-storage-key.ts'
import { SecretText } from '../../shared/types.ts'
import { withHold } from '../conformance/keys.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { STORAGE_OPS } from '../doubles/storage-management.ts'
import { documentOf, type StorageHarness, startStorageHarness } from '../doubles/storage-management-harness.ts'
import { type Azurite, findAzurite, startAzurite } from '../servers/azurite.ts'

let h: StorageHarness
beforeAll(async () => {
  h = await startStorageHarness()
})
afterEach(() => {
  h.setFault(undefined)
  Object.assign(h.storage.state.controls, { takesKeys: true, letsIn: true })
})
afterAll(() => h.stop())

describe('a request that the key signs', () => {
  it('proves a death by AuthenticationFailed, at the blob endpoint', async () => {
    const scene = await h.scene()
    const proof = await withHold(scene, (hold) => hold.retire(scene.current, { endSessions: false }, soon()))
    expect(proof).toMatchObject({ refusal: 'AuthenticationFailed', endpoint: new URL(h.storage.url).host })
  })

  it('that the firewall refuses tells nothing of the key, and who is in the way', async () => {
    const scene = await h.scene()
    h.storage.state.controls.letsIn = false
    const e = await refusal(scene.target.verify(scene.current, scene.context, soon()))
    expect(e).toMatchObject({ code: 'unavailable/provider', message: expect.stringMatching(/AuthorizationFailure.*firewall/) })
    const unproved = await refusal(withHold(scene, (hold) => hold.retire(scene.current, { endSessions: false }, soon())))
    expect(unproved.code).toBe('unavailable/not-dead-yet')
  })

  it('to an account that takes no keys at all says what to do', async () => {
    const scene = await h.scene()
    h.storage.state.controls.takesKeys = false
    const e = await refusal(scene.target.verify(scene.current, scene.context, soon()), scene.current)
    expect(e).toMatchObject({ code: 'denied/provider-policy', vendor: 'KeyBasedAuthenticationNotPermitted' })
    expect(e.message).toMatch(/allowSharedKeyAccess/)
    const problems = await scene.target.preflight(scene.current, scene.context, soon())
    expect(problems).toContainEqual(expect.objectContaining({ code: 'denied/provider-policy', fatal: true }))
  })

  it('by a clock that is wrong is no proof, though it has the same code', async () => {
    const scene = await h.scene({ now: () => Date.now() - 3_600_000 })
    const e = await refusal(scene.target.verify(scene.current, scene.context, soon()))
    expect(e).toMatchObject({ code: 'unavailable/provider', message: expect.stringMatching(/clock/) })
  })

  it.each([
    [403, { 'x-ms-error-code': 'AccountIsDisabled' }, /AccountIsDisabled/],
    [403, { 'x-ms-error-code': 'InsufficientAccountPermissions' }, /InsufficientAccountPermissions/],
    [401, { 'x-ms-error-code': 'NoAuthenticationInformation' }, /NoAuthenticationInformation/],
    [403, {}, /403/],
    [404, {}, /404/],
    [200, {}, /200/]
  ])('that is answered %i %j tells nothing of the key', async (status, headers, names) => {
    const scene = await h.scene()
    const fault = { status, headers, body: '<html>AuthenticationFailed</html>' }
    h.setFault(({ op }) => (op === STORAGE_OPS.call ? fault : undefined))
    const e = await refusal(scene.target.verify(scene.current, scene.context, soon()))
    expect(e).toMatchObject({ code: 'unavailable/provider', message: expect.stringMatching(names) })
  })

  it('is sent to the endpoint that the deployment names, and to no plain http but this machine’s', async () => {
    const scene = await h.scene({ blobEndpoint: 'http://{account}.blob.core.example' })
    expect((await refusal(scene.target.verify(scene.current, scene.context, soon()))).code).toBe('invalid/config')
  })
})

if (findAzurite() !== undefined) azuriteTests()

/** Microsoft’s own emulator checks the signature; it has the keys of one account, and makes none anew. */
function azuriteTests(): void {
  describe('Azurite, which is Microsoft’s own', () => {
    let azurite: Azurite
    beforeAll(async () => {
      azurite = await startAzurite()
    })
    afterAll(() => azurite.close())

    const target = () =>
      azureStorageKey({
        token: async () => new SecretText('none is needed'),
        blobEndpoint: azurite.blobUrl.replace(azurite.account, '{account}'),
        ca: azurite.caPem
      })
    const credential = (key: string) => {
      const place = { subscriptionId: '11111111-2222-4333-8444-555555555555', resourceGroup: 'rg', accountName: azurite.account }
      return target().inspect(documentOf({ ...place, keyName: 'key1', key }), {})
    }

    it('takes the signature of its account’s key', async () => {
      expect(await target().verify(credential(azurite.key), {}, soon())).toBe('accepted')
    })

    it('refuses another key’s, though by another code than Azure’s AuthenticationFailed, which is the declared difference', async () => {
      const e = await refusal(target().verify(credential(randomBytes(64).toString('base64')), {}, soon()))
      expect(e).toMatchObject({ code: 'unavailable/provider', message: expect.stringContaining('InvalidAuthenticationInfo') })
    })
  })
}
