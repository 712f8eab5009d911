import { type Config, readCa, readSettingFile } from '../config.ts'
import { SecretText } from '../types.ts'
import type { Restart } from './consumers.ts'
import { httpHook } from './http.ts'
import { kubernetesWorkload } from './kubernetes.ts'

/** The kinds that every host can restart: by HTTP, and the workloads of a cluster where the deployment names one. Throws `invalid/config`. */
export function everywhere(config: Config): Readonly<Record<string, Restart>> {
  const { kubernetes, restartHosts, privateHosts } = config
  const http = httpHook({ hosts: restartHosts, allowPrivate: privateHosts, ca: readCa(config) })
  if (!kubernetes) return { http }
  const { apiServer, caFile, tokenFile } = kubernetes
  const k8s = kubernetesWorkload({
    apiServer,
    ca: readSettingFile('KEYTURN_KUBERNETES_CA_FILE', caFile),
    // Read each time: what Kubernetes mounts is replaced before it ends.
    token: async () => new SecretText(readSettingFile('KEYTURN_KUBERNETES_TOKEN_FILE', tokenFile).trim())
  })
  return { http, k8s }
}
