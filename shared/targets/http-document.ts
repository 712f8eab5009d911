import { KeyturnError } from '../errors.ts'
import { filled, matching, membersOf, replaceMembers, secret } from '../json-members.ts'
import { keyReader } from '../key-document.ts'
import { entryOf } from '../table.ts'
import { SecretText } from '../types.ts'
import { requestsOf } from './http-check-requests.ts'
import type { HttpConfigField, HttpDescription } from './http-description.ts'
import { type Scope, urlOf, written } from './http-requests.ts'
import { fill } from './http-templates.ts'
import type { KeyDocument } from './minted-provider.ts'

/** What a document of `type` http-api-key says. */
export interface HttpDocument extends KeyDocument {
  readonly value: SecretText
  readonly config: Readonly<Record<string, unknown>>
  /** The secret, in the same store, of whoever may create and delete. */
  readonly adminsecret: string | undefined
}

export const TYPE = 'http-api-key'

/** The document's `provider`. A description of the document's own is refused: whoever may write the secret could send the admin's token anywhere. */
export function providerIn(text: SecretText): string {
  const { read, end } = keyReader(text, TYPE, new Set(['provider']))
  const name = matching(/^[a-z0-9-]{1,64}$/)
  return end<{ provider: string }>({ provider: read('provider', 'must be the name of a description', name) }).provider
}

/** Reads a document, and tries every request with it, so that nothing is sent before all of it can be. Throws `invalid/document`. */
export function documentIn(text: SecretText, description: HttpDescription): HttpDocument {
  const [idField, valueField] = fieldsOf(description)
  const { read, optional, end } = keyReader(text, TYPE, knownOf(description))
  const { provider, config, ...found } = end<Omit<HttpDocument, 'account' | 'text'> & { provider: string }>({
    provider: read('provider', `must be ${description.name}`, (value) =>
      value === description.name ? description.name : undefined
    ),
    principal: read(idField, 'must be a text', filled),
    value: read(valueField, 'must be a text', secret),
    config: read('config', 'must be an object', object, {}),
    adminsecret: takesAdmin(description)
      ? read('adminsecret', 'must be the name of the admin’s secret', filled)
      : optional('adminsecret', 'must be a text', filled)
  })
  const document = { ...found, text, config: configOf(description, config), account: '' }
  for (const [, request] of requestsOf(description)) written(description, request, rehearsal(description, document))
  return { ...document, account: accountOf(description, document) }
}

/** The same text with the new key in it, and every other byte as it was. */
export function withKey({ text }: HttpDocument, description: HttpDescription, id: string, value: SecretText): SecretText {
  const [idField, valueField] = fieldsOf(description)
  return replaceMembers(text, { [idField]: id, [valueField]: value.reveal() }, knownOf(description))
}

export const fieldsOf = ({ fields }: HttpDescription): readonly [string, string] => [
  fields?.keyId ?? 'keyId',
  fields?.apiKey ?? 'apiKey'
]

const knownOf = (description: HttpDescription) => new Set([...fieldsOf(description), 'provider', 'config', 'adminsecret'])

export const takesAdmin = (description: HttpDescription): boolean =>
  [description.auth, ...requestsOf(description).flatMap(([, { auth, headers }]) => [auth, headers])].some((part) =>
    JSON.stringify(part ?? {}).includes('{admin.')
  )

/** Whose keys are listed together: the list's own address, by whoever asks. Nothing secret can stand in an address. */
function accountOf(description: HttpDescription, { config, adminsecret }: HttpDocument): string {
  const { host, path } = urlOf(description, description.list.url, { config })
  const where = (description.list.where ?? []).flatMap(({ equals }) =>
    [equals].flat().map((template) => filledWith(template, config))
  )
  return [`${host}${path}`, ...where, ...(adminsecret === undefined ? [] : [`by ${adminsecret}`])].join(' ')
}

export const filledWith = (template: string, config: HttpDocument['config']): string =>
  fill(template, (name) => String(config[name.slice('config.'.length)] ?? ''))

/** Every placeholder has a value: the document's own, and something plain for what is not known before it is sent. */
const rehearsal = (description: HttpDescription, { config, principal, value }: HttpDocument): Scope => ({
  fields: fieldsOf(description),
  config,
  mark: 'x',
  id: principal,
  value,
  key: { id: principal, value },
  admin: () => new SecretText('x'),
  read: Object.fromEntries(Object.keys(description.read?.values ?? {}).map((name) => [name, 'x']))
})

const object = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined

function configOf(description: HttpDescription, given: Readonly<Record<string, unknown>>): HttpDocument['config'] {
  const declared = description.config ?? {}
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(declared, name))
  const wrong = [
    ...(unknown.length > 0 ? [`has more than ${Object.keys(declared).join(', ') || 'nothing'}`] : []),
    ...Object.entries(declared).flatMap(([name, field]) => wrongIn(name, field, entryOf(given, name)))
  ]
  if (wrong.length > 0) throw new KeyturnError('invalid/document', `the secret’s config ${wrong.join('; ')}`)
  const entries = Object.entries(declared).map(([name, field]) => [name, entryOf(given, name) ?? field.default])
  return Object.fromEntries(entries) as HttpDocument['config']
}

function wrongIn(
  name: string,
  { choices, default: fallback, optional, kind }: HttpConfigField,
  value: unknown
): readonly string[] {
  if (value === undefined || value === null) return optional || fallback !== undefined ? [] : [`has no ${name}`]
  if (kind === 'json') return []
  if (filled(value) === undefined && typeof value !== 'number') return [`must have a text as ${name}`]
  return choices && !choices.includes(String(value)) ? [`must have one of ${choices.join(', ')} as ${name}`] : []
}

/** The fields of the admin's document that a description names. Throws `invalid/document` naming those that are no text. */
export function adminIn(text: SecretText, { name }: HttpDescription): (field: string) => SecretText | undefined {
  const members = adminMembers(text)
  const of = members.get('provider')?.value
  // An admin's secret that says whose it is cannot be sent to another vendor by a document that names it.
  if (of !== undefined && of !== name && !(Array.isArray(of) && of.includes(name)))
    throw new KeyturnError('invalid/document', `the admin secret is another provider’s than ${name}`)
  return (field) => secret(members.get(field)?.value)
}

/** In its own words: the refusal is not of the secret that is rotated. */
function adminMembers(text: SecretText): ReturnType<typeof membersOf> {
  try {
    return membersOf(text, new Set(['provider']))
  } catch (e) {
    throw new KeyturnError('invalid/document', `the admin secret: ${e instanceof KeyturnError ? e.message : 'it cannot be read'}`)
  }
}
