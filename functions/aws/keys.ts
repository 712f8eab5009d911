import { DATABASE_KINDS } from '../../shared/kinds.ts'
import { awsIamAccessKey } from '../../shared/targets/aws-iam-access-key.ts'
import { byType } from '../../shared/targets/by-type.ts'
import { describedKeys } from '../../shared/targets/http-described.ts'
import type { Purpose } from './compose.ts'

/** AWS's own keys, and those of every provider with a description. Another cloud's are rotated there, or by the command line. */
export const keys: Purpose = {
  othersKinds: DATABASE_KINDS,
  targets: (config, { read }, environment) => {
    const iam = awsIamAccessKey({ region: environment.AWS_REGION ?? 'us-east-1', stsEndpoint: environment.AWS_ENDPOINT_URL_STS })
    return byType({ 'aws-iam-access-key': () => iam, 'http-api-key': describedKeys(config, read) })
  }
}
