import { type Code, KeyturnError } from '../errors.ts'
import type { Consumer, Consumers } from '../ports/consumers.ts'
import { type ApiAnswer, type ProviderApiSettings, providerApi } from '../provider-api.ts'
import { partsOf } from '../restart.ts'
import { entryOf } from '../table.ts'
import type { SecretText } from '../types.ts'

export interface AppServiceSettings extends Pick<ProviderApiSettings, 'ca' | 'lookup' | 'requestTimeoutMs' | 'pausesMs' | 'now'> {
  /** The token for a resource: the managed identity’s. */
  readonly token: (resource: string, signal: AbortSignal) => Promise<SecretText>
  /** Default https://management.azure.com; other clouds have their own (https://management.usgovcloudapi.net …). */
  readonly arm?: string | undefined
  /** The audience of the token. Default: `arm`. */
  readonly armResource?: string | undefined
  /**
   * True, the default: processes are recycled, all instances of them, without a full reload of the site (the App Service team, of
   * Windows only: azure.github.io/AppService/2021/09/16/App-Service-Restarts.html, “slowness in requests can be expected”; of the
   * full one, HTTP 503). The reference says less: “apply the configuration settings and restarts the app only if necessary”
   * (learn.microsoft.com/rest/api/appservice/web-apps/restart). False: “always restarts and reprovisions the app”.
   */
  readonly softRestart?: boolean | undefined
}

/**
 * A web app or a function app. First its Key Vault references are resolved: they are kept for 24 hours, through restarts
 * (learn.microsoft.com/azure/app-service/app-service-key-vault-references, “Understand rotation”; Azure/azure-functions-host#8269), so a
 * restart alone would give the app the old value again. Then it is restarted.
 */
export function appServiceSite(settings: AppServiceSettings): Consumers['restart'] {
  const { token, arm = 'https://management.azure.com', armResource = arm, softRestart = true, ...rest } = settings
  const authorize = async (signal: AbortSignal) => ({ authorization: `Bearer ${(await token(armResource, signal)).reveal()}` })
  const api = providerApi({ ...rest, peer: 'Azure Resource Manager', endpoint: arm, authorize })
  return async (consumer, _, signal) => {
    const path = pathOf(consumer)
    const post = (op: string) => api({ method: 'POST', path: `${path}/${op}`, repeatable: true }, signal)
    const refreshed = await post('config/configreferences/appsettings/refresh?api-version=2022-03-01')
    // 404: whether there is no such site, or nothing to resolve, the restart tells.
    if (refreshed.status >= 300 && refreshed.status !== 404) throw refusal(refreshed, consumer)
    const restarted = await post(`restart?softRestart=${softRestart}&api-version=2024-04-01`)
    if (restarted.status >= 300 || !restarted.isJson) throw refusal(restarted, consumer)
  }
}

function pathOf(consumer: Consumer): string {
  const [subscription = '', group = '', site = ''] = partsOf(consumer).map(encodeURIComponent)
  return `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Web/sites/${site}`
}

/**
 * learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors. Conflict is of Microsoft.Web: “another
 * operation is in progress” (Azure/azure-sdk-for-java#1827). 429 and 5xx are told by the status.
 */
const CODES: Readonly<Record<string, Code>> = {
  AuthorizationFailed: 'denied/provider',
  AuthenticationFailed: 'denied/provider',
  InvalidAuthenticationToken: 'denied/provider',
  InvalidAuthenticationTokenTenant: 'denied/provider',
  ExpiredAuthenticationToken: 'denied/provider',
  DenyAssignmentAuthorizationFailed: 'denied/provider-policy',
  RequestDisallowedByPolicy: 'denied/provider-policy',
  ScopeLocked: 'denied/provider-policy',
  SubscriptionDisabled: 'denied/provider-policy',
  NotFound: 'not-found/principal',
  ResourceNotFound: 'not-found/principal',
  ResourceGroupNotFound: 'not-found/principal',
  SubscriptionNotFound: 'not-found/principal',
  Conflict: 'throttled/provider',
  TooManyRequests: 'throttled/provider'
}

/** The action of the refresh is named nowhere; the role, which has Microsoft.Web/sites/*, has it (role-based-access-control/built-in-roles/web-and-mobile). */
const MESSAGES: Partial<Record<Code, (site: string, vendor: string) => string>> = {
  'denied/provider': (site) =>
    `the call was denied; it needs Microsoft.Web/sites/restart/Action on ${site}, and the refresh of its Key Vault references: the role Website Contributor has both`,
  'denied/provider-policy': (site, vendor) => `a lock or a policy forbids the restart of ${site} (${vendor})`,
  'not-found/principal': (site, vendor) => `there is no ${site} (${vendor})`,
  'throttled/provider': (site, vendor) => `another operation on ${site} is under way (${vendor})`
}

function refusal({ json, status }: ApiAnswer, { name }: Consumer): KeyturnError {
  const vendor = codeIn(json) ?? String(status)
  const known = entryOf(CODES, vendor)
  const code = known ?? (status === 401 || status === 403 ? 'denied/provider' : 'unavailable/provider')
  const message = MESSAGES[code]?.(name, vendor) ?? `the restart of ${name} was answered with ${vendor}`
  return new KeyturnError(code, `Azure Resource Manager: ${message}`, vendor)
}

/** Resource Manager’s own answers have `error`, those of Microsoft.Web `Code` beside it (Azure/azure-sdk-for-java#1827). */
function codeIn(json: unknown): string | undefined {
  const { error, Code: own } = (json ?? {}) as { error?: { code?: unknown } | null; Code?: unknown }
  const code = error?.code ?? own
  return typeof code === 'string' && /^\w{1,100}$/.test(code) ? code : undefined
}
