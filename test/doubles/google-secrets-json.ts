import { type Field, type Found, ROUTES, type Route, typeOf } from './google-secrets-proto.ts'
import { type Json, refuse } from './google-secrets-state.ts'

/**
 * From HTTP to a request message, as Google's front end does it: by the google.api.http annotations, names in camelCase or
 * snake_case, and every name that the message does not have is refused. The texts are the service's own where they were
 * seen in public (for many Google APIs alike).
 */
export interface Request {
  readonly route: Route
  /** The resource in the path, as the caller named it. */
  readonly name: string
  readonly numericEnums: boolean
}

/** cloud.google.com/apis/docs/system-parameters */
const SYSTEM = /^\$|^(alt|fields|key|access_token|oauth_token|quotaUser|prettyPrint|uploadType|upload_protocol|callback)$/

/** Undefined: no method of the service has this path. */
export function requestOf(method: string, url: URL): Request | undefined {
  for (const route of ROUTES) {
    const name = route.verb === method ? route.path.exec(url.pathname)?.[1] : undefined
    if (name === undefined) continue
    const parts = name.split('/').map(decoded)
    // A slash that was hidden would name something else.
    if (parts.some((part) => part === undefined || part.includes('/'))) return undefined
    const alt = url.searchParams.get('$alt') ?? url.searchParams.get('alt') ?? ''
    return { route, name: parts.join('/'), numericEnums: alt.includes('enum-encoding=int') }
  }
  return undefined
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}

/** The request message, in proto3 JSON with camelCase names. */
export function inputOf({ route, name }: Request, query: URLSearchParams, body: string): Json {
  const faults: Fault[] = []
  const input: Record<string, unknown> = {}
  const sent = body.trim() === '' ? {} : parsed(body)
  if (route.body === '*') Object.assign(input, message(sent, route.request, '', faults))
  else if (route.body !== undefined) {
    const field = route.request.type.fields?.[route.body]
    const type = field && typeOf(field, route.request)
    if (type) input[route.body] = message(sent, type, route.body, faults)
  }
  for (const [key, value] of query) if (!SYSTEM.test(key)) bind(input, key, value, route.request, faults)
  if (faults.length > 0) throw badRequest(faults)
  const [head = '', inner] = route.variable.split('.')
  input[head] = inner === undefined ? name : { ...(input[head] as Json), [inner]: name }
  return input
}

interface Fault {
  readonly field: string
  readonly description: string
}

/** google/rpc/error_details.proto, BadRequest. */
const badRequest = (faults: readonly Fault[]): Error =>
  refuse('INVALID_ARGUMENT', faults.map((f) => f.description).join('\n'), [
    {
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: faults.map(({ field, description }) => (field ? { field, description } : { description }))
    }
  ])

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw badRequest([{ field: '', description: 'Invalid JSON payload received. Unexpected token.' }])
  }
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)
const camel = (name: string): string => name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase())
const fieldNamed = (key: string, of: Found): readonly [string, Field] | undefined => {
  const name = key in (of.type.fields ?? {}) ? key : camel(key)
  const field = of.type.fields?.[name]
  return field && (key === name || key === snake(name)) ? [name, field] : undefined
}

function bind(input: Record<string, unknown>, key: string, value: string, of: Found, faults: Fault[]): void {
  const named = fieldNamed(key, of)
  if (!named) {
    const description = `Invalid JSON payload received. Unknown name "${key}": Cannot bind query parameter. Field '${key}' could not be found in request message.`
    faults.push({ field: '', description })
    return
  }
  const [name, field] = named
  input[name] = one(value, field, of, snake(name), faults)
}

function message(value: unknown, of: Found, path: string, faults: Fault[]): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    faults.push({
      field: path,
      description: `Invalid value at '${path}' (type.googleapis.com/${of.path.join('.')}), ${JSON.stringify(value)}`
    })
    return {}
  }
  const out: Record<string, unknown> = {}
  for (const [key, held] of Object.entries(value)) {
    const named = fieldNamed(key, of)
    if (!named) {
      const where = path ? ` at '${path}'` : ''
      faults.push({
        field: path,
        description: `Invalid JSON payload received. Unknown name "${key}"${where}: Cannot find field.`
      })
    } else if (held !== null) out[named[0]] = whole(held, named, of, path, faults)
  }
  checkOneofs(out, of, path, faults)
  return out
}

function checkOneofs(out: Json, of: Found, path: string, faults: Fault[]): void {
  for (const [name, { oneof }] of Object.entries(of.type.oneofs ?? {})) {
    const [, second] = Object.keys(out).filter((key) => oneof.includes(key))
    if (second === undefined) continue
    const description = `Invalid value at '${path}' (oneof), oneof field '${name}' is already set. Cannot set '${second}'`
    faults.push({ field: path, description })
  }
}

/** A whole field: a map, a list (one value alone is a list of one: measured), or one value. */
function whole(value: unknown, [name, field]: readonly [string, Field], of: Found, parent: string, faults: Fault[]): unknown {
  const path = parent ? `${parent}.${snake(name)}` : snake(name)
  if (field.keyType) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([key, held]) => [key, one(held, field, of, `${path}[${key}]`, faults)])
      )
    }
    faults.push({
      field: parent,
      description: `Invalid value at '${parent}' (Map), Cannot bind a list to map for field '${name}'.`
    })
    return {}
  }
  if (field.rule !== 'repeated') return one(value, field, of, path, faults)
  return (Array.isArray(value) ? value : [value]).map((held, i) => one(held, field, of, `${path}[${i}]`, faults))
}

const DURATION = /^-?\d+(\.\d{1,9})?s$/
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/
/** developers.google.com/protocol-buffers/docs/proto3#json: what each kind may look like. */
const SCALARS: Readonly<Record<string, (value: unknown) => unknown>> = {
  string: (v) => (typeof v === 'string' ? v : undefined),
  bool: (v) => (typeof v === 'boolean' ? v : undefined),
  int32: (v) => (/^-?\d+$/.test(String(v)) && Math.abs(Number(v)) < 2 ** 31 ? Number(v) : undefined),
  int64: (v) => (/^-?\d{1,19}$/.test(String(v)) ? String(BigInt(v as string | number)) : undefined),
  bytes: (v) => (typeof v === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(v) ? v : undefined),
  'google.protobuf.Timestamp': (v) => (TIMESTAMP.test(String(v)) && !Number.isNaN(Date.parse(String(v))) ? v : undefined),
  'google.protobuf.Duration': (v) => (DURATION.test(String(v)) ? v : undefined),
  'google.protobuf.FieldMask': (v) => (typeof v === 'string' ? v : undefined)
}

function one(value: unknown, field: Field, of: Found, path: string, faults: Fault[]): unknown {
  const inner = typeOf(field, of)
  const scalar = SCALARS[field.type]
  if (!scalar && inner && !inner.type.values) return message(value, inner, path, faults)
  const read = scalar ? scalar(value) : enumValue(value, inner)
  if (read !== undefined) return read
  const shown = field.type === 'bytes' ? `Base64 decoding failed for ${JSON.stringify(value)}` : JSON.stringify(value)
  const kind = inner ? `type.googleapis.com/${inner.path.join('.')}` : `TYPE_${field.type.toUpperCase()}`
  faults.push({ field: path, description: `Invalid value at '${path}' (${kind}), ${shown}` })
  return undefined
}

const enumValue = (value: unknown, of: Found | undefined): string | undefined =>
  Object.entries(of?.type.values ?? {}).find(([name, number]) => name === value || number === value)?.[0]
