import { describe, expect, test } from 'vitest'
import { keyVaultReader } from '../../shared/audit/from-key-vault.ts'
import { type Json, NOTHING, shelf } from './reading.ts'

const { record, readOne } = shelf('azure', keyVaultReader)

describe('the Activity Log', () => {
  const assigned = (scope: string, more: Json = {}) => {
    const resourceId = `${scope}/providers/Microsoft.Authorization/roleAssignments/R`
    return readOne({ ...record('role-assignment-write'), resourceId, ...more })
  }
  const GROUP = '/subscriptions/s/resourceGroups/g'

  test('tells of roles that were given at a vault, above it, and at one secret of it', () => {
    const where = (scope: string) => {
      const [event] = assigned(scope).events
      return [event?.account, event?.secret?.name]
    }
    expect(where('/subscriptions/S')).toEqual(['/subscriptions/s', undefined])
    expect(where(GROUP)).toEqual(['/subscriptions/s/resourcegroups/g', undefined])
    expect(where('/providers/Microsoft.Management/managementGroups/M')).toEqual([
      '/providers/microsoft.management/managementgroups/m',
      undefined
    ])
    expect(where('')).toEqual(['/', undefined])
    expect(where(`${GROUP}/providers/Microsoft.KeyVault/vaults/KV/secrets/DB-App`)).toEqual([
      '/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/kv',
      'db-app'
    ])
  })

  test('says nothing of roles at what is no vault, nor of other operations', () => {
    expect(assigned(`${GROUP}/providers/Microsoft.Storage/storageAccounts/a`)).toEqual(NOTHING)
    expect(assigned(GROUP, { operationName: 'Microsoft.Compute/virtualMachines/write' })).toEqual(NOTHING)
  })

  test('has a start and an end of an operation: the end counts', () => {
    expect(['Start', 'Started', 'Accept'].map((resultType) => assigned(GROUP, { resultType }))).toEqual(Array(3).fill(NOTHING))
    const outcomes = [
      { resultType: 'Succeeded', resultSignature: '' },
      { resultType: 'Failure', resultSignature: 'Failed.Forbidden' },
      { resultType: 'Failed', resultSignature: 'NotFound' },
      { resultType: 'Failed', resultSignature: 'Failed.Conflict' }
    ].map((end) => assigned(GROUP, end).events[0]?.outcome)
    expect(outcomes).toEqual(['done', 'denied', 'absent', 'failed'])
  })
})
