import { hasCode, KeyturnError } from '../errors.ts'
import type { SecretText } from '../types.ts'
import { loginPath, tokenOf, type VaultLogin } from './login.ts'

export interface AzureLoginSettings {
  readonly role: string
  /** The access token of a managed identity for a resource. */
  readonly token: (resource: string, signal: AbortSignal) => Promise<SecretText>
  /** The token's audience, as the mount's `resource` has it. Default https://management.azure.com/ */
  readonly resource?: string | undefined
  /**
   * What the identity belongs to: `/subscriptions/…/resourceGroups/…/providers/Microsoft.Web/sites/NAME` for Functions and
   * App Service; a virtual machine or a scale set too. Needed where the role binds subscriptions, groups or locations.
   */
  readonly resourceId?: string | undefined
  /** Default `azure`. */
  readonly mount?: string | undefined
}

export const AZURE_RESOURCE = 'https://management.azure.com/'

/** developer.hashicorp.com/vault/api-docs/auth/azure, "Login". Throws `invalid/config`. */
export function azureLogin(settings: AzureLoginSettings): VaultLogin {
  const { role, resource = AZURE_RESOURCE, resourceId, mount = 'azure' } = settings
  const where = resourceId === undefined ? {} : fieldsOf(resourceId)
  return {
    name: 'azure',
    login: async (post, signal) => {
      const jwt = await settings.token(resource, signal)
      const body = { role, jwt: jwt.reveal(), ...where }
      return tokenOf(await post({ path: loginPath(mount), body }, signal).catch(explained), 'azure')
    }
  }
}

/** vault-plugin-auth-azure, path_login.go: a token that it does not accept is a plain error there, which Vault answers with 500. */
function explained(e: unknown): never {
  if (!hasCode(e, 'unavailable/store') || e.vendor !== '500') throw e
  const hint =
    'Vault answers so to a token of another audience, tenant or identity too: compare the mount’s resource and the role'
  throw new KeyturnError('unavailable/store', `${e.message} (${hint})`, e.vendor)
}

const RESOURCE_ID = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/([^/]+\/[^/]+)\/([^/]+)(?:\/[^/]+\/[^/]+)*$/i

const OWN_FIELDS: Readonly<Record<string, string>> = {
  'microsoft.compute/virtualmachines': 'vm_name',
  'microsoft.compute/virtualmachinescalesets': 'vmss_name'
}

/** Machines have fields of their own, beside which Vault ignores resource_id; those of a scale set are named by the set. */
function fieldsOf(resourceId: string): Readonly<Record<string, string>> {
  const [, subscription, group, type = '', name] = RESOURCE_ID.exec(resourceId) ?? []
  if (subscription === undefined || group === undefined || name === undefined)
    throw new KeyturnError('invalid/config', 'the resource of the Vault login azure is no full Azure resource id')
  const field = OWN_FIELDS[type.toLowerCase()]
  return {
    subscription_id: subscription,
    resource_group_name: group,
    ...(field === undefined ? { resource_id: resourceId } : { [field]: name })
  }
}
