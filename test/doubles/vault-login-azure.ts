import { verifiedClaims } from './vault-jwt.ts'
import { refused } from './vault-refusal.ts'

/** The mount auth/azure (developer.hashicorp.com/vault/api-docs/auth/azure, "Configure" and "Create/Update role"). */
export interface AzureMount {
  /** The audience that tokens must have. */
  readonly resource: string
  readonly tenantId: string
  /** The tenant's key, which Vault reads by OpenID discovery. */
  readonly publicPem: string
  readonly roles: Readonly<Record<string, AzureRole>>
  /** What the resource manager knows: resource id → object ids of its identities. */
  readonly identities: Readonly<Record<string, readonly string[]>>
}

export interface AzureRole {
  readonly boundServicePrincipalIds?: readonly string[]
  readonly boundSubscriptionIds?: readonly string[]
  readonly boundResourceGroups?: readonly string[]
}

/**
 * hashicorp/vault-plugin-auth-azure, path_login.go: missing fields are 400; a token or an identity that is not accepted is
 * a plain error there, which Vault answers with 500 (sdk/logical/response_util.go). Throws the refusal.
 */
export function azureLoginOf(mount: AzureMount, body: Readonly<Record<string, unknown>>, now: number): void {
  const { role: name, jwt } = body
  if (typeof jwt !== 'string' || jwt === '') throw refused(400, 'jwt is required')
  const role = mount.roles[String(name)]
  if (!role) throw refused(400, `invalid role name "${name}"`)
  const claims = verifiedClaims(jwt, mount.publicPem)
  if (!claims) throw refused(500, 'failed to verify signature')
  if (claims.aud !== mount.resource) throw refused(500, 'oidc: expected audience to match')
  if (claims.iss !== `https://sts.windows.net/${mount.tenantId}/`)
    throw refused(500, 'oidc: id token issued by a different provider')
  if (!(Number(claims.exp) * 1000 > now)) throw refused(500, 'oidc: token is expired')
  if (Number(claims.nbf) * 1000 > now) throw refused(500, 'token is not yet valid')
  const objectId = String(claims.oid)
  if (role.boundServicePrincipalIds && !role.boundServicePrincipalIds.includes(objectId))
    throw refused(500, 'service principal not authorized')
  if (role.boundSubscriptionIds || role.boundResourceGroups) checkResource(mount, role, body, objectId)
}

function checkResource(mount: AzureMount, role: AzureRole, body: Readonly<Record<string, unknown>>, objectId: string): void {
  const { subscription_id: subscription, resource_group_name: group } = body
  if (!subscription || !group) throw refused(500, 'subscription_id and resource_group_name are required')
  const id = resourceIdOf(body)
  if (!(mount.identities[id] ?? []).includes(objectId)) throw refused(500, 'token object id does not match expected identities')
  if (role.boundSubscriptionIds && !role.boundSubscriptionIds.includes(String(subscription)))
    throw refused(500, 'subscription not authorized')
  if (role.boundResourceGroups && !role.boundResourceGroups.includes(String(group)))
    throw refused(500, 'resource group not authorized')
}

/** vmss_name goes first, then vm_name, then resource_id. */
function resourceIdOf(body: Readonly<Record<string, unknown>>): string {
  const compute = `/subscriptions/${body.subscription_id}/resourceGroups/${body.resource_group_name}/providers/Microsoft.Compute`
  if (body.vmss_name) return `${compute}/virtualMachineScaleSets/${body.vmss_name}`
  if (body.vm_name) return `${compute}/virtualMachines/${body.vm_name}`
  if (!body.resource_id) throw refused(500, 'resource_id is required')
  return String(body.resource_id)
}
