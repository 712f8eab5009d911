import { KeyturnError } from '../errors.ts'
import { entryOf } from '../table.ts'
import { SecretText } from '../types.ts'
import type { HttpAuth, HttpDescription, HttpJson, HttpRequest } from './http-description.ts'
import { aloneIn, fill } from './http-templates.ts'

/** What the placeholders of one request stand for. */
export interface Scope {
  /** The document's names for the key's id and value, for messages. */
  readonly fields?: readonly [id: string, value: string] | undefined
  readonly config: Readonly<Record<string, unknown>>
  readonly mark?: string | undefined
  readonly id?: string | undefined
  /** Of verify. */
  readonly value?: SecretText | undefined
  readonly key?: { readonly id: string; readonly value: SecretText } | undefined
  readonly admin?: ((field: string) => SecretText | undefined) | undefined
  readonly read?: Readonly<Record<string, unknown>> | undefined
}

export interface Written {
  /** As the description's `hosts` names it. */
  readonly host: string
  /** From the root: path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  /** For messages and proofs: without query, and with the placeholders of the path as they stand. */
  readonly endpoint: string
}

/**
 * One request with everything filled in. Throws `denied/address` for a host that is not in the description, `invalid/document`
 * (or `invalid/answer`, of what was read) naming the placeholder whose value cannot stand where it should. Values are not quoted.
 */
export function written(description: HttpDescription, request: HttpRequest, scope: Scope): Written {
  const body = bodyOf(request, scope)
  const headers = {
    accept: 'application/json',
    // Some refuse a request that does not say who sends it (GitHub REST docs, "User agent required").
    'user-agent': 'keyturn',
    ...(body !== undefined && {
      'content-type': request.form === undefined ? 'application/json' : 'application/x-www-form-urlencoded'
    }),
    ...headersOf(request.headers ?? {}, scope),
    ...authOf(request.auth ?? description.auth, scope)
  }
  return { ...urlOf(description, request.url, scope), headers, body }
}

/** host, path and query of a URL's template. */
export const partsOfUrl = (url: string): readonly [host: string, path: string, query: string] | undefined => {
  const [, host, path, query] = /^https:\/\/([^/?#\\]+)(\/[^?#\\]*)?(\?[^#]*)?$/.exec(url) ?? []
  return host === undefined ? undefined : [host, path ?? '/', query ?? '']
}

export function urlOf({ hosts }: HttpDescription, template: string, scope: Scope): Pick<Written, 'host' | 'path' | 'endpoint'> {
  const [hostPart, pathPart, queryPart] = partsOfUrl(template) ?? ['', '/', '']
  const host = fill(hostPart, (name) => textOf(scope, name))
  if (!hosts.includes(host)) throw new KeyturnError('denied/address', 'the host is none of those that the description names')
  const path = fill(pathPart, (name) => encodeURIComponent(segmentOf(scope, name)))
  const query = fill(queryPart, (name) => encodeURIComponent(plainOf(scope, name)))
  const url = new URL(`https://${host}${path}${query}`)
  // A host that ends early and a path that climbs are read differently by URL and by the eye.
  if (url.host !== host.replace(/:443$/, '') || url.pathname !== path || url.username !== '')
    throw new KeyturnError('denied/address', 'the address would not be the one that the description names')
  return { host, path: `${path}${url.search}`, endpoint: `https://${host}${pathPart}` }
}

function headersOf(templates: Readonly<Record<string, string>>, scope: Scope): Record<string, string> {
  const entries = Object.entries(templates).flatMap(([name, template]) => {
    if (isLeftOut(template, scope)) return []
    return [[name.toLowerCase(), fill(template, (placeholder) => headerText(scope, placeholder))] as const]
  })
  return Object.fromEntries(entries)
}

function authOf(auth: HttpAuth, scope: Scope): Record<string, string> {
  if ('headers' in auth) return headersOf(auth.headers, scope)
  // RFC 7617, 2: everything before the first colon is the user.
  const user = fill(auth.basic.user, (name) => checked(scope, name, /^[^:\p{Cc}]+$/u, 'a user’s name'))
  const password = fill(auth.basic.password, (name) => plainOf(scope, name))
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
}

function bodyOf({ json, form }: HttpRequest, scope: Scope): string | undefined {
  if (json !== undefined) return JSON.stringify(filledJson(json, scope))
  if (form === undefined) return undefined
  const pairs = Object.entries(form).flatMap(([name, template]) => {
    if (isLeftOut(template, scope)) return []
    return [[name, fill(template, (placeholder) => textOf(scope, placeholder))] as [string, string]]
  })
  return new URLSearchParams(pairs).toString()
}

/** It is an optional field alone, and the field is absent. */
function isLeftOut(template: string, scope: Scope): boolean {
  const alone = aloneIn(template) ?? ''
  return /^(config|read)\./.test(alone) && meantBy(scope, alone) === undefined
}

/** Undefined: what it should hold is optional, and absent. */
function filledJson(json: HttpJson, scope: Scope): unknown {
  if (typeof json === 'string') {
    const alone = aloneIn(json)
    if (alone === undefined) return fill(json, (name) => textOf(scope, name))
    const value = meantBy(scope, alone)
    return value instanceof SecretText ? value.reveal() : value
  }
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map((item) => filledJson(item, scope)).filter((item) => item !== undefined)
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, filledJson(value, scope)]))
}

function meantBy({ config, mark, id, value, key, admin, read }: Scope, name: string): unknown {
  const [place = '', field = ''] = name.split('.', 2)
  if (place === 'config') return entryOf(config, field)
  if (place === 'read') return entryOf(read ?? {}, field)
  if (place === 'admin') return admin?.(field)
  if (place === 'key') return field === 'id' ? key?.id : key?.value
  return place === 'mark' ? mark : place === 'id' ? id : value
}

function textOf(scope: Scope, name: string): string {
  const value = meantBy(scope, name)
  const text = value instanceof SecretText ? value.reveal() : value
  if (typeof text === 'string' && text !== '') return text
  if (typeof text === 'number' || typeof text === 'boolean') return String(text)
  throw unusable(scope, name, 'is not there, or is no text')
}

function checked(scope: Scope, name: string, pattern: RegExp, where: string): string {
  const text = textOf(scope, name)
  if (pattern.test(text)) return text
  throw unusable(scope, name, `has characters that ${where} must not have`)
}

/** Nothing that a server behind a proxy could read as another path, once decoded. */
const segmentOf = (scope: Scope, name: string): string =>
  checked(scope, name, /^(?!\.+$)[\w.~:@=+-]{1,256}$/, 'a part of an address')
const plainOf = (scope: Scope, name: string): string => checked(scope, name, /^\P{Cc}*$/u, 'an address or a password')
const headerText = (scope: Scope, name: string): string => checked(scope, name, /^(?! )[\x20-\x7e]*(?<! )$/, 'a header')

function unusable({ fields: [id, value] = ['id', 'value'] }: Scope, name: string, why: string): KeyturnError {
  if (name.startsWith('read.')) return new KeyturnError('invalid/answer', `what was read as ${name} ${why}`)
  if (name.startsWith('admin.'))
    return new KeyturnError('invalid/document', `the admin secret’s ${name.slice('admin.'.length)} ${why}`)
  const field = /^(key\.)?id$/.test(name) ? id : /^(key\.)?value$/.test(name) ? value : name
  return new KeyturnError('invalid/document', `the secret’s ${field} ${why}`)
}
