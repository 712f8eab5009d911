import { type Code, KeyturnError } from '../errors.ts'
import { type ApiAnswer, bearer, type CallSettings, type ProviderApi, providerApi } from '../provider-api.ts'
import { entryOf } from '../table.ts'
import type { SecretText } from '../types.ts'
import { codeFor } from '../vendor-code.ts'

export interface GraphSettings extends CallSettings {
  /** The administrative token for a resource: a managed identity’s, or DefaultAzureCredential’s. */
  readonly token: (resource: string, signal: AbortSignal) => Promise<SecretText>
  /**
   * Default https://graph.microsoft.com; other clouds have their own (https://graph.microsoft.us,
   * https://microsoftgraph.chinacloudapi.cn): learn.microsoft.com/graph/deployments.
   */
  readonly graph?: string | undefined
  /** The audience of the token. Default: `graph`. */
  readonly graphResource?: string | undefined
}

const PUBLIC_GRAPH = 'https://graph.microsoft.com'

/** What an application may have a token for in the cloud of this Graph. */
export const scopeOf = (graph = PUBLIC_GRAPH): string => `${graph.replace(/\/$/, '')}/.default`

/** learn.microsoft.com/graph/api/application-addpassword, “Permissions”: OwnedBy is enough for an owner of the application. */
export const WRITES = 'Application.ReadWrite.OwnedBy as an owner of the application, or Application.ReadWrite.All'
export const READS = `Application.Read.All, or ${WRITES}`

export function graphApi({ token, graph = PUBLIC_GRAPH, graphResource = graph, ...rest }: GraphSettings): ProviderApi {
  return providerApi({ ...rest, peer: 'Microsoft Graph', endpoint: graph, authorize: bearer((s) => token(graphResource, s)) })
}

/** What succeeded; a refusal is thrown. `needs`: the permission without which it is denied. */
export function accepted(answer: ApiAnswer, needs: string): ApiAnswer {
  if (answer.status >= 300) throw refusal(answer, needs)
  return answer
}

/** Graph's own word for why it refused; the HTTP status where it says none. */
export function codeOf({ json, status }: ApiAnswer): string {
  const code = (json as { error?: { code?: unknown } } | undefined)?.error?.code
  return typeof code === 'string' && /^[\w.-]{1,100}$/.test(code) ? code : String(status)
}

/**
 * learn.microsoft.com/graph/errors says to act on `error.code` and names no codes; where each was seen:
 * TooManyAppPasswords: Azure/azure-cli#12946 (400). Directory_ResourceSizeExceeded: microsoft-graph-docs#21469 (403).
 * Credential…AsPerAppPolicy: microsoft-365-agents-toolkit#10998 (400) and its sources, aadErrorCode.
 */
const CODES: Readonly<Record<string, Code>> = {
  Authorization_RequestDenied: 'denied/provider',
  Authorization_IdentityNotFound: 'denied/provider',
  InvalidAuthenticationToken: 'denied/provider',
  Request_ResourceNotFound: 'not-found/principal',
  TooManyAppPasswords: 'conflict/full',
  Directory_ResourceSizeExceeded: 'conflict/full',
  CredentialTypeNotAllowedAsPerAppPolicy: 'denied/provider-policy',
  CredentialInvalidLifetimeAsPerAppPolicy: 'denied/provider-policy'
}

const MESSAGES: Readonly<Record<string, string>> = {
  Request_ResourceNotFound:
    'there is no application of that object id (appObjectId is neither the client id nor the service principal’s)',
  TooManyAppPasswords: 'the application has as many secrets as it may',
  Directory_ResourceSizeExceeded: 'the application object is full: remove secrets, redirect URIs or roles',
  CredentialTypeNotAllowedAsPerAppPolicy:
    'an app management policy of the tenant forbids new secrets (passwordAddition): ask for an exemption of this application, or use a certificate',
  CredentialInvalidLifetimeAsPerAppPolicy:
    'an app management policy of the tenant forbids secrets that live so long (passwordLifetime): set lifetimeDays in the secret, or the deployment’s lifetime, shorter'
}

function refusal(answer: ApiAnswer, needs: string): KeyturnError {
  const vendor = codeOf(answer)
  const code = codeFor(CODES, vendor, answer.status)
  const denied = `the call was denied; it needs ${needs}`
  const message = entryOf(MESSAGES, vendor) ?? (code === 'denied/provider' ? denied : `the call was refused with ${vendor}`)
  return new KeyturnError(code, `Microsoft Graph: ${message}`, vendor)
}
