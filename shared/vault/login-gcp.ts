import { KeyturnError } from '../errors.ts'
import { SecretText } from '../types.ts'
import { wire } from '../wire.ts'
import { VAULT_WIRE } from './address.ts'
import { loginPath, type SecretSource, tokenOf, type VaultLogin } from './login.ts'

/** Signs the claims, a JSON object as text, as the service account. */
export type JwtSigner = (claims: string, signal: AbortSignal) => Promise<SecretText>

export interface GcpLoginSettings {
  readonly role: string
  /** The service account's email. */
  readonly serviceAccount: string
  readonly sign: JwtSigner
  /** Default `gcp`. */
  readonly mount?: string | undefined
  /** Milliseconds since the epoch. Default: the machine's clock. */
  readonly now?: (() => number) | undefined
}

/** The proof is used at once. Vault allows 15 minutes, and a role may allow less (max_jwt_exp) without any tolerance. */
const PROOF_LIVES_S = 300

/**
 * Vault's GCP login of the type iam (developer.hashicorp.com/vault/docs/auth/gcp, "Generating JWTs"): the type gce is for
 * virtual machines only.
 */
export function gcpLogin({ role, serviceAccount, sign, mount = 'gcp', now = Date.now }: GcpLoginSettings): VaultLogin {
  return {
    name: 'gcp',
    login: async (post, signal) => {
      const exp = Math.floor(now() / 1000) + PROOF_LIVES_S
      const claims = JSON.stringify({ sub: serviceAccount, aud: `vault/${role}`, exp })
      const jwt = await sign(claims, signal)
      return tokenOf(await post({ path: loginPath(mount), body: { role, jwt: jwt.reveal() } }, signal), 'gcp')
    }
  }
}

export interface IamSignerSettings {
  readonly serviceAccount: string
  /** An OAuth access token for cloud-platform of an account that may iam.serviceAccounts.signJwt as the service account. */
  readonly accessToken: SecretSource
  /** For a private endpoint, or a test. */
  readonly endpoint?: string | undefined
  readonly ca?: string | undefined
}

/**
 * cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signJwt. The account needs
 * roles/iam.serviceAccountTokenCreator on itself.
 */
export function iamSigner(settings: IamSignerSettings): JwtSigner {
  const { serviceAccount, accessToken, endpoint = 'https://iamcredentials.googleapis.com', ca } = settings
  const send = wire({ ...VAULT_WIRE, ca, requestTimeoutMs: 10_000, now: Date.now })
  const url = new URL(`${endpoint}/v1/projects/-/serviceAccounts/${encodeURIComponent(serviceAccount)}:signJwt`)
  return async (claims, signal) => {
    const token = await accessToken(signal)
    const headers = { Authorization: `Bearer ${token.reveal()}`, 'Content-Type': 'application/json' }
    const answer = await send({ method: 'POST', url, headers, body: JSON.stringify({ payload: claims }) }, signal)
    const signed = (answer.json as { signedJwt?: unknown } | undefined)?.signedJwt
    if (answer.status === 200 && typeof signed === 'string') return new SecretText(signed)
    const code = answer.status >= 500 || answer.status === 429 ? 'unavailable/store' : 'denied/store'
    throw new KeyturnError(code, `iam:signJwt for ${serviceAccount}: an answer ${answer.status}`, `signJwt ${answer.status}`)
  }
}
