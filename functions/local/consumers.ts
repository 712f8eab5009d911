import { type Config, readCa, readSettingFile } from '../../shared/config.ts'
import { ecsService } from '../../shared/consumers/aws-ecs.ts'
import { appServiceSite } from '../../shared/consumers/azure-app-service.ts'
import { consumers } from '../../shared/consumers/consumers.ts'
import { cloudRunService } from '../../shared/consumers/gcp-cloud-run.ts'
import { httpHook } from '../../shared/consumers/http.ts'
import { kubernetesWorkload } from '../../shared/consumers/kubernetes.ts'
import type { Consumers } from '../../shared/ports/consumers.ts'
import { SecretText } from '../../shared/types.ts'
import type { SignedIn } from './signed-in.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Whoever is signed in restarts consumers on each of the clouds. */
export function localConsumers(environment: Environment, config: Config, who: SignedIn): Consumers {
  const { kubernetes, restartHosts, privateHosts } = config
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
    http: httpHook({ hosts: restartHosts, allowPrivate: privateHosts.length > 0, ca }),
    ...(kubernetes && {
      k8s: kubernetesWorkload({
        apiServer: kubernetes.apiServer,
        ca: readSettingFile('KEYTURN_KUBERNETES_CA_FILE', kubernetes.caFile),
        token: async () => new SecretText(readSettingFile('KEYTURN_KUBERNETES_TOKEN_FILE', kubernetes.tokenFile).trim())
      })
    })
  })
}
