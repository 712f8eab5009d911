import { type Config, readCa, readSettingFile } from '../../shared/config.ts'
import { consumers } from '../../shared/consumers/consumers.ts'
import { cloudRunService } from '../../shared/consumers/gcp-cloud-run.ts'
import { httpHook } from '../../shared/consumers/http.ts'
import { kubernetesWorkload } from '../../shared/consumers/kubernetes.ts'
import type { Consumers } from '../../shared/ports/consumers.ts'
import { SecretText } from '../../shared/types.ts'
import type { ServiceAccount } from './service-account.ts'
import type { GcpSettings } from './settings.ts'

/** Who can be restarted from Google Cloud. */
export async function gcpConsumers(
  config: Config,
  { project, endpoints }: GcpSettings,
  account: ServiceAccount
): Promise<Consumers> {
  const { kubernetes, restartHosts, privateHosts } = config
  return consumers({
    run: cloudRunService({
      project: project ?? (await account.projectId()),
      authorize: account.authorize,
      endpoint: endpoints.run
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
