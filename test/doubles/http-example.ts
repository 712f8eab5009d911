import { randomBytes } from 'node:crypto'
import type { HttpDescription } from '../../shared/targets/http-description.ts'
import { type KeyShelf, keyShelf, type ShelfKey } from './key-shelf.ts'
import { type ProviderAnswer, type ProviderDouble, type ProviderRequest, type Route, startProvider } from './provider-double.ts'

export interface Example {
  readonly double: ProviderDouble
  readonly shelf: KeyShelf
  /** The bearer tokens of admins. */
  readonly admins: Set<string>
  /** The last request of an operation. */
  asked(op: string): ProviderRequest
  /** Changes what create, list and verify answer: for descriptions that are wrong. */
  answer(op: string, change: ((answer: ProviderAnswer) => ProviderAnswer) | undefined): void
}

/** An admin’s, of the organization org-1. */
export const ADMIN_TOKEN = 'admin-token-91c2'
/** How many keys a project of the example has room for, and how many are on one page. */
export const ROOM = 5
const PAGE = 2

/** A vendor that there is not, with everything that vendors have: names, projects, pages, codes, disabled keys, last use. */
export const ACME: HttpDescription = {
  name: 'acme',
  source: { url: 'https://docs.acme.example/keys', date: '2026-03-14' },
  hosts: ['api.acme.example'],
  auth: { headers: { authorization: 'Bearer {admin.token}', 'acme-organization': '{admin.organization}' } },
  config: { project: {}, scopes: { kind: 'json', optional: true }, tag: { optional: true } },
  code: 'error.code',
  errors: [
    { when: { status: 404, at: 'error.code', equals: ['key_not_found'] }, is: 'gone' },
    { when: { status: 422, at: 'error.code', equals: ['too_many_keys'] }, is: 'full' },
    { when: { status: 403, at: 'error.code', equals: ['policy'] }, is: 'policy' },
    { when: { status: 403, at: 'error.code', equals: ['slow_down'] }, is: 'throttled' },
    { when: { status: 409, at: 'error.code', equals: ['busy'] }, is: 'not-yet' }
  ],
  create: {
    method: 'POST',
    url: 'https://api.acme.example/v1/projects/{config.project}/keys',
    headers: { 'acme-tag': '{config.tag}' },
    json: { name: '{mark}', scopes: '{config.scopes}', note: 'made by keyturn for {config.project}' },
    needs: 'the role Key Admin of the project',
    id: 'data.id',
    value: 'data.attributes.secret'
  },
  list: {
    method: 'GET',
    url: `https://api.acme.example/v1/projects/{config.project}/keys?limit=${PAGE}`,
    items: 'data',
    id: 'id',
    name: 'attributes.name?',
    createdAt: { at: 'attributes.created_at', format: 'iso' },
    lastUsed: { at: 'attributes.last_used_at', format: 'iso' },
    disabled: { at: 'attributes.status', equals: ['disabled'] },
    paging: { by: 'cursor', parameter: 'after', next: 'last_id', more: 'has_more' }
  },
  revoke: { method: 'DELETE', url: 'https://api.acme.example/v1/projects/{config.project}/keys/{id}' },
  disable: {
    method: 'PATCH',
    url: 'https://api.acme.example/v1/projects/{config.project}/keys/{id}',
    json: { name: '{read.name}', status: 'disabled' },
    repeatable: true
  },
  enable: {
    method: 'PATCH',
    url: 'https://api.acme.example/v1/projects/{config.project}/keys/{id}',
    json: { name: '{read.name}', status: 'active' },
    repeatable: true
  },
  read: {
    method: 'GET',
    url: 'https://api.acme.example/v1/projects/{config.project}/keys/{id}',
    values: { name: 'data.attributes.name?' }
  },
  verify: {
    method: 'GET',
    url: 'https://api.acme.example/v1/whoami',
    auth: { headers: { 'x-api-key': '{value}' } },
    alive: [{ status: 200 }, { status: 403, at: 'error.code', equals: ['insufficient_scope'] }],
    dead: [{ status: 401, at: 'error.code', equals: ['invalid_key', 'key_disabled'] }]
  },
  facts: { maxLive: ROOM, overlap: 'dual', lastUsed: 'precise', telemetryLagMs: 60_000, mintedOnce: true, settlesMs: 60_000 }
}

const error = (status: number, code: string): ProviderAnswer => ({
  status,
  body: { error: { code, message: `${code}, says Acme` } }
})

const shown = (key: ShelfKey): Readonly<Record<string, unknown>> => ({
  id: key.id,
  attributes: {
    ...(key.name !== undefined && { name: key.name }),
    created_at: new Date(key.createdAt).toISOString(),
    last_used_at: key.lastUsedAt === undefined ? null : new Date(key.lastUsedAt).toISOString(),
    status: key.isDisabled ? 'disabled' : 'active'
  }
})

export async function startExample(): Promise<Example> {
  const admins = new Set([ADMIN_TOKEN])
  const changes = new Map<string, (answer: ProviderAnswer) => ProviderAnswer>()
  const shelf = keyShelf(() => double.now())
  const requests = new Map<string, ProviderRequest>()
  const changed = (route: Route): Route => ({
    ...route,
    answer: (request) => {
      requests.set(route.op, request)
      return (changes.get(route.op) ?? ((same) => same))(route.answer(request))
    }
  })
  const routes = [...adminRoutes(shelf, admins), whoami(shelf)].map(changed)
  const double = await startProvider({ routes, unknown: error(404, 'no_such_path') })
  return {
    double,
    shelf,
    admins,
    asked(op) {
      const request = requests.get(op)
      if (!request) throw new Error(`nobody asked for ${op}`)
      return request
    },
    answer: (op, change) => void (change ? changes.set(op, change) : changes.delete(op))
  }
}

const KEYS = /^\/v1\/projects\/([^/]+)\/keys$/
const KEY = /^\/v1\/projects\/([^/]+)\/keys\/([^/]+)$/

function adminRoutes(shelf: KeyShelf, admins: ReadonlySet<string>): readonly Route[] {
  const guarded =
    (answer: (request: ProviderRequest, project: string, id: string) => ProviderAnswer) =>
    (request: ProviderRequest): ProviderAnswer => {
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
      if (!admins.has(token) || request.headers['acme-organization'] !== 'org-1') return error(401, 'bad_admin')
      const [project = '', id = ''] = request.params
      return answer(request, project, id)
    }
  return [
    { op: 'CreateKey', method: 'POST', path: KEYS, answer: guarded(({ json }, project) => created(shelf, project, json)) },
    { op: 'ListKeys', method: 'GET', path: KEYS, answer: guarded(({ url }, project) => listed(shelf, project, url)) },
    {
      op: 'GetKey',
      method: 'GET',
      path: KEY,
      answer: guarded((_, project, id) => {
        const key = shelf.owned(project, id)
        return key ? { status: 200, body: { data: shown(key) } } : error(404, 'key_not_found')
      })
    },
    {
      op: 'PatchKey',
      method: 'PATCH',
      path: KEY,
      answer: guarded(({ json }, project, id) => {
        const key = shelf.owned(project, id)
        if (!key) return error(404, 'key_not_found')
        // It replaces the whole key, as a PUT does elsewhere: a name that is not repeated would be lost.
        if (json.name !== key.name) return error(400, 'name_required')
        shelf.setDisabled(id, json.status === 'disabled')
        return { status: 200, body: { data: shown(key) } }
      })
    },
    {
      op: 'DeleteKey',
      method: 'DELETE',
      path: KEY,
      answer: guarded((_, project, id) => {
        if (!shelf.owned(project, id)) return error(404, 'key_not_found')
        shelf.remove(id)
        return { status: 204 }
      })
    }
  ]
}

function created(shelf: KeyShelf, project: string, json: Readonly<Record<string, unknown>>): ProviderAnswer {
  if (shelf.of(project).length >= ROOM) return error(422, 'too_many_keys')
  const id = `key_${randomBytes(6).toString('hex')}`
  const key = shelf.add({ id, account: project, value: `acme-${randomBytes(12).toString('hex')}`, name: String(json.name) })
  const { attributes } = shown(key) as { readonly attributes: object }
  return { status: 201, body: { data: { id, attributes: { ...attributes, secret: key.value } } } }
}

function listed(shelf: KeyShelf, project: string, url: URL): ProviderAnswer {
  const keys = shelf.of(project)
  const from = keys.findIndex(({ id }) => id === url.searchParams.get('after')) + 1
  const page = keys.slice(from, from + Number(url.searchParams.get('limit')))
  const isMore = from + page.length < keys.length
  return { status: 200, body: { data: page.map(shown), last_id: page.at(-1)?.id ?? null, has_more: isMore } }
}

const whoami = (shelf: KeyShelf): Route => ({
  op: 'WhoAmI',
  method: 'GET',
  path: /^\/v1\/whoami$/,
  answer: ({ headers }) => {
    const { standing, key } = shelf.call(String(headers['x-api-key']))
    if (standing === 'alive') return { status: 200, body: { id: key?.id } }
    return error(401, standing === 'disabled' ? 'key_disabled' : 'invalid_key')
  }
})
