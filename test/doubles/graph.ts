import { addPassword, readApplication, removePassword } from './graph-applications.ts'
import { lastUses } from './graph-report.ts'
import { type GraphState, graphState } from './graph-state.ts'
import { tokenRequest } from './graph-token.ts'
import { type ProviderAnswer, type ProviderDouble, type ProviderRequest, startProvider } from './provider-double.ts'

export interface GraphDouble extends ProviderDouble {
  readonly state: GraphState
}

export const ADMIN_TOKEN = 'admin-token'
export const GRAPH_OPS = { create: 'application_addPassword', remove: 'application_removePassword', token: 'oauth2_token' }

/** Microsoft Graph and the token endpoint of Microsoft Entra, in one server: their paths have nothing in common. */
export async function startGraph(): Promise<GraphDouble> {
  const state = graphState(() => double.now())
  const seen = (work: (state: GraphState, request: ProviderRequest) => ProviderAnswer) => (request: ProviderRequest) => {
    state.controls.urls.push(request.url.href)
    return work(state, request)
  }
  const answer = (work: (state: GraphState, request: ProviderRequest) => ProviderAnswer) =>
    seen((_, request) => (request.headers.authorization === `Bearer ${ADMIN_TOKEN}` ? work(state, request) : UNAUTHORIZED))
  const APPLICATION = '^/v1\\.0/applications/([^/]+)'
  const double = await startProvider({
    routes: [
      { op: GRAPH_OPS.create, method: 'POST', path: new RegExp(`${APPLICATION}/addPassword$`), answer: answer(addPassword) },
      {
        op: GRAPH_OPS.remove,
        method: 'POST',
        path: new RegExp(`${APPLICATION}/removePassword$`),
        answer: answer(removePassword)
      },
      { op: 'application_get', method: 'GET', path: new RegExp(`${APPLICATION}$`), answer: answer(readApplication) },
      { op: 'report', method: 'GET', path: /^\/beta\/reports\/appCredentialSignInActivities$/, answer: answer(lastUses) },
      { op: GRAPH_OPS.token, method: 'POST', path: /^\/([^/]+)\/oauth2\/v2\.0\/token$/, answer: seen(tokenRequest) }
    ],
    unknown: { status: 400, body: { error: { code: 'BadRequest', message: 'Resource not found for the segment.' } } }
  })
  return { ...double, state }
}

// learn.microsoft.com/graph/resolve-auth-errors
const UNAUTHORIZED: ProviderAnswer = {
  status: 401,
  body: { error: { code: 'InvalidAuthenticationToken', message: 'Access token is empty.' } }
}
