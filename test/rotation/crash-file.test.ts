import { afterAll, beforeAll } from 'vitest'
import { crashSuite, newFaults } from '../conformance/crash.ts'
import { ownRun, retirement } from './crash-flows.ts'
import { fileWorld, type World } from './crash-worlds.ts'

const faults = newFaults()
let file: World
beforeAll(async () => {
  file = await fileWorld(faults)
})
afterAll(() => file?.stop())

crashSuite('file store and Postgres', () => faults, [
  () => ownRun('a rotation by keyturn', () => file),
  () => retirement('a retirement', () => file)
])
