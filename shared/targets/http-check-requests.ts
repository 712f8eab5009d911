import { entryOf } from '../table.ts'
import type { HttpAuth, HttpConfigField, HttpDescription, HttpJson, HttpRequest } from './http-description.ts'
import { partsOfUrl } from './http-requests.ts'
import { aloneIn, fill, isPlaceholder, placeholdersIn } from './http-templates.ts'

export type Step = 'create' | 'list' | 'revoke' | 'verify' | 'disable' | 'enable' | 'lastUse' | 'read'
type Place = 'host' | 'path' | 'query' | 'header' | 'auth' | 'json' | 'form' | 'where'

/** One template, and where it stands. */
interface Found {
  readonly at: string
  readonly step: Step
  readonly place: Place
  readonly template: string
}

const STEPS = ['create', 'list', 'revoke', 'verify', 'disable', 'enable', 'lastUse', 'read'] as const

export const requestsOf = (d: HttpDescription): readonly (readonly [Step, HttpRequest])[] =>
  STEPS.flatMap((step) => {
    const request = d[step]
    return request === undefined ? [] : [[step, request] as const]
  })

/** Whatever would be sent to whom it should not, or could not be filled in. */
export function requestProblems(d: HttpDescription): readonly string[] {
  const found = templatesOf(d)
  return [
    ...d.hosts.flatMap((host, n) => (isHost(host) ? [] : [`hosts.${n} must be a host as URLs have it, without :443`])),
    ...requestsOf(d).flatMap(([step, request]) => [...urlProblems(d, step, request.url), ...shapeOf(step, request)]),
    ...found.flatMap((one) => templateProblems(d, one)),
    ...credentialProblems(d, found)
  ]
}

/** The placeholders of each template that every request has. */
export const placeholdersOf = (d: HttpDescription): readonly (readonly [Step, string])[] =>
  templatesOf(d).flatMap(({ step, template }) => (placeholdersIn(template) ?? []).map((name) => [step, name] as const))

function templatesOf(d: HttpDescription): readonly Found[] {
  const where = (d.list.where ?? []).flatMap(({ equals }, n) =>
    [equals].flat().map((template): Found => ({ at: `list.where.${n}.equals`, step: 'list', place: 'where', template }))
  )
  return [
    ...authTemplates('auth', 'list', d.auth),
    ...where,
    ...requestsOf(d).flatMap(([step, { url, headers = {}, auth, json, form = {} }]) => {
      const [host = '', path = '', query = ''] = partsOfUrl(url) ?? []
      const of = (place: Place, at: string, template: string): Found => ({ at: `${step}.${at}`, step, place, template })
      return [
        of('host', 'url', host),
        of('path', 'url', path),
        of('query', 'url', query),
        ...Object.entries(headers).map(([name, template]) => of('header', `headers.${name}`, template)),
        ...Object.entries(form).map(([name, template]) => of('form', `form.${name}`, template)),
        ...textsIn(json).map(([at, template]) => of('json', `json${at}`, template)),
        ...(auth ? authTemplates(`${step}.auth`, step, auth) : [])
      ]
    })
  ]
}

function authTemplates(at: string, step: Step, auth: HttpAuth): readonly Found[] {
  const [under, templates] = 'headers' in auth ? (['headers', auth.headers] as const) : (['basic', auth.basic] as const)
  return Object.entries(templates).map(([name, template]) => ({ at: `${at}.${under}.${name}`, step, place: 'auth', template }))
}

function textsIn(json: HttpJson | undefined): readonly (readonly [at: string, text: string])[] {
  if (typeof json === 'string') return [['', json]]
  if (typeof json !== 'object' || json === null) return []
  return Object.entries(json).flatMap(([name, value]) =>
    textsIn(value as HttpJson).map(([at, text]) => [`.${name}${at}`, text] as const)
  )
}

function urlProblems({ hosts, config = {} }: HttpDescription, step: Step, url: string): readonly string[] {
  const [host, path, query] = partsOfUrl(url) ?? []
  if (host === undefined || path === undefined || query === undefined)
    return [`${step}.url must be https://host/path, without a user, a fragment or a backslash`]
  const filled = [path, query].map((part) => fill(part, () => 'x'))
  const read = new URL(`https://h${filled.join('')}`)
  const problems =
    read.pathname === filled[0] && read.search === filled[1] ? [] : [`${step}.url is not written as it would be sent`]
  const strangers = hostsOf(host, config).filter((one) => !hosts.includes(one))
  return strangers.length === 0 ? problems : [...problems, `${step}.url goes to ${strangers.join(', ')}, not among hosts`]
}

/** Every host that the template can become. What is no choice stays as it stands, and is refused as a placeholder too. */
function hostsOf(template: string, config: NonNullable<HttpDescription['config']>): readonly string[] {
  const [name] = (placeholdersIn(template) ?? []).filter((one) => choicesOf(config, one) !== undefined)
  if (name === undefined) return [template]
  return (choicesOf(config, name) ?? []).flatMap((choice) => hostsOf(template.replaceAll(`{${name}}`, choice), config))
}

const fieldOf = (config: HttpDescription['config'] = {}, name: string): HttpConfigField | undefined =>
  name.startsWith('config.') ? entryOf(config, name.slice('config.'.length)) : undefined
const choicesOf = (config: HttpDescription['config'], name: string) => fieldOf(config, name)?.choices

/** Node's own, and those that make one request two (RFC 9112, 11.2). */
const FORBIDDEN = /^(host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|:.*)$/

function shapeOf(step: Step, { method, headers = {}, auth, json, form }: HttpRequest): readonly string[] {
  const names = [...Object.keys(headers), ...(auth && 'headers' in auth ? Object.keys(auth.headers) : [])].map((n) =>
    n.toLowerCase()
  )
  const wrong = names.filter(
    (name, n) => !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || FORBIDDEN.test(name) || names.indexOf(name) < n
  )
  return [
    ...wrong.map((name) => `${step} cannot have the header ${JSON.stringify(name.slice(0, 64))}, or not twice`),
    ...(json !== undefined && form !== undefined ? [`${step} has both json and form`] : []),
    ...(method === 'GET' && (json ?? form) !== undefined ? [`${step} is a GET with a body`] : [])
  ]
}

function templateProblems(d: HttpDescription, found: Found): readonly string[] {
  const { at, place, template } = found
  const names = placeholdersIn(template)
  if (names === undefined) return [`${at} has a brace without its other half ({{ and }} are braces)`]
  const isPlain = place === 'json' || place === 'form' || place === 'where' || !/\p{Cc}/u.test(template)
  return [
    ...(isPlain ? [] : [`${at} has a control character`]),
    ...names.flatMap((name) => {
      if (!isPlaceholder(name)) return [`${at} has {${name.slice(0, 64)}}, which is no placeholder`]
      const why = misplaced(d, found, name)
      return why === undefined ? [] : [`${at} has {${name}}: ${why}`]
    })
  ]
}

const BODIES: readonly Place[] = ['json', 'form']

/** Why a placeholder may not stand there. */
function misplaced(d: HttpDescription, found: Found, name: string): string | undefined {
  const { step, place } = found
  const [kind = '', field = ''] = name.split('.')
  if (kind === 'config') return misplacedConfig(fieldOf(d.config, name), found)
  if (place === 'host') return 'in a host there are only config fields with choices'
  if (place === 'where') return 'there are only config fields'
  if (kind === 'mark') return step === 'create' && place !== 'auth' ? undefined : 'only create has a mark'
  if (kind === 'id') return step === 'create' || step === 'list' ? 'it is about no key' : undefined
  if (kind === 'admin' || kind === 'key')
    return step === 'verify' || (place !== 'auth' && place !== 'header')
      ? 'only in auth and headers, and not of verify'
      : undefined
  if (kind === 'value') {
    if (step !== 'verify') return 'only verify has the key’s value'
    return (place === 'path' || place === 'query') && d.verify.valueInUrl !== true ? 'in a URL only with valueInUrl' : undefined
  }
  if (!['create', 'disable', 'enable'].includes(step) || !BODIES.includes(place))
    return 'only in bodies of create, disable, enable'
  const value = entryOf(d.read?.values ?? {}, field)
  if (value === undefined) return 'read.values does not name it'
  return value.endsWith('?') && aloneIn(found.template) === undefined ? 'it may be absent, so it must stand alone' : undefined
}

function misplacedConfig(field: HttpConfigField | undefined, { place, template }: Found): string | undefined {
  if (field === undefined) return 'config does not declare it'
  if (place === 'host' && field.choices === undefined) return 'in a host there are only config fields with choices'
  const isAlone = aloneIn(template) !== undefined
  if (field.kind === 'json' && !(place === 'json' && isAlone)) return 'what is JSON stands alone in a JSON body'
  if (field.optional && !(isAlone && (BODIES.includes(place) || place === 'header')))
    return 'what is optional stands alone in a body or a header'
  return undefined
}

function credentialProblems(d: HttpDescription, found: readonly Found[]): readonly string[] {
  const named = (one: Found, kinds: RegExp) => (placeholdersIn(one.template) ?? []).some((name) => kinds.test(name))
  const isOwn = (at: string, step: Step) =>
    found.some((one) => one.step === step && one.at.startsWith(at) && named(one, /^(admin|key\.value)/))
  const own = requestsOf(d).filter(([step, { auth }]) => auth !== undefined && step !== 'verify')
  return [
    ...(isOwn('auth.', 'list') ? [] : ['auth sends nothing of the admin secret, nor the key']),
    ...own.flatMap(([step]) =>
      isOwn(`${step}.auth.`, step) ? [] : [`${step}.auth sends nothing of the admin secret, nor the key`]
    ),
    ...(found.some((one) => one.step === 'verify' && named(one, /^value$/)) ? [] : ['verify does not send {value}'])
  ]
}

/** As URL reads it, so that no spelling of another host passes for one. */
const isHost = (host: string): boolean => URL.canParse(`https://${host}`) && new URL(`https://${host}`).host === host
