import { createRequire } from 'node:module'
import type { Json } from './google-secrets-state.ts'

/** protos.json of @google-cloud/secret-manager: the vendor's service.proto and resources.proto, compiled. */
export interface Field {
  readonly type: string
  readonly rule?: 'repeated'
  /** A map's. */
  readonly keyType?: string
}
export interface Type {
  readonly fields?: Readonly<Record<string, Field>>
  readonly oneofs?: Readonly<Record<string, { readonly oneof: readonly string[] }>>
  readonly values?: Readonly<Record<string, number>>
  readonly nested?: Readonly<Record<string, Type>>
  readonly methods?: Readonly<Record<string, Method>>
}
interface Method {
  readonly requestType: string
  readonly responseType: string
  readonly parsedOptions: readonly { readonly '(google.api.http)'?: Rule }[]
}
type Rule = { readonly [verb in 'get' | 'post' | 'patch' | 'delete' | 'body']?: string } & {
  readonly additional_bindings?: Rule | readonly Rule[]
}
/** A type, and where it stands: names in it are looked up from there outwards. */
export interface Found {
  readonly type: Type
  readonly path: readonly string[]
}

const root = createRequire(import.meta.url)('@google-cloud/secret-manager/build/protos/protos.json') as Type
const PACKAGE = ['google', 'cloud', 'secretmanager', 'v1']

const at = (path: readonly string[]): Type | undefined =>
  path.reduce<Type | undefined>((type, part) => type?.nested?.[part], root)

export function find(name: string, from: readonly string[] = PACKAGE): Found | undefined {
  for (let depth = from.length; depth >= 0; depth--) {
    const path = [...from.slice(0, depth), ...name.replace(/^\./, '').split('.')]
    const type = at(path)
    if (type) return { type, path }
  }
  return undefined
}

/** Undefined for a scalar. */
export const typeOf = (field: Field, owner: Found): Found | undefined => find(field.type, owner.path)

export interface Route {
  /** The rpc of service.proto. */
  readonly op: string
  readonly verb: string
  readonly path: RegExp
  /** The request's field that the path holds: `parent`, `secret.name`. */
  readonly variable: string
  readonly body: string | undefined
  readonly request: Found
  readonly response: Found
}

/** google/api/http.proto: `*` is one segment; what follows the last colon is a custom verb. */
function routeOf(op: string, method: Method, rule: Rule): Route {
  const verb = (['get', 'post', 'patch', 'delete'] as const).find((v) => rule[v] !== undefined)
  const template = (verb && rule[verb]) ?? ''
  const [, before, variable, pattern, after] = /^(.*)\{([^=]+)=([^}]+)\}(.*)$/.exec(template) ?? []
  const request = find(method.requestType)
  const response = find(method.responseType)
  if (!verb || !variable || !pattern || !request || !response) throw new Error(`double: no route in ${op}`)
  return {
    op,
    verb: verb.toUpperCase(),
    path: new RegExp(`^${before}(${pattern.replaceAll('*', '[^/:]+')})${after}$`),
    variable,
    body: rule.body,
    request,
    response
  }
}

const rulesOf = (method: Method): readonly Rule[] => {
  const rule = method.parsedOptions.find((o) => o['(google.api.http)'])?.['(google.api.http)']
  return rule ? [rule, ...[rule.additional_bindings ?? []].flat()] : []
}

/** Every way that service.proto gives a call, the regional paths too. */
export const ROUTES: readonly Route[] = Object.entries(find('SecretManagerService')?.type.methods ?? {}).flatMap(([op, method]) =>
  rulesOf(method).map((rule) => routeOf(op, method, rule))
)

/** `$alt=json;enum-encoding=int`, as the vendor's REST client asks for it: enum values are numbers. */
export function numericEnums(value: unknown, of: Found): unknown {
  if (of.type.values) return of.type.values[String(value)] ?? value
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value as Json).map(([key, held]) => {
    const field = of.type.fields?.[key]
    const inner = field && typeOf(field, of)
    if (!field || !inner || field.keyType) return [key, held]
    return [key, Array.isArray(held) ? held.map((h) => numericEnums(h, inner)) : numericEnums(held, inner)]
  })
  return Object.fromEntries(entries)
}
