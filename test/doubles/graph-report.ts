import { refused } from './graph-applications.ts'
import type { GraphState } from './graph-state.ts'
import type { ShelfKey } from './key-shelf.ts'
import type { ProviderAnswer, ProviderRequest } from './provider-double.ts'

/**
 * learn.microsoft.com/graph/api/reportroot-list-appcredentialsigninactivities (beta). That a secret which nobody used has a
 * row without a time is read from “the last credential activity date for every application credential”
 * (…/monitoring-health/concept-usage-insights-report).
 */
export function lastUses(state: GraphState, { url, headers }: ProviderRequest): ProviderAnswer {
  const { report } = state.controls
  // Seen of the reports that need the same permission: 403 and this code, naming it.
  if (report === 'not permitted')
    return refused(
      403,
      'Authentication_MSGraphPermissionMissing',
      'The principal does not have required Microsoft Graph permission(s): AuditLog.Read.All.'
    )
  // microsoft-graph-docs#12772.
  if (report === 'unlicensed')
    return refused(
      403,
      'Authentication_RequestFromNonPremiumTenantOrB2CTenant',
      "Neither tenant is B2C or tenant doesn't have premium license"
    )
  const keyId = /^keyId eq '([^']+)'$/.exec(url.searchParams.get('$filter') ?? '')?.[1]
  const key = state.shelf.find(keyId ?? '')
  if (!key || report === 'no rows') return { status: 200, body: { value: [] } }
  if (report === 'pages' && !url.searchParams.has('$skiptoken'))
    return {
      status: 200,
      body: { value: [], '@odata.nextLink': `http://${headers.host}${url.pathname}${url.search}&$skiptoken=2` }
    }
  return { status: 200, body: { value: [row(key, report === 'odd time')] } }
}

const row = ({ id, account, lastUsedAt }: ShelfKey, isOdd: boolean) => ({
  '@odata.type': '#microsoft.graph.appCredentialSignInActivity',
  id: Buffer.from(`${id}|application`).toString('base64'),
  keyId: id,
  keyType: 'clientSecret',
  appObjectId: account,
  credentialOrigin: 'application',
  signInActivity:
    lastUsedAt === undefined ? null : { lastSignInDateTime: isOdd ? 'yesterday' : new Date(lastUsedAt).toISOString() }
})
