import { loginPath, type SecretSource, tokenOf, type VaultLogin } from './login.ts'

export interface JwtSettings {
  /** Undefined: the mount's default_role. */
  readonly role?: string | undefined
  /** A JWT whose audience the role accepts: a file, or a platform's identity token. Asked for at each login. */
  readonly jwt: SecretSource
  /** Default `jwt`. */
  readonly mount?: string | undefined
}

/** developer.hashicorp.com/vault/api-docs/auth/jwt, "JWT login". */
export function jwtLogin({ role, jwt, mount = 'jwt' }: JwtSettings): VaultLogin {
  return {
    name: 'jwt',
    login: async (post, signal) => {
      const proof = await jwt(signal)
      const body = { ...(role !== undefined && { role }), jwt: proof.reveal() }
      return tokenOf(await post({ path: loginPath(mount), body }, signal), 'jwt')
    }
  }
}
