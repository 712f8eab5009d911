import { keysCrash } from '../conformance/keys-crash.ts'
import { acme } from './keys-subjects.ts'

keysCrash('a described provider with marks and disabled keys', acme)
