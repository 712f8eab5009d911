import { describe, expect, test } from 'vitest'
import { SecretText } from '../../shared/types.ts'
import type { VaultLogin } from '../../shared/vault/login.ts'
import { type AzureLoginSettings, azureLogin } from '../../shared/vault/login-azure.ts'
import { jwtKey } from '../doubles/vault-jwt.ts'
import type { AzureMount } from '../doubles/vault-login-azure.ts'
import { loggedIn, refused, start, vault } from './cloud-world.ts'
import { expectSilent } from './vault-world.ts'

describe('the login azure', () => {
  const entra = jwtKey()
  const stranger = jwtKey()
  const resource = 'https://management.azure.com/'
  const app = '/subscriptions/sub-1/resourceGroups/rotation/providers/Microsoft.Web/sites/keyturn'
  const vm = '/subscriptions/sub-1/resourceGroups/rotation/providers/Microsoft.Compute/virtualMachines/vm-1'
  const scaleSet = '/subscriptions/sub-1/resourceGroups/rotation/providers/Microsoft.Compute/virtualMachineScaleSets/set-1'
  const bound = { boundServicePrincipalIds: ['oid-1'], boundSubscriptionIds: ['sub-1'], boundResourceGroups: ['rotation'] }
  const mount: AzureMount = {
    resource,
    tenantId: 'tenant-1',
    publicPem: entra.publicPem,
    roles: { rotation: bound, identity: { boundServicePrincipalIds: ['oid-1'] } },
    identities: { [app]: ['oid-1'], [vm]: ['oid-1'], [scaleSet]: ['oid-1'] }
  }
  const token = (aud: string, more: object = {}, by = entra): SecretText => {
    const now = Math.floor(Date.now() / 1000)
    const claims = { aud, iss: 'https://sts.windows.net/tenant-1/', oid: 'oid-1', nbf: now - 60, exp: now + 600 }
    return new SecretText(by.jwt({ ...claims, ...more }))
  }
  const login = (more: Partial<AzureLoginSettings> = {}): VaultLogin =>
    azureLogin({ role: 'rotation', resourceId: app, token: async (audience) => token(audience), ...more })

  test('sends the identity’s token with the function app that it belongs to', async () => {
    await loggedIn(await start({ azure: mount }), login())
    const { jwt, ...fields } = vault.logins[0] ?? {}
    expect(fields).toEqual({ role: 'rotation', subscription_id: 'sub-1', resource_group_name: 'rotation', resource_id: app })
    expect(jwt).toMatch(/^ey/)
  })

  test('knows that a slot of the function app has an identity of its own', async () => {
    const slot = `${app}/slots/blue`
    await loggedIn(await start({ azure: { ...mount, identities: { [slot]: ['oid-1'] } } }), login({ resourceId: slot }))
  })

  test.each([
    [vm, { vm_name: 'vm-1' }],
    [scaleSet, { vmss_name: 'set-1' }],
    [`${scaleSet}/virtualMachines/0`, { vmss_name: 'set-1' }]
  ])('names the machine of %s as Vault asks for it', async (resourceId, field) => {
    await loggedIn(await start({ azure: mount }), login({ resourceId }))
    expect(vault.logins[0]).toMatchObject(field)
    expect(vault.logins[0]).not.toHaveProperty('resource_id')
  })

  test('needs no resource where the role binds the identity alone', async () => {
    await loggedIn(await start({ azure: mount }), azureLogin({ role: 'identity', token: async (audience) => token(audience) }))
    expect(Object.keys(vault.logins[0] ?? {})).toEqual(['role', 'jwt'])
  })

  test('asks for a token of the audience that the mount names', async () => {
    await loggedIn(await start({ azure: { ...mount, resource: 'api://vault' } }), login({ resource: 'api://vault' }))
  })

  test.each([
    ['a token of another audience', async () => token('https://vault.azure.net')],
    ['a token of another tenant', async () => token(resource, { iss: 'https://sts.windows.net/other/' })],
    ['a token of another identity', async () => token(resource, { oid: 'oid-2' })],
    ['a token that ended', async () => token(resource, { exp: 1 })],
    ['a token that somebody else signed', async () => token(resource, {}, stranger)]
  ])('with %s gets a 500, and the message says what that may mean', async (_, wrong) => {
    const error = await refused(await start({ azure: mount }), login({ token: wrong }))
    expect(error).toMatchObject({ code: 'unavailable/store', vendor: '500' })
    expect(error.message).toMatch(/audience/)
    expectSilent(error, (await wrong()).reveal().slice(0, 60))
  })

  test('for a role that is not there is denied', async () => {
    expect(await refused(await start({ azure: mount }), login({ role: 'none' }))).toMatchObject({ code: 'denied/store' })
  })

  test.each(['keyturn', '/subscriptions/x', `${app}/slots`])('refuses the resource %s', (resourceId) => {
    expect(() => login({ resourceId })).toThrow(expect.objectContaining({ code: 'invalid/config' }))
  })
})
