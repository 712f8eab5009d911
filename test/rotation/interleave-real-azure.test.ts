import { newFaults } from '../conformance/crash.ts'
import { interleaveReal } from '../conformance/interleave-real.ts'
import { azureWorld } from './worlds-azure.ts'

interleaveReal('Azure Key Vault and Postgres', () => azureWorld(newFaults()))
interleaveReal('Azure Key Vault and Postgres, one process', () => azureWorld(newFaults(), { isOneProcess: true }))
