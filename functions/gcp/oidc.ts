import type { LoginTicket } from 'google-auth-library'
import * as v from 'valibot'
import { KeyturnError } from '../../shared/errors.ts'
import type { Refusal } from '../../shared/http.ts'
import { jsonIn } from '../../shared/json-in.ts'
import { once } from '../../shared/once.ts'
import { FETCH, googleAuth } from './google-auth.ts'
import type { CallerSettings } from './settings.ts'

/** Headers with every value that was sent (node's `headersDistinct`). */
export type DistinctHeaders = Readonly<Record<string, readonly string[] | undefined>>

/** Who asks, or why he may not: no token that proves it (401), somebody else (403), certificates out of reach (503). */
export type CallerCheck = (headers: DistinctHeaders) => Promise<{ readonly email: string } | Refusal>

/** OpenID Connect, "Validating an ID token". The library takes a third one, googleapis.com. */
const ISSUERS = ['https://accounts.google.com', 'accounts.google.com']

/** docs.cloud.google.com/docs/authentication/token-types#id. An e-mail address that nobody verified says nothing. */
const Claims = v.object({
  iss: v.picklist(ISSUERS),
  aud: v.string(),
  iat: v.number(),
  exp: v.number(),
  email: v.string(),
  email_verified: v.literal(true)
})
type Claims = v.InferOutput<typeof Claims>

/**
 * The second check of who calls, after Cloud Run's IAM: an ID token of Google's for our audience, of one of the callers. Its
 * signature is verified, but for one case. Behind the IAM check no token has a signature any more: Cloud Run puts
 * SIGNATURE_REMOVED_BY_GOOGLE in its place on those that it has checked (run/docs/troubleshooting#signature-removed). Anybody
 * can write that where no such check is, so it counts only where the deployment says that there is one (`iamInFront`), and only
 * on the token that was checked: X-Serverless-Authorization where that was sent, because then Authorization is passed on
 * as it came (run/docs/authenticating/service-to-service).
 */
export function callerCheck(settings: CallerSettings): CallerCheck {
  const verify = once(() => verifier(settings.audience))
  return async (headers) => {
    const token = tokenIn(headers, settings.iamInFront)
    if ('error' in token) return token
    const claims = token.isSigned ? await (await verify())(token.text) : checkedByGoogle(token.text, settings.audience)
    if ('error' in claims) return claims
    const email = claims.email.toLowerCase()
    return settings.emails.includes(email) ? { email } : refusal(403, 'a caller who is none of KEYTURN_CALLERS')
  }
}

const refusal = (status: number, message: string): Refusal => ({ status, error: new KeyturnError('denied/caller', message) })

interface Token {
  readonly text: string
  readonly isSigned: boolean
}

const REMOVED = '.SIGNATURE_REMOVED_BY_GOOGLE'

function tokenIn(headers: DistinctHeaders, iamInFront: boolean): Token | Refusal {
  const own = bearer(headers.authorization)
  if (own && !own.endsWith(REMOVED)) return { text: own, isSigned: true }
  const checked = headers['x-serverless-authorization'] ? bearer(headers['x-serverless-authorization']) : own
  if (!checked?.endsWith(REMOVED)) return refusal(401, 'a request without one ID token')
  if (iamInFront) return { text: checked, isSigned: false }
  return refusal(401, 'an ID token without its signature: where Cloud Run’s IAM check took it off, set KEYTURN_IAM_IN_FRONT')
}

/** RFC 6750, 2.1. Of a header that came twice nobody knows which one was checked. */
function bearer(values: readonly string[] | undefined): string | undefined {
  const [, token] = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+) *$/i.exec(values?.length === 1 ? (values[0] ?? '') : '') ?? []
  return token
}

/** The library waits for ever without one. */
const CERTIFICATES_MS = 5_000

/** Certificates are kept for as long as Google says (Cache-Control), so it is one request in some hours. */
async function verifier(audience: string): Promise<(idToken: string) => Promise<Claims | Refusal>> {
  const { OAuth2Client } = await googleAuth()
  const client = new OAuth2Client({ transporterOptions: { ...FETCH, timeout: CERTIFICATES_MS } })
  return async (idToken) => {
    try {
      await client.getFederatedSignonCertsAsync()
    } catch {
      const error = new KeyturnError('unavailable/host', 'Google’s certificates at www.googleapis.com were out of reach')
      return { status: 503, error }
    }
    try {
      return claimsIn(await client.verifyIdToken({ idToken, audience }))
    } catch {
      // The library's message quotes the token.
      return refusal(401, 'an ID token that is not valid for KEYTURN_AUDIENCE')
    }
  }
}

const claimsIn = (ticket: LoginTicket): Claims | Refusal => understood(ticket.getPayload())

function understood(payload: unknown): Claims | Refusal {
  const parsed = v.safeParse(Claims, payload)
  return parsed.success ? parsed.output : refusal(401, 'an ID token without a verified e-mail address')
}

/** As much as the library allows (CLOCK_SKEW_SECS_). */
const SKEW_S = 300

/** What the signature does not say any more is checked as the library checks it. */
function checkedByGoogle(idToken: string, audience: string): Claims | Refusal {
  const claims = understood(jsonIn(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString('utf8')))
  if ('error' in claims) return claims
  const now = Date.now() / 1000
  const isNow = claims.iat - SKEW_S <= now && now <= claims.exp + SKEW_S
  return isNow && claims.aud === audience ? claims : refusal(401, 'an ID token that is not valid for KEYTURN_AUDIENCE')
}
