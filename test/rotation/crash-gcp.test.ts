import { afterAll, beforeAll } from 'vitest'
import { crashSuite, newFaults } from '../conformance/crash.ts'
import { ownRun, retirement } from './crash-flows.ts'
import { type GcpWorld, gcpWorld } from './worlds-gcp.ts'

const faults = newFaults()
let gcp: GcpWorld
beforeAll(async () => {
  gcp = await gcpWorld(faults)
})
afterAll(() => gcp?.stop())

crashSuite('Google Secret Manager and Postgres', () => faults, [
  () => ownRun('a rotation by keyturn, and after a kill by another process', () => gcp),
  () => retirement('a retirement', () => gcp)
])
