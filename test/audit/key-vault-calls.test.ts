import { describe, expect, test } from 'vitest'
import { MARKS } from '../../shared/audit/event.ts'
import { keyVaultReader } from '../../shared/audit/from-key-vault.ts'
import { references } from '../../shared/audit/references.ts'
import { type Json, read, shelf, withMember } from './reading.ts'

const { record, eventOf } = shelf('azure', keyVaultReader)

describe('who asked', () => {
  const nameOf = (claim: Json) => eventOf(withMember(record('secret-get'), 'identity', { claim }))?.identity

  test('is one identity for one object, at the vault and at its settings', () => {
    const refs = references()
    const reader = keyVaultReader(refs)
    const [atVault] = read(reader, record('secret-list')).events
    const [atSettings] = read(reader, record('vault-patch-opened')).events
    expect(atSettings?.identity).toBe(atVault?.identity)
  })

  test('is a person where the token was asked for in a person’s name', () => {
    expect(nameOf({ oid: 'o', scp: 'user_impersonation', appid: 'a' })).toMatchObject({ name: 'o', type: 'person' })
    expect(nameOf({ oid: 'o', idtyp: 'app', scp: 'x', appid: 'a' })).toMatchObject({ name: 'a', type: 'workload' })
    const carol = { 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name': ' carol@example.com' }
    expect(nameOf(carol)).toMatchObject({ key: 'azure:carol@example.com', type: 'person' })
  })

  test('runs in Azure, if it has an identity that is bound to a resource there', () => {
    const bound = (id: string) =>
      nameOf({ oid: 'o', idtyp: 'app', xms_mirid: `/subscriptions/s/resourcegroups/g/providers/${id}` })
    expect(bound('Microsoft.Compute/virtualMachines/vm')).toMatchObject({ name: 'vm', isCompute: true })
    expect(bound('Microsoft.ManagedIdentity/userAssignedIdentities/reader')).toMatchObject({ name: 'reader', isCompute: false })
    expect(bound('Microsoft.HybridCompute/machines/on-premises')).toMatchObject({ isCompute: false })
  })

  test('is not known where there is no claim', () => {
    expect(nameOf({})).toMatchObject({ key: 'azure:unknown', type: 'unknown' })
  })
})

describe('a secret', () => {
  const named = (operation: string, id: string | undefined, requestUri: string) => {
    const called = withMember(record('secret-get'), 'operationName', operation)
    return eventOf(withMember(withMember(called, 'properties.id', id), 'properties.requestUri', requestUri))?.secret?.name
  }
  const at = 'https://sample-kv.vault.azure.net'

  test('is named by what was answered, else by what was asked for', () => {
    expect(named('SecretGet', undefined, `${at}/secrets/DB-App?api-version=7.6`)).toBe('db-app')
    expect(named('SecretBackup', `${at}/secrets/db-app`, `${at}/secrets/other/backup?api-version=7.6`)).toBe('db-app')
    expect(named('SecretList', undefined, `${at}/secrets?api-version=7.6`)).toBeUndefined()
  })

  test('may be called restore, and is not where one is restored', () => {
    expect(named('SecretGet', undefined, `${at}/secrets/restore?api-version=7.6`)).toBe('restore')
    expect(named('SecretRestore', undefined, `${at}/secrets/restore?api-version=7.6`)).toBeUndefined()
    expect(named('SecretRestore', `${at}/secrets/db-app/1`, `${at}/secrets/restore?api-version=7.6`)).toBe('db-app')
  })
})

test('a subnet tells more of where a call came from than its address', () => {
  const subnetId = '/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/virtualNetworks/N/subnets/Apps'
  expect(eventOf(withMember(record('secret-get'), 'properties.subnetId', subnetId))?.network).toBe(subnetId.toLowerCase())
})

describe('a token', () => {
  test('counts once, by the first record that shows its life', () => {
    const reader = keyVaultReader(references())
    const lives = [
      record('secret-get'),
      record('secret-get'),
      withMember(record('secret-get'), 'identity.claim.exp', 1_772_330_700)
    ]
    expect(lives.map((one) => read(reader, one).events[0]?.ttlSeconds)).toEqual([86_700, Number.NaN, 600])
  })

  test('is forgotten when 65,536 others came after it', () => {
    const reader = keyVaultReader(references())
    const one = record('secret-get')
    const { identity } = one as { identity: { claim: Json } }
    const lifeOf = (iat: number) => {
      const claim = { ...identity.claim, iat, exp: iat + 600 }
      return read(reader, { ...one, identity: { claim } }).events[0]?.ttlSeconds
    }
    const lives = Array.from({ length: 65_536 }, (_, iat) => lifeOf(iat))
    expect(lives.every((life) => life === 600)).toBe(true)
    expect([lifeOf(1), lifeOf(70_000), lifeOf(1)]).toEqual([Number.NaN, 600, 600])
  })

  test('whose life makes no sense has none', () => {
    const lived = (exp: unknown) => eventOf(withMember(record('secret-get'), 'identity.claim.exp', exp))?.ttlSeconds
    expect([lived(0), lived('soon'), lived({}), lived(undefined)]).toEqual(Array(4).fill(Number.NaN))
  })
})

describe('a vault', () => {
  const patched = (settings: Json) => eventOf(withMember(record('vault-patch-opened'), 'properties.properties', settings))

  test('is open where its network is, unless it is not public at all', () => {
    expect(patched({ networkAcls: { defaultAction: 'Deny' } })?.marks).toBe(0)
    expect(patched({ networkAcls: { defaultAction: 'Allow' }, publicNetworkAccess: 'Disabled' })?.marks).toBe(0)
    expect(patched({ networkAcls: { defaultAction: 'allow' } })?.marks).toBe(MARKS.madePublic)
  })

  test('has another hash when its settings are others', () => {
    const hashes = [{ enableRbacAuthorization: true }, { enableRbacAuthorization: false }, { enableRbacAuthorization: true }]
    const [first, second, third] = hashes.map((settings) => patched(settings)?.policyHash)
    expect([first === third, first === second]).toEqual([true, false])
  })

  test('can be recovered after it was deleted', () => {
    expect(eventOf(withMember(record('secret-get'), 'operationName', 'VaultDelete'))).toMatchObject({ kind: 'delete', marks: 0 })
  })
})
