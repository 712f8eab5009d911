import { readFile } from 'node:fs/promises'
import { KeyturnError } from '../errors.ts'
import { SecretText } from '../types.ts'

/** One call to a login's endpoint, with no token but the request's own. Answers the parsed body of a 2xx. */
export type VaultPost = (request: VaultLoginRequest, signal: AbortSignal) => Promise<unknown>

export interface VaultLoginRequest {
  /** Below /v1, such as `auth/approle/login`. */
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
  /** A token that is sent for this call alone: a wrapping token. */
  readonly token?: SecretText
}

/** A token as Vault's login answers it. */
export interface VaultToken {
  readonly token: SecretText
  /** Undefined for a batch token, which has none: it cannot be revoked and lives until its lease ends. */
  readonly accessor: string | undefined
  /** How long the token lives, from the moment that the login was sent. 0: it does not end by itself. */
  readonly leaseMs: number
  /** Somebody else's token, which is used and never revoked. */
  readonly borrowed?: boolean
}

/** A way to get a token. Each login reads its proof anew: files and platform tokens change while a process lives. */
export interface VaultLogin {
  /** The auth method's name in Vault, such as `approle`. For messages. */
  readonly name: string
  login(post: VaultPost, signal: AbortSignal): Promise<VaultToken>
}

/** A text that a platform gives on demand: a token, a signed JWT. */
export type SecretSource = (signal: AbortSignal) => Promise<SecretText>

/** The path of a mount's login. The mount is that of the auth method, without `auth/`. */
export const loginPath = (mount: string): string => `auth/${mount.replaceAll(/^\/+|\/+$/g, '')}/login`

/** The token of a login's answer (developer.hashicorp.com/vault/api-docs/auth/approle, "Login with AppRole"; all are alike). */
export function tokenOf(body: unknown, login: string): VaultToken {
  const auth = (body as { auth?: Readonly<Record<string, unknown>> | null } | undefined)?.auth
  const { client_token: token, accessor, lease_duration: leaseSeconds } = auth ?? {}
  if (typeof token === 'string' && isHeader(token) && typeof leaseSeconds === 'number')
    return {
      token: new SecretText(token),
      accessor: typeof accessor === 'string' && accessor !== '' ? accessor : undefined,
      leaseMs: leaseSeconds * 1000
    }
  // api-docs/system/mfa/validate: a login that needs a second factor answers without a token.
  if (auth?.mfa_requirement) throw new KeyturnError('denied/store', `Vault asks for a second factor after the login ${login}`)
  throw new KeyturnError('unavailable/store', `Vault answered the login ${login} without a token`)
}

/** Visible ASCII: what an HTTP header can carry. */
export const isHeader = (text: string): boolean => /^[\x21-\x7e]+$/.test(text)

/** The text of a file without the white space around it, read anew at each login. Fails with `invalid/config`. */
export function fileText(path: string): SecretSource {
  return async (signal) => {
    const text = await readFile(path, { encoding: 'utf8', signal }).catch((e: unknown) => {
      throw new KeyturnError('invalid/config', `${path} cannot be read`, String((e as { code?: unknown }).code))
    })
    if (text.trim() === '') throw new KeyturnError('invalid/config', `${path} is empty`)
    return new SecretText(text.trim())
  }
}
