import { hasCode, KeyturnError } from '../errors.ts'
import { SecretText } from '../types.ts'
import { loginPath, type SecretSource, tokenOf, type VaultLogin, type VaultPost } from './login.ts'

export interface AppRoleSettings {
  readonly roleId: string
  /** The secret_id, or the wrapping token that holds it. Undefined for a role with bind_secret_id=false. */
  readonly secretId?: SecretSource | undefined
  /** Whether `secretId` gives a wrapping token: it opens once, and what was in it is kept for the logins after it. */
  readonly isWrapped?: boolean | undefined
  /** Default `approle`. */
  readonly mount?: string | undefined
}

/** developer.hashicorp.com/vault/api-docs/auth/approle, "Login with AppRole". */
export function appRoleLogin({ roleId, secretId, isWrapped = false, mount = 'approle' }: AppRoleSettings): VaultLogin {
  let opened: SecretText | undefined
  return {
    name: 'approle',
    login: async (post, signal) => {
      if (secretId && isWrapped) opened ??= await unwrapped(await secretId(signal), mount, post, signal)
      const secret = isWrapped ? opened : await secretId?.(signal)
      const body = { role_id: roleId, ...(secret && { secret_id: secret.reveal() }) }
      return tokenOf(await post({ path: loginPath(mount), body }, signal), 'approle')
    }
  }
}

/**
 * Opens a wrapping token, after a look at where it was made: one that was made elsewhere was put there by somebody else
 * (developer.hashicorp.com/vault/docs/concepts/response-wrapping, "Response wrapping token validation").
 */
async function unwrapped(token: SecretText, mount: string, post: VaultPost, signal: AbortSignal): Promise<SecretText> {
  try {
    const looked = await post({ path: 'sys/wrapping/lookup', body: { token: token.reveal() } }, signal)
    const made = (looked as { data?: { creation_path?: unknown } } | undefined)?.data?.creation_path
    if (typeof made !== 'string' || !isSecretIdPath(made, mount))
      throw new KeyturnError(
        'denied/store',
        'the login approle: the wrapping token was not made by this AppRole; find out who put it there'
      )
    const answer = await post({ path: 'sys/wrapping/unwrap', body: {}, token }, signal)
    const secret = (answer as { data?: { secret_id?: unknown } } | undefined)?.data?.secret_id
    if (typeof secret !== 'string')
      throw new KeyturnError('denied/store', 'the login approle: the wrapping token holds no secret_id')
    return new SecretText(secret)
  } catch (e) {
    if (!hasCode(e, 'invalid/request')) throw e
    const why = 'the wrapping token was opened before, or its time is over; if nobody of yours did it, the secret_id leaked'
    throw new KeyturnError('denied/store', `the login approle: ${why}`, 'wrapping token')
  }
}

/** `auth/<mount>/role/<role>/secret-id`, below the namespace's path where there is one. */
function isSecretIdPath(path: string, mount: string): boolean {
  const [before, after] = path.split(`auth/${mount}/role/`)
  return before !== undefined && (before === '' || before.endsWith('/')) && /^[^/]+\/(custom-)?secret-id$/.test(after ?? '')
}
