import { createPublicKey, verify } from 'node:crypto'
import type { KeyShelf } from './key-shelf.ts'
import type { ProviderAnswer, ProviderRequest } from './provider-double.ts'

const oauthError = (status: number, error: string, error_description: string): ProviderAnswer => ({
  status,
  body: { error, error_description }
})

/** The texts that the token endpoint was seen to answer; where: shared/targets/gcp-service-account-token.ts. */
const BAD_SIGNATURE = oauthError(400, 'invalid_grant', 'Invalid JWT Signature.')
const BAD_TIME = oauthError(
  400,
  'invalid_grant',
  'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.'
)
const NO_ACCOUNT = oauthError(400, 'invalid_grant', 'Invalid grant: account not found')

/** How far off a clock may be: other servers' five minutes (“more than 5 minutes” is reported of Google's too). */
const SKEW_S = 300
const HOUR_S = 3_600

interface Claims {
  readonly iss?: string
  readonly aud?: string
  readonly scope?: string
  readonly iat?: number
  readonly exp?: number
}

/** developers.google.com/identity/protocols/oauth2/service-account, “HTTP/REST”: POST /token. */
export function token(shelf: KeyShelf, isAccount: (email: string) => boolean, { text, now }: ProviderRequest): ProviderAnswer {
  const form = new URLSearchParams(text)
  if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
    return oauthError(400, 'unsupported_grant_type', 'Invalid grant_type')
  const [head = '', body = '', signature = ''] = (form.get('assertion') ?? '').split('.')
  const { alg, kid } = parsed<{ alg?: string; kid?: string }>(head)
  const { iss = '', aud, scope = '', iat = 0, exp = 0 } = parsed<Claims>(body)
  if (alg !== 'RS256' || aud !== 'https://oauth2.googleapis.com/token')
    return oauthError(400, 'invalid_grant', 'Invalid JWT: Failed audience check.')
  if (!isAccount(iss)) return NO_ACCOUNT
  const nowS = now / 1000
  if (iat > nowS + SKEW_S || exp < nowS - SKEW_S || exp - iat > HOUR_S) return BAD_TIME
  const key = shelf.find(kid ?? '')
  if (!key || key.account !== iss || !isSigned(`${head}.${body}`, signature, key.value)) return BAD_SIGNATURE
  if (shelf.call(key.value).standing !== 'alive') return BAD_SIGNATURE
  if (scope === '') return oauthError(400, 'invalid_scope', 'Invalid OAuth scope or ID token audience provided.')
  return { status: 200, body: { access_token: `ya29.of-${key.id}`, expires_in: 3_599, token_type: 'Bearer' } }
}

function parsed<T extends object>(part: string): Partial<T> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as T
  } catch {
    return {}
  }
}

const isSigned = (text: string, signature: string, pem: string): boolean =>
  verify('sha256', Buffer.from(text), createPublicKey(pem), Buffer.from(signature, 'base64url'))
