import { keysSuite } from '../conformance/keys.ts'
import { acmeHarness, boltHarness } from '../doubles/http-example-keys.ts'

keysSuite('a described provider with marks, disabled keys and a precise last use', acmeHarness)
keysSuite('a described provider with forms, Basic authentication and no last use', boltHarness)
