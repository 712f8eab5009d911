import { DATABASE_KINDS } from '../../shared/kinds.ts'
import { byType } from '../../shared/targets/by-type.ts'
import { gcpApiKey } from '../../shared/targets/gcp-api-key.ts'
import { gcpServiceAccountKey } from '../../shared/targets/gcp-service-account-key.ts'
import { describedKeys } from '../../shared/targets/http-described.ts'
import type { Purpose } from './compose.ts'

/** Google Cloud's own keys, and those of every provider with a description. Another cloud's are rotated there, or by the command line. */
export const keys: Purpose = {
  othersKinds: DATABASE_KINDS,
  targets: ({ config, settings: { endpoints }, place, account }) => {
    const { authorize } = account
    const { iam, token, policyAnalyzer, apiKeys, verifyUrl } = endpoints
    const serviceAccount = gcpServiceAccountKey({ authorize, endpoints: { iam, token, policyAnalyzer } })
    const apiKey = gcpApiKey({ authorize, endpoint: apiKeys, verifyUrl })
    return byType({
      'gcp-service-account-key': () => serviceAccount,
      'gcp-api-key': () => apiKey,
      'http-api-key': describedKeys(config, place.read)
    })
  }
}
