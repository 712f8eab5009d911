import { RESOURCE_MANAGER_CODES, type ResourceManagerSettings, resourceManager } from '../azure-resource-manager.ts'
import { type Code, KeyturnError } from '../errors.ts'
import type { Consumer, Consumers } from '../ports/consumers.ts'
import type { ApiAnswer } from '../provider-api.ts'
import { partsOf } from '../restart.ts'
import { codeFor, wordIn } from '../vendor-code.ts'

export interface AppServiceSettings extends ResourceManagerSettings {
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
  const { softRestart = true, ...rest } = settings
  const api = resourceManager(rest)
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

/** Conflict is of Microsoft.Web: “another operation is in progress” (Azure/azure-sdk-for-java#1827). */
const CODES: Readonly<Record<string, Code>> = {
  ...RESOURCE_MANAGER_CODES,
  NotFound: 'not-found/principal',
  Conflict: 'throttled/provider'
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
  const code = codeFor(CODES, vendor, status)
  const message = MESSAGES[code]?.(name, vendor) ?? `the restart of ${name} was answered with ${vendor}`
  return new KeyturnError(code, `Azure Resource Manager: ${message}`, vendor)
}

/** Resource Manager’s own answers have `error`, those of Microsoft.Web `Code` beside it (Azure/azure-sdk-for-java#1827). */
function codeIn(json: unknown): string | undefined {
  const { error, Code: own } = (json ?? {}) as { error?: { code?: unknown } | null; Code?: unknown }
  return wordIn(error?.code ?? own)
}
