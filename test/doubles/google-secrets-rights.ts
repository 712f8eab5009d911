import { type Json, refuse, type World } from './google-secrets-state.ts'

export interface Principal {
  /** The e-mail address by which IAM knows it. */
  readonly name: string
  /** Bearer tokens; more can be given later by `accept`. */
  readonly tokens?: readonly string[]
  /**
   * By secret id (`app`, or `app*` for all that begin so), or `*` for the whole project: roles
   * (`roles/secretmanager.secretAccessor`) and single permissions (`secretmanager.secrets.update`).
   */
  readonly may: Readonly<Record<string, readonly string[]>>
}

export interface Rights {
  readonly principals: Map<string, Principal>
  /** Which principal a bearer token is, and until when (milliseconds since the epoch). */
  readonly tokens: Map<string, { readonly principal: string; readonly expiresAt: number }>
}

const SECRETS = ['get', 'list', 'create', 'update', 'delete', 'getIamPolicy', 'setIamPolicy'].map(
  (p) => `secretmanager.secrets.${p}`
)
const STATES = ['destroy', 'disable', 'enable', 'get', 'list'].map((p) => `secretmanager.versions.${p}`)
const ALL = [...SECRETS, ...STATES, 'secretmanager.versions.add', 'secretmanager.versions.access']

/** docs.cloud.google.com/iam/docs/roles-permissions/secretmanager; of the basic roles what concerns secrets. */
const ROLES: Readonly<Record<string, readonly string[]>> = {
  'roles/owner': ALL,
  'roles/secretmanager.admin': ALL,
  'roles/secretmanager.secretAccessor': ['secretmanager.versions.access'],
  'roles/secretmanager.secretVersionAdder': ['secretmanager.versions.add'],
  'roles/secretmanager.secretVersionManager': [...STATES, 'secretmanager.versions.add'],
  'roles/secretmanager.viewer': ['secrets.get', 'secrets.list', 'secrets.getIamPolicy', 'versions.get', 'versions.list'].map(
    (p) => `secretmanager.${p}`
  )
}

/** docs.cloud.google.com/secret-manager/docs/access-control: the permission of each method. */
const NEEDS: Readonly<Record<string, string>> = {
  ListSecrets: 'secretmanager.secrets.list',
  CreateSecret: 'secretmanager.secrets.create',
  GetSecret: 'secretmanager.secrets.get',
  UpdateSecret: 'secretmanager.secrets.update',
  DeleteSecret: 'secretmanager.secrets.delete',
  AddSecretVersion: 'secretmanager.versions.add',
  ListSecretVersions: 'secretmanager.versions.list',
  GetSecretVersion: 'secretmanager.versions.get',
  AccessSecretVersion: 'secretmanager.versions.access',
  EnableSecretVersion: 'secretmanager.versions.enable',
  DisableSecretVersion: 'secretmanager.versions.disable',
  DestroySecretVersion: 'secretmanager.versions.destroy'
}

export const permissionOf = (op: string): string => NEEDS[op] ?? `secretmanager.secrets.${op}`

const SERVICE = 'secretmanager.googleapis.com'
/** google/rpc/error_details.proto, ErrorInfo; the reasons are google/api/error_reason.proto's. */
export const errorInfo = (reason: string, metadata: Json, domain = 'googleapis.com'): Json => ({
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason,
  domain,
  metadata
})

const EXPECTED =
  'Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.'

/** The principal of a bearer token; error_reason.proto tells a missing, an unknown and an expired one apart. */
export function authenticate(world: World, rights: Rights, op: string, authorization: string | undefined): Principal {
  const method = `google.cloud.secretmanager.v1.SecretManagerService.${op}`
  const unknown = (reason: string, message: string) =>
    refuse('UNAUTHENTICATED', `${message} ${EXPECTED}`, [errorInfo(reason, { method, service: SERVICE })])
  const bearer = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1]
  if (bearer === undefined) {
    throw unknown('CREDENTIALS_MISSING', 'Request is missing required authentication credential.')
  }
  const token = rights.tokens.get(bearer)
  const principal = token && rights.principals.get(token.principal)
  if (!token || !principal) {
    throw unknown('ACCESS_TOKEN_TYPE_UNSUPPORTED', 'Request had invalid authentication credentials.')
  }
  if (token.expiresAt <= world.now()) throw unknown('ACCESS_TOKEN_EXPIRED', 'Request had invalid authentication credentials.')
  return principal
}

export const denied = (permission: string, resource: string): Error =>
  refuse('PERMISSION_DENIED', `Permission '${permission}' denied for resource '${resource}' (or it may not exist).`, [
    errorInfo('IAM_PERMISSION_DENIED', { permission, resource }, 'iam.googleapis.com')
  ])

export function holds(principal: Principal, permission: string, secretId: string | undefined): boolean {
  const covers = (on: string): boolean =>
    on === '*' || (secretId !== undefined && (on === secretId || (on.endsWith('*') && secretId.startsWith(on.slice(0, -1)))))
  return Object.entries(principal.may).some(
    ([on, granted]) => covers(on) && granted.some((g) => g === permission || ROLES[g]?.includes(permission))
  )
}

/**
 * AIP-131 and 133, "Permission must be checked prior to checking if the resource exists": a stranger gets 403 for a
 * secret that is not there.
 */
export function authorize(world: World, principal: Principal, op: string, name: string): void {
  const [, project, , secretId] = /^projects\/([^/]+)(\/locations\/[^/]+)?(?:\/secrets\/([^/]+))?/.exec(name) ?? []
  if (!world.projects.some((p) => p.id === project || p.number === project)) {
    throw refuse('PERMISSION_DENIED', `Permission denied on resource project ${project}.`, [
      errorInfo('CONSUMER_INVALID', { consumer: `projects/${project}`, service: SERVICE })
    ])
  }
  const permission = NEEDS[op]
  if (permission !== undefined && !holds(principal, permission, secretId)) throw denied(permission, name)
}
