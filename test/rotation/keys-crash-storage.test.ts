import { keysCrash } from '../conformance/keys-crash.ts'
import { storage } from './keys-subjects.ts'

keysCrash('Azure storage keys', storage)
