import { loginPath, tokenOf, type VaultLogin } from './login.ts'

export interface CertSettings {
  /** The certificate role to log in against. Undefined: the first that the certificate matches. */
  readonly role?: string | undefined
  /** Default `cert`. */
  readonly mount?: string | undefined
}

/**
 * The TLS client certificate of the connection is the proof: `clientCertificate` of the client's settings. A proxy that
 * ends TLS in between takes it away. developer.hashicorp.com/vault/api-docs/auth/cert, "Login with TLS certificate auth".
 */
export function certLogin({ role, mount = 'cert' }: CertSettings = {}): VaultLogin {
  return {
    name: 'cert',
    login: async (post, signal) => {
      const body = role === undefined ? {} : { name: role }
      return tokenOf(await post({ path: loginPath(mount), body }, signal), 'cert')
    }
  }
}
