import type { Usage } from '../ports/target.ts'
import type { ProviderApi } from '../provider-api.ts'
import { type Instant, instant, instantIn } from '../types.ts'
import { codeOf } from './entra-graph.ts'

const NEEDS = 'AuditLog.Read.All, a licence of Microsoft Entra ID P1 or P2, and the public cloud'

/**
 * The report of the last use of each credential; nothing in v1.0 tells it. It is of the public cloud alone, and beta:
 * learn.microsoft.com/graph/api/reportroot-list-appcredentialsigninactivities. A credential without a row is `cannot-tell`:
 * a tenant that was licensed lately has no rows for older uses (…/monitoring-health/reference-log-latency).
 */
export async function lastUseOf(graph: ProviderApi, keyId: string, signal: AbortSignal): Promise<Usage> {
  let path: string | undefined =
    `/beta/reports/appCredentialSignInActivities?$filter=${encodeURIComponent(`keyId eq '${keyId}'`)}`
  const rows: Row[] = []
  while (path !== undefined) {
    const answer = await graph({ method: 'GET', path }, signal)
    if (answer.status !== 200) return cannotTell(`it answered ${codeOf(answer)}, and needs ${NEEDS}`)
    const page = (answer.json ?? {}) as { value?: unknown; '@odata.nextLink'?: unknown }
    if (!Array.isArray(page.value)) return cannotTell('its report has no rows at all')
    rows.push(...(page.value as readonly Row[]).filter((row) => row?.keyId === keyId))
    path = typeof page['@odata.nextLink'] === 'string' ? page['@odata.nextLink'] : undefined
  }
  return usageOf(rows)
}

interface Row {
  readonly keyId?: unknown
  readonly signInActivity?: { readonly lastSignInDateTime?: unknown } | null
}

function usageOf(rows: readonly Row[]): Usage {
  if (rows.length === 0) return cannotTell('its report does not know the secret (yet)')
  let last: Instant | undefined
  for (const { signInActivity } of rows) {
    const said = signInActivity?.lastSignInDateTime ?? undefined
    if (said === undefined) continue
    const at = typeof said === 'string' ? instantIn(said) : undefined
    if (at === undefined) return cannotTell('its report gives a time that is none')
    last = instant(Math.max(at, last ?? 0))
  }
  return { state: 'last-used', lastUsedAt: last }
}

const cannotTell = (why: string): Usage => ({ state: 'cannot-tell', why: `Microsoft Graph does not tell the last use: ${why}` })
