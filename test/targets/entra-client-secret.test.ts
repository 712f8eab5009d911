import { keysSuite } from '../conformance/keys.ts'
import { startGraphHarness } from '../doubles/graph-harness.ts'

keysSuite('entra-client-secret', () => startGraphHarness('AzureADMyOrg'))
keysSuite('entra-client-secret, where personal accounts may sign in', () =>
  startGraphHarness('AzureADandPersonalMicrosoftAccount')
)
