import { afterAll, beforeAll } from 'vitest'
import { crashSuite, newFaults } from '../conformance/crash.ts'
import { ownRun, retirement } from './crash-flows.ts'
import { asOneProcess, type VaultWorld, vaultWorld } from './worlds-vault.ts'

const faults = newFaults()
let vault: VaultWorld
let oneProcess: VaultWorld
beforeAll(async () => {
  vault = await vaultWorld(faults)
  oneProcess = asOneProcess(vault)
})
afterAll(() => vault?.stop())

crashSuite('Vault KV v2 and Postgres', () => faults, [
  () => ownRun('a rotation by keyturn, a process each', () => vault),
  () => ownRun('a rotation by keyturn, one process', () => oneProcess),
  () => retirement('a retirement', () => vault)
])
