import { newFaults } from '../conformance/crash.ts'
import { interleaveReal } from '../conformance/interleave-real.ts'
import { asOneProcess, vaultWorld } from './worlds-vault.ts'

interleaveReal('Vault KV v2 and Postgres, a process each', () => vaultWorld(newFaults()))
interleaveReal('Vault KV v2 and Postgres, one process', async () => asOneProcess(await vaultWorld(newFaults())))
