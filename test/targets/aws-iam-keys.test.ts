import { keysSuite } from '../conformance/keys.ts'
import { startIamHarness } from '../doubles/iam-harness.ts'

keysSuite('AWS IAM access keys', startIamHarness)
