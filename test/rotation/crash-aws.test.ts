import { afterAll, beforeAll } from 'vitest'
import { crashSuite, newFaults } from '../conformance/crash.ts'
import { fourSteps, ownRun, retirement } from './crash-flows.ts'
import { type AwsWorld, awsWorld } from './crash-worlds.ts'

const faults = newFaults()
let aws: AwsWorld
beforeAll(async () => {
  aws = await awsWorld(faults)
})
afterAll(() => aws?.stop())

crashSuite('AWS Secrets Manager and Postgres', () => faults, [
  () => fourSteps('the four steps, one process', () => aws, false),
  () => fourSteps('the four steps, a process each', () => aws, true),
  () => ownRun('a rotation by keyturn', () => aws),
  () => retirement('a retirement', () => aws)
])
