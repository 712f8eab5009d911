import { errorInfo, googleError } from './google-iam-errors.ts'
import type { KeyShelf } from './key-shelf.ts'
import type { ProviderAnswer, ProviderRequest } from './provider-double.ts'

/** The answer to a key that is not known: vivet/GoogleApi#375, of this very API. Reasons: google/api/error_reason.proto. */
export function languages(
  shelf: KeyShelf,
  restrictionsOf: (id: string) => object | undefined,
  { headers, url }: ProviderRequest
): ProviderAnswer {
  const value = headers['x-goog-api-key']
  if (typeof value !== 'string' || url.search !== '')
    return googleError('PERMISSION_DENIED', 'The request is missing a valid API key.')
  const { standing, key } = shelf.call(value)
  const service = 'translate.googleapis.com'
  if (standing !== 'alive' || !key)
    return googleError('INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
      errorInfo('API_KEY_INVALID', { service })
    ])
  const blocked = blockedBy(restrictionsOf(key.id) ?? {})
  const metadata = { service, consumer: 'projects/123456789012' }
  if (blocked !== undefined)
    return googleError('PERMISSION_DENIED', 'Requests to this API are blocked.', [errorInfo(blocked, metadata)])
  return { status: 200, body: { data: { languages: [{ language: 'en' }, { language: 'de' }] } } }
}

const CLIENTS: Readonly<Record<string, string>> = {
  browserKeyRestrictions: 'API_KEY_HTTP_REFERRER_BLOCKED',
  serverKeyRestrictions: 'API_KEY_IP_ADDRESS_BLOCKED',
  androidKeyRestrictions: 'API_KEY_ANDROID_APP_BLOCKED',
  iosKeyRestrictions: 'API_KEY_IOS_APP_BLOCKED'
}

function blockedBy(restrictions: object): string | undefined {
  const client = Object.keys(restrictions).find((name) => name in CLIENTS)
  if (client !== undefined) return CLIENTS[client]
  const { apiTargets } = restrictions as { apiTargets?: readonly { readonly service: string }[] }
  const isOpen = !apiTargets || apiTargets.some(({ service }) => service === 'translate.googleapis.com')
  return isOpen ? undefined : 'API_KEY_SERVICE_BLOCKED'
}
