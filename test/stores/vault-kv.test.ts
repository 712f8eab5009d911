import { storeSuite } from '../conformance/store.ts'
import { places, startVault } from './vault-harness.ts'

for (const [name, start] of places) storeSuite(`Vault KV v2 on ${name}`, () => startVault(start))
