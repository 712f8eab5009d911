import { interleaveKeys } from '../conformance/keys-races.ts'
import { acme, entra, iam, storage } from './keys-subjects.ts'

interleaveKeys('a described provider with marks and disabled keys', acme)
interleaveKeys('Entra client secrets', entra, 35)
interleaveKeys('Azure storage keys', storage, 35)
interleaveKeys('AWS IAM access keys', iam, 35)
