import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Op } from './key-vault-access.ts'
import { type Body, badParameter, type Refusal, type Request, refusalOf, refuse } from './key-vault-state.ts'

/** The vendor's error instead of the effect. `status` and `message` follow from the codes that the double knows. */
export interface VendorFault {
  /** error.code: `Forbidden`, `Throttled`, `ServiceUnavailable`, … */
  readonly error: string
  /** error.innererror.code: `ForbiddenByRbac`, `SecretDisabled`, … */
  readonly inner?: string
  readonly status?: number
  readonly message?: string
  /** Retry-After, in whole seconds. */
  readonly retryAfterSeconds?: number
}

export interface Answer {
  readonly status: number
  readonly body: object | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export interface Routed {
  readonly op: Op
  readonly request: Request
}

const STATUS: Readonly<Record<string, number>> = {
  BadParameter: 400,
  Unauthorized: 401,
  Forbidden: 403,
  SecretNotFound: 404,
  Conflict: 409,
  Throttled: 429,
  ServiceUnavailable: 503
}

/** Throttled: vcsjones/AzureSignTool#219; key-vault/general/overview-throttling. */
const MESSAGE: Readonly<Record<string, string>> = {
  Throttled: 'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached',
  ServiceUnavailable: 'The service is unavailable.'
}

export function faultRefusal({ error, inner, status, message, retryAfterSeconds }: VendorFault): Refusal {
  return {
    status: status ?? STATUS[error] ?? 500,
    code: error,
    message: message ?? MESSAGE[error] ?? `${inner ?? error} by the fault hook`,
    inner,
    ...(retryAfterSeconds !== undefined && { headers: { 'Retry-After': String(retryAfterSeconds) } })
  }
}

export function refused({ status, code, message, inner, headers }: Refusal): Answer {
  const error = { code, message, ...(inner !== undefined && { innererror: { code: inner } }) }
  return { status, body: { error }, headers }
}

export function outcome(effect: () => object | undefined): Answer {
  try {
    const body = effect()
    return { status: body === undefined ? 204 : 200, body }
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal) return refused(refusal)
    // Not its message: it could quote the request.
    return refused({ status: 500, code: 'InternalServerError', message: `double: ${(error as Error).name}` })
  }
}

export function send(response: ServerResponse, date: number, { status, body, headers }: Answer): void {
  response.writeHead(status, {
    ...(body && { 'Content-Type': 'application/json; charset=utf-8' }),
    'Cache-Control': 'no-cache',
    Date: new Date(date).toUTCString(),
    'x-ms-request-id': randomUUID(),
    'x-ms-keyvault-region': 'westeurope',
    'x-ms-keyvault-service-version': '1.9.576.1',
    ...headers
  })
  response.end(body && JSON.stringify(body))
}

/** By method, collection and the number of further segments, the last one named where it is fixed. */
const ROUTES: Readonly<Record<string, Op>> = {
  'GET secrets': 'GetSecrets',
  'GET secrets/*': 'GetSecret',
  'GET secrets/*/*': 'GetSecret',
  'GET secrets/*/versions': 'GetSecretVersions',
  'PUT secrets/*': 'SetSecret',
  'PATCH secrets/*': 'UpdateSecret',
  'PATCH secrets/*/*': 'UpdateSecret',
  'DELETE secrets/*': 'DeleteSecret',
  'GET deletedsecrets': 'GetDeletedSecrets',
  'GET deletedsecrets/*': 'GetDeletedSecret',
  'DELETE deletedsecrets/*': 'PurgeDeletedSecret',
  'POST deletedsecrets/*/recover': 'RecoverDeletedSecret'
}

/**
 * Which operation it is. Empty segments do not count: the pages themselves write `vault.azure.net//secrets/…`, and the SDK a
 * slash at the end where it names no version (recordings).
 */
export function route(message: IncomingMessage, body: string): Routed {
  const { pathname, searchParams: query } = new URL(message.url ?? '/', 'https://vault')
  const [collection = '', name = '', version = '', ...more] = pathname.split('/').filter(Boolean).map(decoded)
  const path = `${collection}${name === '' ? '' : '/*'}`
  const fixed = `${message.method} ${path}/${version}`
  const free = `${message.method} ${path}${version === '' ? '' : '/*'}`
  const op = more.length > 0 ? undefined : (ROUTES[fixed] ?? ROUTES[free])
  if (!op) throw unknownRoute(message.method ?? '', collection)
  checkApiVersion(query)
  const named = ROUTES[fixed] === op ? '' : version
  return { op, request: { name, version: named, query, body: parsed(body) } }
}

/** Recording cannot_create_a_secret_with_an_empty_name. What the double cannot do, it must not seem to do. */
function unknownRoute(method: string, collection: string): Error {
  if (['secrets', 'deletedsecrets'].includes(collection) && !['GET', 'POST'].includes(method))
    return refuse({ status: 405, code: 'MethodNotAllowed', message: `HTTP ${method} not allowed` })
  return refuse({ status: 501, code: 'NotImplemented', message: 'This double does not know the operation.' })
}

/** key-vault/general/authentication-requests-and-responses, "API Version": "as there is no default"; the messages are ours. */
function checkApiVersion(query: URLSearchParams): void {
  const version = query.get('api-version')
  if (version === null) throw badParameter('api-version must be specified')
  if (!/^(7\.[0-6]|20\d\d-\d\d-\d\d)(-preview(\.\d)?)?$/.test(version))
    throw badParameter(`The specified version (${version}) is not recognized.`)
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw badParameter('The request URI cannot be decoded.')
  }
}

function parsed(text: string): Body {
  if (text === '') return {}
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Body
  } catch {
    // The parser's own words would quote the body.
  }
  throw badParameter('The request body is not a JSON object.')
}
