import { type CallSettings, providerApi } from '../provider-api.ts'
import type { EntraDocument } from './entra-document.ts'
import type { Called } from './minted-provider.ts'

export interface LoginSettings extends CallSettings {
  /** Default https://login.microsoftonline.com; other clouds: learn.microsoft.com/entra/identity-platform/authentication-national-cloud. */
  readonly login?: string | undefined
  /** For what a token is asked: any resource that the application may have one for. Default https://graph.microsoft.com/.default. */
  readonly scope?: string | undefined
  /**
   * How many tokens in a row a secret must give to be taken for one that works everywhere. Entra’s replicas learn of a new
   * secret one after the other; HashiCorp’s Vault provider waits for 8 in a row (vault_azure_access_credentials). Default 3.
   */
  readonly tokensInARow?: number | undefined
}

/**
 * Only the numbers in `error_codes` tell why (learn.microsoft.com/entra/identity-platform/reference-error-codes, which says
 * that they may change: one that is not here is `cannot-tell`, never a proof). The OAuth error is `invalid_client` for all of them.
 */
const DEAD: Readonly<Record<number, string>> = {
  // “Invalid client secret provided”: unknown, removed, or not known to this replica yet.
  7000215: 'AADSTS7000215',
  // “The provided client secret keys are expired.”
  7000222: 'AADSTS7000222'
}

/**
 * 53003, blocked by Conditional Access: “enforced after first-factor authentication is completed”, which for a workload
 * identity is the secret (learn.microsoft.com/entra/identity/conditional-access/overview, …/workload-identity). Of the
 * refusals for a role, a consent or a resource no page tells whether the secret was looked at first: `cannot-tell`.
 */
const ALIVE: readonly number[] = [53003]

/** A token request with the secret (client credentials), in the form’s body and never in a URL. The token is thrown away. */
export function entraLogin(settings: LoginSettings): (key: EntraDocument, signal: AbortSignal) => Promise<Called> {
  const {
    login = 'https://login.microsoftonline.com',
    scope = 'https://graph.microsoft.com/.default',
    tokensInARow = 3,
    ...rest
  } = settings
  const api = providerApi({ ...rest, peer: 'Microsoft Entra', endpoint: login })
  const once = async ({ tenantId, clientId, clientSecret }: EntraDocument, signal: AbortSignal): Promise<Called> => {
    const form = { client_id: clientId, client_secret: clientSecret.reveal(), scope, grant_type: 'client_credentials' }
    const { status, json, date } = await api(
      {
        method: 'POST',
        path: `/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`,
        body: new URLSearchParams(form).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        // A token more changes nothing.
        repeatable: true
      },
      signal
    )
    if (status === 200 && typeof (json as { access_token?: unknown } | undefined)?.access_token === 'string')
      return { state: 'alive' }
    const codes = codesIn(json)
    const code = codes.map((c) => DEAD[c]).find((c) => c !== undefined)
    if (code !== undefined) return { state: 'dead', code, endpoint: new URL(login).host, at: date }
    if (codes.some((c) => ALIVE.includes(c))) return { state: 'alive' }
    const said = codes.length > 0 ? codes.map((c) => `AADSTS${c}`).join(', ') : String(status)
    return {
      state: 'cannot-tell',
      why: `Microsoft Entra gave no token for ${scope}, and does not say that the secret is wrong (${said})`
    }
  }
  return async (key, signal) => {
    for (let given = 1; given < tokensInARow; given++) {
      const called = await once(key, signal)
      if (called.state !== 'alive') return called
    }
    return once(key, signal)
  }
}

function codesIn(json: unknown): readonly number[] {
  const codes = (json as { error_codes?: unknown } | undefined)?.error_codes
  return Array.isArray(codes) ? codes.filter((c): c is number => Number.isInteger(c)) : []
}
