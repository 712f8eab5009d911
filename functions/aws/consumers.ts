import type { Config } from '../../shared/config.ts'
import { ecsService } from '../../shared/consumers/aws-ecs.ts'
import { consumers } from '../../shared/consumers/consumers.ts'
import { everywhere } from '../../shared/consumers/everywhere.ts'
import type { Consumers } from '../../shared/ports/consumers.ts'
import { secretsManagerClient } from '../../shared/stores/aws-client.ts'
import { SecretText } from '../../shared/types.ts'

/** Who can be restarted from AWS. */
export function awsConsumers(environment: Readonly<Record<string, string | undefined>>, config: Config): Consumers {
  return consumers({
    ecs: ecsService({
      region: environment.AWS_REGION ?? 'us-east-1',
      endpoint: environment.AWS_ENDPOINT_URL_ECS,
      credentials
    }),
    ...everywhere(config)
  })
}

/** The function's own, by the SDK's own chain. */
async function credentials() {
  const { accessKeyId, secretAccessKey, sessionToken } = await secretsManagerClient().config.credentials()
  return {
    accessKeyId,
    secretAccessKey: new SecretText(secretAccessKey),
    sessionToken: sessionToken === undefined ? undefined : new SecretText(sessionToken)
  }
}
