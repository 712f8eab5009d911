import type { GraphState } from './graph-state.ts'
import type { ProviderAnswer, ProviderRequest } from './provider-double.ts'

/**
 * learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow: the form, 200 with a bearer token. Refusals
 * have the form of …/reference-error-codes; invalid_client comes with 401.
 */
export function tokenRequest(state: GraphState, { params, text, now }: ProviderRequest): ProviderAnswer {
  const form = new URLSearchParams(text)
  const application = [...state.applications.values()].find(({ appId }) => appId === form.get('client_id'))
  if (!application || params[0] !== application.tenantId) return refusal(400, 'unauthorized_client', 700016)
  if (form.get('grant_type') !== 'client_credentials') return refusal(400, 'unsupported_grant_type', 70003)
  if (!form.get('scope')?.endsWith('/.default')) return refusal(400, 'invalid_scope', 1002012)
  const { refusesWith } = state.controls
  if (refusesWith !== undefined) return refusal(400, 'access_denied', refusesWith)
  const { standing, key } = state.shelf.call(form.get('client_secret') ?? '')
  if (standing !== 'alive' || key?.account !== application.id) return refusal(401, 'invalid_client', 7000215)
  if (state.endsAt(key.id) <= now) return refusal(401, 'invalid_client', 7000222)
  return { status: 200, body: { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: 'access-token' } }
}

function refusal(status: number, error: string, code: number): ProviderAnswer {
  const said = `AADSTS${code}: refused. Trace ID: t Correlation ID: c Timestamp: 2026-01-01 00:00:00Z`
  const error_uri = `https://login.microsoftonline.com/error?code=${code}`
  const ids = { timestamp: '2026-01-01 00:00:00Z', trace_id: 't', correlation_id: 'c', error_uri }
  return { status, body: { error, error_description: said, error_codes: [code], ...ids } }
}
