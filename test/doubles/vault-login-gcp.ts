import type { IncomingMessage } from 'node:http'
import { type Claims, type JwtKey, verifiedClaims } from './vault-jwt.ts'
import { refused } from './vault-refusal.ts'

/** The mount auth/gcp with roles of the type iam (developer.hashicorp.com/vault/api-docs/auth/gcp, "Create/Update role"). */
export interface GcpMount {
  /** Service account → the key that Google signs with for it. */
  readonly keys: Readonly<Record<string, JwtKey>>
  readonly roles: Readonly<Record<string, GcpRole>>
  /** Access tokens that may iam.serviceAccounts.signJwt. */
  readonly accessTokens: readonly string[]
}

export interface GcpRole {
  readonly boundServiceAccounts: readonly string[]
  /** max_jwt_exp: default 15 minutes, at most an hour. */
  readonly maxJwtExpS?: number
}

/** hashicorp/vault-plugin-auth-gcp, plugin/path_login.go, parseAndValidateJwt and pathIamLogin. Throws the refusal. */
export function gcpLoginOf(mount: GcpMount, body: Readonly<Record<string, unknown>>, now: number): void {
  const role = mount.roles[String(body.role)]
  if (!role) throw refused(400, `role "${body.role}" not found`)
  const claims = claimsOf(mount, String(body.jwt))
  const { exp, sub, aud } = claims
  if (typeof exp !== 'number' || exp * 1000 < now - 60_000)
    throw refused(400, "JWT is expired or does not have proper 'exp' claim")
  if ([aud].flat().some((one) => !String(one).endsWith(`vault/${body.role}`)))
    throw refused(400, `at least one of the JWT claim 'aud' must end in "vault/${body.role}"`)
  if (exp * 1000 > now + (role.maxJwtExpS ?? 900) * 1000)
    throw refused(400, 'role requires that service account JWTs expire sooner')
  if (!role.boundServiceAccounts.includes(String(sub))) throw refused(400, `service account ${sub} is not authorized for role`)
}

/** The key is that of the account in `sub`, before anything is verified. */
function claimsOf(mount: GcpMount, jwt: string): Claims {
  for (const [account, key] of Object.entries(mount.keys)) {
    const claims = verifiedClaims(jwt, key.publicPem)
    if (claims?.sub === account) return claims
  }
  throw refused(400, 'unable to get public key for signed JWT')
}

/**
 * cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signJwt. Undefined for a path that is not
 * this method's; a status and a body in Google's form (google.rpc.Status) otherwise.
 */
export function signJwt(mount: GcpMount, request: IncomingMessage, body: Readonly<Record<string, unknown>>, now: number) {
  const [, account] = /^\/v1\/projects\/-\/serviceAccounts\/([^/:]+):signJwt$/.exec(request.url ?? '') ?? []
  if (account === undefined) return undefined
  const failed = (code: number, status: string) => ({ status: code, body: { error: { code, status, message: 'by the double' } } })
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
  if (token === undefined) return failed(401, 'UNAUTHENTICATED')
  const key = mount.keys[decodeURIComponent(account)]
  if (!key || !mount.accessTokens.includes(token)) return failed(403, 'PERMISSION_DENIED')
  const claims = JSON.parse(String(body.payload)) as Claims
  // The same page, `payload`: exp is required to be an integer, at most 12 hours ahead.
  const exp = Number(claims.exp)
  if (!Number.isInteger(exp) || exp * 1000 > now + 12 * 3600_000) return failed(400, 'INVALID_ARGUMENT')
  return { status: 200, body: { keyId: 'key-1', signedJwt: key.jwt(claims) } }
}
