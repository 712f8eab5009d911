import { keysCrash } from '../conformance/keys-crash.ts'
import { serviceAccounts } from './keys-subjects.ts'

keysCrash('Google service account keys', serviceAccounts)
