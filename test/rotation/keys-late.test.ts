import { keysLate } from '../conformance/keys-late.ts'
import { acme, entra, googleApiKeys, iam, storage } from './keys-subjects.ts'

keysLate('a described provider with marks and disabled keys', acme)
keysLate('Entra client secrets', entra)
keysLate('Google API keys', googleApiKeys)
keysLate('AWS IAM access keys', iam)
keysLate('Azure storage keys', storage)
