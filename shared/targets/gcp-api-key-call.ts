import { KeyturnError } from '../errors.ts'
import { isLoopback } from '../loopback.ts'
import { type ApiAnswer, type CallSettings, providerApi } from '../provider-api.ts'
import { googleErrorIn } from './gcp-answers.ts'
import type { ApiKeyDocument } from './gcp-api-key-document.ts'
import type { Called } from './minted-provider.ts'

export interface ApiKeyCallSettings extends CallSettings {
  /** What is asked with a key, by GET: of an API on googleapis.com that takes keys. Default: the languages of Translation. */
  readonly verifyUrl?: string | undefined
}

/**
 * “All methods for the Cloud Translation - Basic API (v2) support API keys” (docs.cloud.google.com/translate/docs/authentication),
 * and this one changes nothing and is not charged. Not keys:lookupKey: that takes the key in its URL, asks with the
 * administrator's rights, and says what the list says, not whether Google's APIs take the key.
 */
const LANGUAGES = 'https://translation.googleapis.com/language/translate/v2/languages'

/**
 * google/api/error_reason.proto, domain googleapis.com. API_KEY_INVALID: “bad format, cannot be found, or has been expired”.
 * Whoever is told what a key may not do, or what its project has not enabled, holds a key that Google knows.
 */
const ALIVE: readonly string[] = [
  'API_KEY_SERVICE_BLOCKED',
  'API_KEY_HTTP_REFERRER_BLOCKED',
  'API_KEY_IP_ADDRESS_BLOCKED',
  'API_KEY_ANDROID_APP_BLOCKED',
  'API_KEY_IOS_APP_BLOCKED',
  'SERVICE_DISABLED',
  'BILLING_DISABLED',
  // Of a key that is bound to a service account, which may not do this.
  'IAM_PERMISSION_DENIED'
]

/** Throws `invalid/config` for an address to which a key must not go. */
export function apiKeyCall({ verifyUrl = LANGUAGES, ...rest }: ApiKeyCallSettings) {
  const url = googleUrl(verifyUrl)
  const api = providerApi({ ...rest, peer: url.host, endpoint: url.origin })
  return async ({ apiKey }: ApiKeyDocument, signal: AbortSignal): Promise<Called> => {
    // cloud.google.com/docs/authentication/api-keys-use: in the header, since a URL is logged.
    const headers = { 'x-goog-api-key': apiKey }
    const answer = await api({ method: 'GET', path: `${url.pathname}${url.search}`, headers }, signal)
    return judged(answer, url)
  }
}

function judged(answer: ApiAnswer, { host, pathname }: URL): Called {
  if (answer.status < 300 && answer.isJson) return { state: 'alive' }
  const { reason, status } = googleErrorIn(answer) ?? {}
  if (reason === 'API_KEY_INVALID') return { state: 'dead', code: reason, endpoint: `${host}${pathname}`, at: answer.date }
  if (reason !== undefined && ALIVE.includes(reason)) return { state: 'alive' }
  return { state: 'cannot-tell', why: `${host} answered a call with the key by ${reason ?? status ?? answer.status}` }
}

function googleUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && (url.hostname.endsWith('.googleapis.com') || isLoopback(url))) return url
  throw new KeyturnError('invalid/config', 'verifyUrl must be a URL of an API on googleapis.com: a key is sent to nobody else')
}
