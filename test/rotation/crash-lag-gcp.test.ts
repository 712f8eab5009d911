import { afterAll, beforeAll, expect } from 'vitest'
import { asKeyturnError } from '../../shared/errors.ts'
import { type CrashFlow, crashSuite, newFaults } from '../conformance/crash.ts'
import { ownRun } from './crash-flows.ts'
import { HOUR } from './crash-worlds.ts'
import { type GcpWorld, gcpWorld } from './worlds-gcp.ts'

const faults = newFaults()
let gcp: GcpWorld
beforeAll(async () => {
  gcp = await gcpWorld(faults, HOUR / 2)
})
afterAll(() => gcp?.stop())

/**
 * Another process comes at once, and sees what was there before: it may refuse, for a reason that passes, and does no
 * harm. When the service has converged, the next one ends what was begun.
 */
const whileItConverges = (flow: CrashFlow): CrashFlow => ({
  name: `${flow.name}, by a process that sees the old, and by one that sees the new`,
  prepare: async () => {
    const one = await flow.prepare()
    return {
      ...one,
      recover: async () => {
        await one.recover().catch((e: unknown) => expect(asKeyturnError(e)).toMatchObject({ retryable: true }))
        await one.check('died')
        gcp.double.setLag(0)
        await one.recover()
      },
      check: (when) => {
        if (when === 'recovered') gcp.double.setLag(0)
        return one.check(when)
      }
    }
  }
})

crashSuite('Google Secret Manager, while it converges, and Postgres', () => faults, [
  () => whileItConverges(ownRun('a rotation by keyturn', () => gcp))
])
