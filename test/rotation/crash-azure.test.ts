import { afterAll, beforeAll } from 'vitest'
import { crashSuite, newFaults } from '../conformance/crash.ts'
import { ownRun, retirement } from './crash-flows.ts'
import { type AzureWorld, atOnceAndLater, azureWorld } from './worlds-azure.ts'

const faults = newFaults()
let cold: AzureWorld
let warm: AzureWorld
beforeAll(async () => {
  cold = await azureWorld(faults)
  warm = await azureWorld(faults, { isOneProcess: true })
})
afterAll(async () => {
  await cold?.stop()
  await warm?.stop()
})

crashSuite('Azure Key Vault and Postgres', () => faults, [
  () =>
    atOnceAndLater(
      ownRun('a rotation by keyturn, a process each', () => cold),
      () => cold
    ),
  () =>
    atOnceAndLater(
      ownRun('a rotation by keyturn, one process', () => warm),
      () => warm
    ),
  () =>
    atOnceAndLater(
      retirement('a retirement', () => cold),
      () => cold
    )
])
