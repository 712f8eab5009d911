import { keysSilence } from '../conformance/keys-silence.ts'
import { acme, bolt, entra, googleApiKeys, iam, serviceAccounts, storage } from './keys-subjects.ts'

keysSilence('a described provider with marks and disabled keys', acme)
keysSilence('a described provider with forms and Basic authentication', bolt)
keysSilence('AWS IAM access keys', iam)
keysSilence('Entra client secrets', entra)
keysSilence('Azure storage keys', storage)
keysSilence('Google service account keys', serviceAccounts)
keysSilence('Google API keys', googleApiKeys)
