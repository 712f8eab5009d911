import { sign } from 'node:crypto'
import { KeyturnError } from '../errors.ts'
import { recordIn, textIn } from '../google-api.ts'
import { type ApiAnswer, type CallSettings, providerApi } from '../provider-api.ts'
import type { ServiceAccountKey } from './gcp-service-account-document.ts'
import type { Called } from './minted-provider.ts'

export interface TokenSettings extends CallSettings {
  /** Default https://oauth2.googleapis.com. */
  readonly endpoint?: string | undefined
}

const TOKEN_URI = 'https://oauth2.googleapis.com/token'
/** The token is thrown away; it could tell the account's own email and nothing else. */
const SCOPE = 'https://www.googleapis.com/auth/userinfo.email'
/** No hour, as a client would take: what is signed is used at once. */
const LIVES_S = 300
/** Some of it for the way, and for whole seconds in the Date header. Google takes a clock that is further off than this. */
const TOLERANCE_MS = 60_000

/**
 * Asks Google's token endpoint for an access token, with what the key signs: OAuth 2.0 for server-to-server applications
 * (developers.google.com/identity/protocols/oauth2/service-account, RFC 7523).
 */
export function tokenCall({ endpoint = 'https://oauth2.googleapis.com', now = Date.now, ...rest }: TokenSettings) {
  const api = providerApi({ ...rest, now, peer: 'Google’s token endpoint', endpoint })
  let aheadMs = 0
  const ask = async (key: ServiceAccountKey, at: number, signal: AbortSignal): Promise<ApiAnswer> => {
    const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: assertion(key, at) }
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const body = new URLSearchParams(grant).toString()
    // Whoever is given two tokens has done no more than with one.
    return api({ method: 'POST', path: '/token', body, headers, repeatable: true }, signal)
  }
  return async (key: ServiceAccountKey, signal: AbortSignal): Promise<Called> => {
    const at = now() + aheadMs
    const answer = await ask(key, at, signal)
    // A wrong clock of ours is refused by the same word as a dead key, so it is asked again by Google's.
    if (errorOf(answer) !== 'invalid_grant' || Math.abs(answer.date - at) <= TOLERANCE_MS) return judged(key, answer, endpoint)
    aheadMs = answer.date - now()
    return judged(key, await ask(key, answer.date, signal), endpoint)
  }
}

function assertion({ account, principal, privateKey }: ServiceAccountKey, at: number): string {
  const iat = Math.floor(at / 1000)
  const header = { alg: 'RS256', typ: 'JWT', kid: principal }
  const claims = { iss: account, scope: SCOPE, aud: TOKEN_URI, iat, exp: iat + LIVES_S }
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`
}

/**
 * `invalid_grant` is Google's one word for a key that is deleted, disabled, expired or never was, for a clock that is wrong,
 * and for an account that is gone; only error_description tells them apart. Seen: a key that was deleted or rotated
 * (setup-gcloud#76), or is not known yet (vault-plugin-secrets-gcp#260): “Invalid JWT Signature.”; a wrong clock
 * (google-cloud-python#3100): “Invalid JWT: Token must be a short-lived token …”.
 */
const DEAD_KEY = /^invalid jwt signature\.?$/i

/**
 * An account that is disabled or deleted: “account not found” (google-cloud-php#3622), “Robot is disabled.”
 * (google-api-ruby-client#720), “account has been deleted” (GAM#1171). Its key may be as good as ever when it is back.
 */
const NO_ACCOUNT = /account not found|robot is disabled|account has been deleted/i

function judged({ account }: ServiceAccountKey, answer: ApiAnswer, endpoint: string): Called {
  const body = recordIn(answer.json)
  if (answer.status < 300 && textIn(body.access_token) !== undefined) return { state: 'alive' }
  const error = errorOf(answer)
  const description = textIn(body.error_description) ?? ''
  if (error === 'deleted_client' || error === 'disabled_client' || (error === 'invalid_grant' && NO_ACCOUNT.test(description)))
    throw new KeyturnError('not-found/principal', `the service account ${account} is disabled or deleted: enable it`, error)
  if (error === 'invalid_grant' && DEAD_KEY.test(description))
    return { state: 'dead', code: error, endpoint: `${new URL(endpoint).host}/token`, at: answer.date }
  const why = error === 'invalid_grant' ? 'for another reason than its signature' : `with ${error ?? answer.status}`
  return { state: 'cannot-tell', why: `Google’s token endpoint refused what the key signed ${why}` }
}

/** RFC 6749, 5.2. */
function errorOf({ json, status }: ApiAnswer): string | undefined {
  const { error } = recordIn(json)
  return status >= 400 && typeof error === 'string' && /^[a-z_]{1,60}$/.test(error) ? error : undefined
}
