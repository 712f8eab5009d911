import { describe, expect, test } from 'vitest'
import { MARKS } from '../../shared/audit/event.ts'
import { isKeyVault, keyVaultReader } from '../../shared/audit/from-key-vault.ts'
import { references } from '../../shared/audit/references.ts'
import { type Json, NOTHING, provokes, REFUSED, shelf, withMember } from './reading.ts'

const { names, record, readOne, eventOf } = shelf('azure', keyVaultReader)

const VAULT =
  '/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/sample-rg/providers/microsoft.keyvault/vaults/sample-kv'
const ALICE = {
  key: 'azure:5b1c3f0e-6d1a-4a53-9a0b-2a7f0f5d8c11',
  name: 'alice@example.com',
  type: 'person',
  isRoot: false,
  isCompute: false
}
const nothing = { address: '', network: '', secret: undefined, marks: 0, ttlSeconds: Number.NaN }
const ofAlice = { ...nothing, identity: ALICE, address: '203.0.113.20', issuer: '', policy: '', policyHash: '' }
const head = { store: 'azure', account: VAULT }
const secret = (name: string) => ({
  ...{ key: `azure:${VAULT}/${name}`, store: 'azure', account: VAULT, name, group: `azure:${VAULT}/` }
})
const HOUR_AND_5_MIN = 3_900

/** What each record says; undefined: nothing. */
const SAYS: Readonly<Record<string, Json | undefined>> = {
  'secret-get': {
    ...{ ...head, kind: 'read', operation: 'SecretGet', outcome: 'done' },
    ...{ id: '2026-03-01T02:14:33.1032841Z|SecretGet|a3f6b0c2-8d4e-4f1a-9b7c-2d5e8f0a1b3c' },
    ...{ at: Date.parse('2026-03-01T02:14:33.103Z'), address: '198.51.100.7', network: '', secret: secret('db-app') },
    identity: {
      key: 'azure:8d2f7c34-0a1b-4c5d-8e6f-7a8b9c0d1e2f',
      name: 'orders',
      type: 'workload',
      isRoot: false,
      isCompute: true
    },
    ...{ marks: 0, ttlSeconds: 86_700, issuer: 'entra', policy: '', policyHash: '' }
  },
  'secret-get-refused': {
    ...{ ...head, ...ofAlice, kind: 'read', operation: 'SecretGet', outcome: 'denied', secret: secret('payroll') },
    ...{ ttlSeconds: HOUR_AND_5_MIN, issuer: 'entra' }
  },
  'secret-get-by-application': {
    ...{ ...head, kind: 'read', operation: 'SecretGet', outcome: 'absent', address: '2001:db8::17', secret: secret('gone') },
    identity: { name: '9e8d7c6b-5a49-4382-b716-05f4e3d2c1b0', type: 'workload', isCompute: false }
  },
  'secret-get-deleted': {
    ...{ ...head, kind: 'read', operation: 'SecretGetDeleted', outcome: 'done', identity: ALICE },
    ...{ secret: secret('db-app'), marks: MARKS.deletionPending }
  },
  'secret-list': { ...head, kind: 'list', operation: 'SecretList', outcome: 'done', identity: ALICE, secret: undefined },
  'secret-purge': {
    ...{ ...head, kind: 'delete', operation: 'SecretPurge', outcome: 'done', identity: ALICE },
    ...{ secret: secret('db-app'), marks: MARKS.unrecoverable }
  },
  'authentication-challenge': undefined,
  'vault-patch-opened': {
    ...{ ...head, ...ofAlice, kind: 'policy', operation: 'VaultPatch', outcome: 'done' },
    ...{ marks: MARKS.madePublic, policy: 'sample-kv', policyHash: expect.stringMatching(/^[0-9a-f]{64}$/) }
  },
  'vault-access-policy-changed': {
    ...{ ...head, kind: 'policy', outcome: 'done', address: '', policy: 'sample-kv access policies', policyHash: '' },
    identity: { key: 'azure:service/key-vault', name: 'Key Vault', type: 'service' }
  },
  'vault-get-as-the-page-spells-it': {
    ...{ ...head, kind: 'describe', operation: 'VaultGet', outcome: 'done', at: Date.parse('2016-01-05T01:32:01.269Z') },
    ...{ policy: '', identity: { name: 'live.com#bob@example.net', type: 'person' } }
  },
  'role-assignment-write': {
    ...{ ...head, ...ofAlice, kind: 'policy', operation: 'MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE', outcome: 'done' },
    ...{ policy: 'roleassignments/7e0d3c1a-5b2f-4c8e-9d6a-1f2e3d4c5b6a' }
  },
  'diagnostic-settings-delete': {
    ...{ ...head, ...ofAlice, kind: 'audit', operation: 'MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE', outcome: 'done' },
    ...{ marks: MARKS.lessAudit, policy: 'diagnosticsettings/to-storage' }
  },
  'deleted-vault-purge': {
    ...{ kind: 'delete', outcome: 'done', identity: ALICE, marks: MARKS.unrecoverable, secret: undefined },
    ...{ account: '/subscriptions/00000000-0000-0000-0000-000000000000', policy: 'locations/westeurope/deletedvaults/sample-kv' }
  }
}

test('every record of the folder is read here', () => {
  expect(names).toEqual(Object.keys(SAYS).sort())
})

test.each(Object.entries(SAYS))('%s says so', (name, said) => {
  const { isTaken, events } = readOne(record(name))
  expect(isTaken).toBe(true)
  expect(events).toHaveLength(said ? 1 : 0)
  if (said) expect(events[0]).toMatchObject(said)
})

describe('how a call ended', () => {
  const ended = (status: unknown, signature: unknown) =>
    eventOf(withMember(withMember(record('secret-get'), 'properties.httpStatusCode', status), 'resultSignature', signature))
      ?.outcome

  test('is told by its status, and never by resultType', () => {
    expect([200, 201, 401, 403, 404, 409, 429, 500].map((status) => ended(status, 'OK'))).toEqual(
      'done done unauthenticated denied absent failed failed failed'.split(' ')
    )
    expect(eventOf(withMember(record('secret-get'), 'resultType', 'Failure'))?.outcome).toBe('done')
  })

  test('is told by a status that is a text, too', () => {
    expect([ended('403', 'OK'), ended(' ', 'OK')]).toEqual(['denied', 'done'])
  })

  test('is told by the name of the status where the number is missing', () => {
    expect(['OK', 'Accepted', 'Forbidden', 'Not Found', 'Unauthorized', 'Bad Request'].map((s) => ended(undefined, s))).toEqual(
      'done done denied absent unauthenticated failed'.split(' ')
    )
  })

  test('must be told by one of them', () => {
    expect(ended(undefined, undefined)).toBeUndefined()
    const neither = withMember(withMember(record('secret-get'), 'properties', undefined), 'resultSignature', undefined)
    expect(readOne(neither)).toEqual(REFUSED)
  })
})

describe('what is left out', () => {
  const as = (operationName: string, status = 200, appid = 'a') =>
    readOne(
      withMember(
        withMember(withMember(record('secret-get'), 'operationName', operationName), 'identity.claim.appid', appid),
        'properties.httpStatusCode',
        status
      )
    )

  test('is a vault that Azure itself took stock of', () => {
    expect(as('VaultGet', 200, '509e4652-da8d-478d-a730-e9d4a1996ca4')).toEqual(NOTHING)
    expect(as('VaultGet', 200).events).toHaveLength(1)
  })

  test('is what was done with keys and certificates, but not what was refused', () => {
    expect([as('KeySign'), as('CertificateGet', 404), as('KeyNearExpiryEventGridNotification')]).toEqual(Array(3).fill(NOTHING))
    expect(as('KeyList', 401).events[0]).toMatchObject({ kind: 'other', outcome: 'unauthenticated' })
    expect(as('KeyList', 403).events[0]).toMatchObject({ kind: 'other', outcome: 'denied', secret: undefined })
    expect(as('KeyPurge').events[0]).toMatchObject({ kind: 'delete', marks: MARKS.unrecoverable })
  })

  test('is not a login that was refused', () => {
    expect(as('Authentication', 403).events[0]).toMatchObject({ kind: 'login', outcome: 'denied', issuer: 'entra' })
    const anonymous = withMember(record('authentication-challenge'), 'properties.httpStatusCode', 200)
    expect(eventOf(anonymous)).toMatchObject({ kind: 'login', outcome: 'done', issuer: 'entra', ttlSeconds: Number.NaN })
  })

  test('is an AuditEvent of something that is no vault', () => {
    expect(readOne(withMember(record('secret-get'), 'resourceId', '/SUBSCRIPTIONS/S/PROVIDERS/MICROSOFT.AUTOMATION/A'))).toEqual(
      NOTHING
    )
  })
})

test('a record that lacks its time or its resource is refused, and so is what is none', () => {
  const bad = ['time', 'resourceId'].flatMap((name) =>
    [undefined, 5, '5', ['2026-03-01T00:00:00Z']].map((value) => withMember(record('secret-get'), name, value))
  )
  const isOther = (one: Json): boolean => one.resourceId === '5'
  expect(bad.filter((one) => !isOther(one)).map(readOne)).toEqual(Array(7).fill(REFUSED))
  expect([[], null, 'AuditEvent', { category: { value: 'Administrative' } }].map(readOne)).toEqual(Array(4).fill(REFUSED))
  expect([isKeyVault(record('secret-get')), isKeyVault({ protoPayload: {} })]).toEqual([true, false])
})

test('whatever stands in a record, reading it throws nothing', () => {
  provokes(keyVaultReader(references()), names.map(record))
})
