import { createSecret, deleteSecret, getSecret, listSecrets, type Operation, updateSecret } from './google-secrets-catalog.ts'
import { settle } from './google-secrets-due.ts'
import type { Request } from './google-secrets-json.ts'
import { numericEnums } from './google-secrets-proto.ts'
import {
  authenticate,
  authorize,
  denied,
  errorInfo,
  holds,
  type Principal,
  permissionOf,
  type Rights
} from './google-secrets-rights.ts'
import {
  canonical,
  type GoogleStatus,
  HTTP,
  invalid,
  type Json,
  type Refusal,
  refusalOf,
  refuse,
  truth,
  type World
} from './google-secrets-state.ts'
import {
  accessSecretVersion,
  addSecretVersion,
  destroySecretVersion,
  disableSecretVersion,
  enableSecretVersion,
  getSecretVersion,
  listSecretVersions
} from './google-secrets-versions.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  ListSecrets: listSecrets,
  CreateSecret: createSecret,
  GetSecret: getSecret,
  UpdateSecret: updateSecret,
  DeleteSecret: deleteSecret,
  AddSecretVersion: addSecretVersion,
  ListSecretVersions: listSecretVersions,
  GetSecretVersion: getSecretVersion,
  AccessSecretVersion: accessSecretVersion,
  EnableSecretVersion: enableSecretVersion,
  DisableSecretVersion: disableSecretVersion,
  DestroySecretVersion: destroySecretVersion
}

/** Who asks, then what, then whether they may, then the call itself. */
export function answerOf(
  world: World,
  rights: Rights,
  request: Request,
  authorization: string | undefined,
  read: () => Json
): Answer {
  const { op, response } = request.route
  try {
    settle(world)
    const principal = authenticate(world, rights, op, authorization)
    checkId(request.name)
    const input = read()
    authorize(world, principal, op, request.name)
    const message = op === 'TestIamPermissions' ? permissions(world, principal, input) : operation(op)(world, input)
    return json(200, (request.numericEnums ? numericEnums(message, response) : message) as Json)
  } catch (error) {
    return failure(refusalOf(error) ?? { status: 'INTERNAL', message: `double: ${String(error)}`, details: [] })
  }
}

/** service.proto, CreateSecretRequest.secret_id; googleapis/nodejs-secret-manager#74 shows the words. */
function checkId(name: string): void {
  const id = /\/secrets\/([^/]+)/.exec(name)?.[1]
  if (id !== undefined && !/^[A-Za-z0-9_-]{1,255}$/.test(id)) throw invalid(`Resource ID [${name}] is not in a valid format.`)
}

function operation(op: string): Operation {
  const found = OPERATIONS[op]
  if (!found) throw refuse('UNIMPLEMENTED', `double: ${op} is not here.`)
  return found
}

/** service.proto: of a secret that does not exist, none, "not a NOT_FOUND error". */
function permissions(world: World, principal: Principal, input: Json): Json {
  const name = String(input.resource)
  const held = world.shelf.get(canonical(world, name))
  if (!held || !truth(held)) return {}
  const id = name.slice(name.lastIndexOf('/') + 1)
  const granted = ((input.permissions ?? []) as readonly string[]).filter((p) => holds(principal, p, id))
  return granted.length > 0 ? { permissions: granted } : {}
}

const json = (status: number, body: Json, headers: Answer['headers'] = {}): Answer => ({
  status,
  headers: { 'Content-Type': 'application/json; charset=UTF-8', ...headers },
  body: JSON.stringify(body, undefined, 2)
})

/** cloud.google.com/apis/design/errors: the body of every error of the service itself. */
function failure({ status, message, details }: Refusal): Answer {
  const code = HTTP[status]
  const challenge = { 'WWW-Authenticate': 'Bearer realm="https://accounts.google.com/", error="invalid_token"' }
  return json(code, { error: { code, message, status, ...(details.length > 0 && { details }) } }, code === 401 ? challenge : {})
}

/** A 404 or a 502 of what is in front of the service is a page, not JSON. */
function page(status: number): Answer {
  const body = `<!DOCTYPE html>\n<html lang=en>\n<title>Error ${status}</title>\n<p><b>${status}.</b> <ins>That’s an error.</ins>\n`
  return { status, headers: { 'Content-Type': 'text/html; charset=UTF-8' }, body }
}

export const NO_SUCH_PATH = page(404)

/** What the vendor says where the hook does not. quotas, "Write request"; error_reason.proto, RATE_LIMIT_EXCEEDED. */
const SAYS: { readonly [S in GoogleStatus]?: string } = {
  RESOURCE_EXHAUSTED:
    "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute' of service 'secretmanager.googleapis.com'.",
  UNAVAILABLE: 'The service is currently unavailable.',
  DEADLINE_EXCEEDED: 'Deadline expired before operation could complete.',
  INTERNAL: 'Internal error encountered.',
  UNAUTHENTICATED: 'Request had invalid authentication credentials.',
  ABORTED: 'The operation was aborted.',
  FAILED_PRECONDITION: 'Precondition check failed.',
  NOT_FOUND: 'Requested entity was not found.',
  ALREADY_EXISTS: 'Requested entity already exists.',
  INVALID_ARGUMENT: 'Request contains an invalid argument.',
  PERMISSION_DENIED: 'The caller does not have permission'
}
const REASONS: { readonly [S in GoogleStatus]?: string } = {
  RESOURCE_EXHAUSTED: 'RATE_LIMIT_EXCEEDED',
  UNAUTHENTICATED: 'ACCESS_TOKEN_EXPIRED'
}

export function faultAnswer(
  world: World,
  request: Request,
  fault: { readonly page: number } | { readonly error: GoogleStatus; readonly message?: string; readonly reason?: string }
): Answer {
  if ('page' in fault) return page(fault.page)
  const { error: status, message = SAYS[status] ?? status, reason = REASONS[status] } = fault
  if (status === 'PERMISSION_DENIED' && reason === undefined && fault.message === undefined) {
    const refusal = refusalOf(denied(permissionOf(request.route.op), request.name))
    if (refusal) return failure(refusal)
  }
  const consumer = `projects/${world.projects[0]?.number}`
  const details = reason === undefined ? [] : [errorInfo(reason, { service: 'secretmanager.googleapis.com', consumer })]
  return failure({ status, message, details })
}
