import { storeSuite } from '../conformance/store.ts'
import { startGcp } from './gcp-harness.ts'

/** What is throttled on and on is waited for after each answer but the last: seconds, for every call of the port. */
const ONCE_MORE = { maxAttempts: 2 }

storeSuite('Google Secret Manager', () => startGcp(0, ONCE_MORE))
storeSuite('Google Secret Manager, while it converges for an hour', () => startGcp(3_600_000, ONCE_MORE))
