import { type Config, readCa, readSettingFile } from '../../shared/config.ts'
import { ecsService } from '../../shared/consumers/aws-ecs.ts'
import { consumers } from '../../shared/consumers/consumers.ts'
import { httpHook } from '../../shared/consumers/http.ts'
import { kubernetesWorkload } from '../../shared/consumers/kubernetes.ts'
import type { Consumers } from '../../shared/ports/consumers.ts'
import { secretsManagerClient } from '../../shared/stores/aws-client.ts'
import { SecretText } from '../../shared/types.ts'

/** Who can be restarted from AWS. */
export function awsConsumers(environment: Readonly<Record<string, string | undefined>>, config: Config): Consumers {
  const { kubernetes, restartHosts, privateHosts } = config
  return consumers({
    ecs: ecsService({
      region: environment.AWS_REGION ?? 'us-east-1',
      endpoint: environment.AWS_ENDPOINT_URL_ECS,
      credentials
    }),
    http: httpHook({ hosts: restartHosts, allowPrivate: privateHosts.length > 0, ca: readCa(config) }),
    ...(kubernetes && {
      k8s: kubernetesWorkload({
        apiServer: kubernetes.apiServer,
        ca: readSettingFile('KEYTURN_KUBERNETES_CA_FILE', kubernetes.caFile),
        token: async () => new SecretText(readSettingFile('KEYTURN_KUBERNETES_TOKEN_FILE', kubernetes.tokenFile).trim())
      })
    })
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
