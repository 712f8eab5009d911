import { keysRaces } from '../conformance/keys-races.ts'
import { acme, iam, storage } from './keys-subjects.ts'

keysRaces('a described provider with marks and disabled keys', acme)
keysRaces('AWS IAM access keys', iam, 10)
keysRaces('Azure storage keys', storage, 10)
