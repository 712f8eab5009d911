import { storeSuite } from '../conformance/store.ts'
import { startGcp } from './gcp-harness.ts'

storeSuite('Google Secret Manager', () => startGcp())
storeSuite('Google Secret Manager, while it converges for an hour', () => startGcp(3_600_000))
