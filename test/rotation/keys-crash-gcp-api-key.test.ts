import { keysCrash } from '../conformance/keys-crash.ts'
import { googleApiKeys } from './keys-subjects.ts'

keysCrash('Google API keys', googleApiKeys)
