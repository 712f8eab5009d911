import type { Config } from '../../shared/config.ts'
import { ecsService } from '../../shared/consumers/aws-ecs.ts'
import { consumers } from '../../shared/consumers/consumers.ts'
import { everywhere } from '../../shared/consumers/everywhere.ts'
import type { Consumers } from '../../shared/ports/consumers.ts'
import { ownCredentials } from '../../shared/stores/aws-client.ts'

/** Who can be restarted from AWS. */
export function awsConsumers(environment: Readonly<Record<string, string | undefined>>, config: Config): Consumers {
  return consumers({
    ecs: ecsService({
      region: environment.AWS_REGION ?? 'us-east-1',
      endpoint: environment.AWS_ENDPOINT_URL_ECS,
      credentials: ownCredentials
    }),
    ...everywhere(config)
  })
}
