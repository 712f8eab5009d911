import { type Config, readCa } from '../../shared/config.ts'
import { ecsService } from '../../shared/consumers/aws-ecs.ts'
import { appServiceSite } from '../../shared/consumers/azure-app-service.ts'
import { consumers } from '../../shared/consumers/consumers.ts'
import { everywhere } from '../../shared/consumers/everywhere.ts'
import { cloudRunService } from '../../shared/consumers/gcp-cloud-run.ts'
import type { Consumers } from '../../shared/ports/consumers.ts'
import type { SignedIn } from './signed-in.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Whoever is signed in restarts consumers on each of the clouds. */
export function localConsumers(environment: Environment, config: Config, who: SignedIn): Consumers {
  const ca = readCa(config)
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION || 'us-east-1'
  return consumers({
    ecs: ecsService({ region, credentials: who.awsCredentials, endpoint: environment.AWS_ENDPOINT_URL_ECS, ca }),
    appservice: appServiceSite({ token: who.azureToken, arm: environment.KEYTURN_ARM_URL, ca }),
    run: cloudRunService({
      project: environment.GOOGLE_CLOUD_PROJECT ?? '',
      authorize: who.googleHeaders,
      endpoint: environment.CLOUD_RUN_ENDPOINT,
      ca
    }),
    ...everywhere(config)
  })
}
