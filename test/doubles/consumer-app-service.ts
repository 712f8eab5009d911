import { type AppServiceSettings, appServiceSite } from '../../shared/consumers/azure-app-service.ts'
import { SecretText } from '../../shared/types.ts'
import { refused } from './arm-answers.ts'
import { type ConsumerHarness, type SeenDouble, startSeen, TOKEN } from './consumer-suite.ts'
import type { ProviderAnswer, ProviderRequest } from './provider-double.ts'

export interface Site {
  /** The version that the vault has, the one that App Service keeps, and the one that the process was started with. */
  vault: number
  kept: number
  process: number
  restarts: number
}

export interface AppServiceHarness extends ConsumerHarness {
  readonly double: SeenDouble
  readonly sites: Map<string, Site>
  readonly audiences: string[]
  siteWith(settings: Partial<AppServiceSettings>): ConsumerHarness['restart']
}

export const SUBSCRIPTION = '34adfa4f-cedf-4dc0-ba29-b6d1a69ab345'

/** Azure Resource Manager for a site’s restart and the refresh of its Key Vault references. */
export async function startAppService(): Promise<AppServiceHarness> {
  const sites = new Map<string, Site>([['rg-shop/orders', { vault: 2, kept: 1, process: 1, restarts: 0 }]])
  const audiences: string[] = []
  const base = '^/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\\.Web/sites/([^/]+)'
  const on = (work: (site: Site) => void) => (request: ProviderRequest) => answered(request, sites, work)
  const double = await startSeen({
    routes: [
      {
        op: 'refresh',
        method: 'POST',
        path: new RegExp(`${base}/config/configreferences/appsettings/refresh$`),
        // app-service-key-vault-references, “Understand rotation”: “to force resolution of your app's Key Vault references”.
        answer: on((site) => {
          site.kept = site.vault
        })
      },
      {
        op: 'restart',
        method: 'POST',
        path: new RegExp(`${base}/restart$`),
        // Azure/azure-functions-host#8269: a restart gives the process what was kept.
        answer: on((site) => {
          site.process = site.kept
          site.restarts += 1
        })
      }
    ],
    unknown: refused(404, 'InvalidResourceType', 'The resource type could not be found in the namespace.')
  })
  const siteWith = (more: Partial<AppServiceSettings>) =>
    appServiceSite({
      arm: double.url,
      token: async (resource) => {
        audiences.push(resource)
        return new SecretText(TOKEN)
      },
      pausesMs: [0],
      ...more
    })
  return {
    double,
    sites,
    audiences,
    siteWith,
    restart: siteWith({}),
    consumer: { kind: 'appservice', name: `${SUBSCRIPTION}/rg-shop/orders` },
    missing: { consumer: { kind: 'appservice', name: `${SUBSCRIPTION}/rg-shop/gone` }, code: 'not-found/principal' },
    malformed: ['rg-shop/orders', `${SUBSCRIPTION}/../orders`, `${SUBSCRIPTION}/rg-shop/orders/stop`, 'no-guid/rg-shop/orders'],
    denied: {
      answer: refused(
        403,
        'AuthorizationFailed',
        "The client does not have authorization to perform action 'Microsoft.Web/sites/restart/Action'"
      ),
      names: /Microsoft\.Web\/sites\/restart\/Action.*Website Contributor/
    },
    // learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
    throttled: { ...refused(429, 'TooManyRequests', 'Number of requests exceeded the limit.'), headers: { 'Retry-After': '17' } },
    restarts: () => sites.get('rg-shop/orders')?.restarts ?? 0,
    stop: double.close
  }
}

function answered(
  { headers, params, url }: ProviderRequest,
  sites: ReadonlyMap<string, Site>,
  work: (site: Site) => void
): ProviderAnswer {
  const [subscription, group, name] = params
  if (headers.authorization !== `Bearer ${TOKEN}`)
    return refused(401, 'InvalidAuthenticationToken', 'The access token is invalid.')
  if (!/^\d{4}-\d\d-\d\d$/.test(url.searchParams.get('api-version') ?? ''))
    return refused(400, 'MissingApiVersionParameter', 'The api-version query parameter is required for all requests.')
  if (subscription !== SUBSCRIPTION) return refused(404, 'SubscriptionNotFound', 'The subscription could not be found.')
  const site = sites.get(`${group}/${name}`)
  if (!site) return refused(404, 'ResourceNotFound', `The Resource 'Microsoft.Web/sites/${name}' was not found.`)
  work(site)
  return { status: 200 }
}
