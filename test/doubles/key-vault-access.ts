import { claimsOf, TENANT } from './azure-credential.ts'
import { refuse } from './key-vault-state.ts'

/** The operations of the REST reference (rest/api/keyvault/secrets), by their ids there. */
export type Op =
  | 'GetSecret'
  | 'SetSecret'
  | 'UpdateSecret'
  | 'DeleteSecret'
  | 'GetSecrets'
  | 'GetSecretVersions'
  | 'GetDeletedSecret'
  | 'GetDeletedSecrets'
  | 'RecoverDeletedSecret'
  | 'PurgeDeletedSecret'

/** The data actions Microsoft.KeyVault/vaults/secrets/… by their own part: role-based-access-control/permissions/security. */
export type Right = 'getSecret' | 'readMetadata' | 'setSecret' | 'update' | 'delete' | 'recover' | 'purge'

/** Who may do what in the vault. */
export interface Access {
  readonly model: 'rbac' | 'policy'
  /** Who is not in it may do everything. */
  readonly rights: Map<string, readonly Right[]>
  firewall: ((principal: string) => boolean) | undefined
  readOnly: boolean
}

const RESOURCE = 'https://vault.azure.net'
const VAULT = 'keyturn-double;location=westeurope'

interface Need {
  readonly right: Right
  /** The permission of an access policy: "This operation requires the secrets/… permission" on the page of the operation. */
  readonly policy: string
  /** The operation as the audit log names it: key-vault/general/logging. */
  readonly logged: string
}

const need = (right: Right, policy: string, logged: string): Need => ({ right, policy, logged })
const NEEDS: Readonly<Record<Op, Need>> = {
  GetSecret: need('getSecret', 'get', 'SecretGet'),
  SetSecret: need('setSecret', 'set', 'SecretSet'),
  UpdateSecret: need('update', 'set', 'SecretUpdate'),
  DeleteSecret: need('delete', 'delete', 'SecretDelete'),
  GetSecrets: need('readMetadata', 'list', 'SecretList'),
  GetSecretVersions: need('readMetadata', 'list', 'SecretListVersions'),
  GetDeletedSecret: need('readMetadata', 'get', 'SecretGetDeleted'),
  GetDeletedSecrets: need('readMetadata', 'list', 'SecretListDeleted'),
  RecoverDeletedSecret: need('recover', 'recover', 'SecretRecover'),
  PurgeDeletedSecret: need('purge', 'purge', 'SecretPurge')
}

/**
 * key-vault/general/authentication-requests-and-responses: 401 with WWW-Authenticate "when an access token is not supplied,
 * or when a token is not accepted". Missing: recordings; audience, with or without a slash at its end:
 * Azure/go-autorest#525; signature: hashicorp/terraform-provider-azurerm#30912; the words about expiry are ours.
 */
export function authenticate(authorization: string | undefined): string {
  const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) throw unauthorized('AKV10000: Request is missing a Bearer or PoP token.')
  const claims = claimsOf(token)
  if (!claims) throw unauthorized('AKV10046: Unable to resolve the key used for signature validation.')
  if (claims.aud !== RESOURCE) throw unauthorized(`AKV10022: Invalid audience. Expected ${RESOURCE}, found: ${claims.aud}.`)
  if (claims.exp * 1000 <= Date.now()) throw unauthorized('The token is expired.')
  return claims.oid
}

export const unauthorized = (message: string): Error =>
  refuse({
    status: 401,
    code: 'Unauthorized',
    message,
    headers: {
      'WWW-Authenticate': `Bearer authorization="https://login.microsoftonline.com/${TENANT}", resource="${RESOURCE}"`
    }
  })

/** Throws what the vault would answer to an operation that it does not let this principal do, or not now. */
export function authorize(access: Access, op: Op, principal: string, name: string): void {
  const { right, policy, logged } = NEEDS[op]
  if (access.firewall?.(principal)) throw forbidden('ForbiddenByFirewall', firewallText(principal))
  if (access.rights.get(principal)?.includes(right) === false) {
    if (access.model === 'policy') throw forbidden('ForbiddenByPolicy', policyText(principal, policy))
    throw forbidden('ForbiddenByRbac', rbacText(principal, right, name))
  }
  // key-vault/general/disaster-recovery-guidance: "During failover, your key vault is in read-only mode"; of secrets, get and
  // list are served. What a write is told: MSEndpointMgr/CloudLAPS#70, with HTTP 503 as in Azure/azure-cli#25693.
  if (access.readOnly && !['getSecret', 'readMetadata'].includes(right)) {
    const message = `Operation "${logged}" is unavailable: the service is currently in a read-only state.`
    throw refuse({ status: 503, code: 'ServiceUnavailable', message })
  }
}

const forbidden = (inner: string, message: string): Error => refuse({ status: 403, code: 'Forbidden', message, inner })
const caller = (principal: string): string => `appid=${principal};oid=${principal};iss=https://sts.windows.net/${TENANT}/`

/** hashicorp/terraform-provider-azurerm#20742; the page: key-vault/general/rest-error-codes. */
const firewallText = (principal: string): string =>
  `Client address is not authorized and caller is not a trusted service.\r\nClient address: 127.0.0.1\r\nCaller: ${caller(principal)}\r\nVault: ${VAULT}`

/** ansible-collections/azure#635. */
const policyText = (principal: string, permission: string): string =>
  `The user, group or application '${caller(principal)}' does not have secrets ${permission} permission on key vault '${VAULT}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287`

/** piyushsachdeva/Terraform_AKS#2. */
function rbacText(principal: string, right: Right, name: string): string {
  const action = `Microsoft.KeyVault/vaults/secrets/${right}${right === 'delete' ? '' : '/action'}`
  const vault =
    '/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/rg/providers/microsoft.keyvault/vaults/keyturn-double'
  return [
    'Caller is not authorized to perform action on resource.',
    'If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.',
    `Caller: ${caller(principal)}`,
    `Action: '${action}'`,
    `Resource: '${vault}${name === '' ? '' : `/secrets/${name.toLowerCase()}`}'`,
    'Assignment: (not found)',
    'DenyAssignmentId: null',
    "DecisionReason: 'DeniedWithNoValidRBAC' ",
    `Vault: ${VAULT}`,
    ''
  ].join('\r\n')
}
