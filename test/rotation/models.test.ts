import { storeSuite } from '../conformance/store.ts'
import { targetSuite } from '../conformance/target.ts'
import { modelPairHarness, modelStoreHarness } from '../doubles/model-harness.ts'
import { labelsStore } from '../doubles/model-labels.ts'
import { siblingStore } from '../doubles/model-siblings.ts'

storeSuite('model of labels', async () => modelStoreHarness(labelsStore))
for (const kind of ['sibling', 'stale', 'cas'] as const)
  storeSuite(`model of ${kind}`, async () => modelStoreHarness((now) => siblingStore(kind, now)))

targetSuite('model of a pair', async () => modelPairHarness())
