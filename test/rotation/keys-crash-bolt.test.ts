import { keysCrash } from '../conformance/keys-crash.ts'
import { bolt } from './keys-subjects.ts'

keysCrash('a described provider with marks, which tells no last use', bolt)
