import type { Code } from './errors.ts'
import { bearer, type CallSettings, type ProviderApi, providerApi } from './provider-api.ts'
import type { SecretText } from './types.ts'

export interface ResourceManagerSettings extends CallSettings {
  /** The administrative token for a resource: a managed identity’s, or DefaultAzureCredential’s. */
  readonly token: (resource: string, signal: AbortSignal) => Promise<SecretText>
  /** Default https://management.azure.com; other clouds have their own (https://management.usgovcloudapi.net, https://management.chinacloudapi.cn). */
  readonly arm?: string | undefined
  /** The audience of the token. Default: `arm`. */
  readonly armResource?: string | undefined
}

export function resourceManager(settings: ResourceManagerSettings): ProviderApi {
  const { token, arm = 'https://management.azure.com', armResource = arm, ...rest } = settings
  return providerApi({ ...rest, peer: 'Azure Resource Manager', endpoint: arm, authorize: bearer((s) => token(armResource, s)) })
}

/**
 * learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors: what Resource Manager says by itself,
 * whatever the service behind it. 429 and 5xx are told by the status.
 */
export const RESOURCE_MANAGER_CODES: Readonly<Record<string, Code>> = {
  AuthorizationFailed: 'denied/provider',
  AuthenticationFailed: 'denied/provider',
  InvalidAuthenticationToken: 'denied/provider',
  InvalidAuthenticationTokenTenant: 'denied/provider',
  ExpiredAuthenticationToken: 'denied/provider',
  DenyAssignmentAuthorizationFailed: 'denied/provider-policy',
  RequestDisallowedByPolicy: 'denied/provider-policy',
  ScopeLocked: 'denied/provider-policy',
  SubscriptionDisabled: 'denied/provider-policy',
  ResourceNotFound: 'not-found/principal',
  ResourceGroupNotFound: 'not-found/principal',
  SubscriptionNotFound: 'not-found/principal',
  TooManyRequests: 'throttled/provider'
}
