import { fileText, loginPath, tokenOf, type VaultLogin } from './login.ts'

export interface KubernetesSettings {
  readonly role: string
  /** Default: where Kubernetes mounts it. The kubelet renews it there, so it is read at each login. */
  readonly tokenFile?: string | undefined
  /** Default `kubernetes`. */
  readonly mount?: string | undefined
}

/** kubernetes.io/docs/tasks/run-application/access-api-from-pod. */
export const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'

/** developer.hashicorp.com/vault/api-docs/auth/kubernetes, "Login". */
export function kubernetesLogin(settings: KubernetesSettings): VaultLogin {
  const { role, tokenFile = SERVICE_ACCOUNT_TOKEN, mount = 'kubernetes' } = settings
  const proof = fileText(tokenFile)
  return {
    name: 'kubernetes',
    login: async (post, signal) => {
      const body = { role, jwt: (await proof(signal)).reveal() }
      return tokenOf(await post({ path: loginPath(mount), body }, signal), 'kubernetes')
    }
  }
}
