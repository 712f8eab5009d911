import { type Config, readCa, readSettingFile } from '../../shared/config.ts'
import { appServiceSite } from '../../shared/consumers/azure-app-service.ts'
import { consumers } from '../../shared/consumers/consumers.ts'
import { httpHook } from '../../shared/consumers/http.ts'
import { kubernetesWorkload } from '../../shared/consumers/kubernetes.ts'
import type { Consumers } from '../../shared/ports/consumers.ts'
import { SecretText } from '../../shared/types.ts'
import type { TokenFor } from './compose.ts'
import type { AzureSettings } from './settings.ts'

/** Who can be restarted from Azure. */
export function azureConsumers(config: Config, { cloud }: AzureSettings, token: TokenFor): Consumers {
  const { kubernetes, restartHosts, privateHosts } = config
  return consumers({
    appservice: appServiceSite({ token, arm: cloud.arm }),
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
