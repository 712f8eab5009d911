import { keysSuite } from '../conformance/keys.ts'
import { startStorageHarness } from '../doubles/storage-management-harness.ts'

keysSuite('azure-storage-key', startStorageHarness)
