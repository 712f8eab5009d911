import { randomBytes } from 'node:crypto'
import { type KeyShelf, keyShelf, type ShelfKey } from './key-shelf.ts'
import { type ProviderAnswer, type ProviderDouble, type ProviderRequest, type Route, startProvider } from './provider-double.ts'

export interface OpenAiKeys {
  readonly double: ProviderDouble
  readonly shelf: KeyShelf
  /** Keys that may not do what `verify` does: restricted, without the scope. */
  readonly restricted: Set<string>
  /** The body of the last creation. */
  readonly asked: () => unknown
}

/** Fewer than `limit`: a client goes on as long as has_more says so (openai-node, ConversationCursorPage, CursorPage). */
const MOST_ON_A_PAGE = 2

const error = (status: number, code: string | null, message: string): ProviderAnswer => ({
  status,
  body: { error: { message, type: 'invalid_request_error', param: null, code } }
})

/** The key stands in it, most of it as stars; a short one in full (github.com/continuedev/continue/issues/9358, 11409). */
const incorrectKey = (value: string): ProviderAnswer => {
  const shown = value.length > 8 ? `${value.slice(0, 4)}${'*'.repeat(value.length - 8)}${value.slice(-4)}` : value
  const help = 'You can find your API key at https://platform.openai.com/account/api-keys.'
  return error(401, 'invalid_api_key', `Incorrect API key provided: ${shown}. ${help}`)
}

/** 401 and no code (github.com/continuedev/continue/issues/10059; community.openai.com/t/1345041, of an admin key). */
export const missingScope = (scope: string): ProviderAnswer => error(401, null, missing(scope))
const missing = (scope: string): string =>
  `You have insufficient permissions for this operation. Missing scopes: ${scope}. Check that you have the correct role in your organization.`

/** developers.openai.com/api/docs/guides/rate-limits: the code, and how long until it is over. */
export const tooMany: ProviderAnswer = {
  status: 429,
  headers: { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1s' },
  body: { error: { message: 'Rate limit reached.', type: 'requests', param: null, code: 'rate_limit_exceeded' } }
}

const bearerOf = ({ headers }: ProviderRequest): string => (headers.authorization ?? '').replace(/^Bearer /, '')

/** The keys of service accounts; a project is an account of the shelf, and has one service account, `sa-<project>`. */
export const startOpenAiProjects = (): Promise<OpenAiKeys> => started((parts) => [...projectRoutes(parts), models(parts)])

/** The admin keys of organizations; one that is not on the shelf, `sk-admin-<organization>`, is who makes the others. */
export const startOpenAiAdmins = (): Promise<OpenAiKeys> => started(adminRoutes)

interface Parts {
  readonly shelf: KeyShelf
  readonly restricted: Set<string>
  asked: unknown
}

async function started(routes: (parts: Parts) => readonly Route[]): Promise<OpenAiKeys> {
  const parts: Parts = { shelf: keyShelf(() => double.now()), restricted: new Set(), asked: undefined }
  const double = await startProvider({ routes: routes(parts), unknown: error(404, null, 'Invalid URL') })
  return { double, shelf: parts.shelf, restricted: parts.restricted, asked: () => parts.asked }
}

function made(parts: Parts, account: string, json: ProviderRequest['json'], prefix: string): ShelfKey {
  parts.asked = json
  const value = `${prefix}-${randomBytes(24).toString('base64url')}`
  return parts.shelf.add({ id: `key_${randomBytes(8).toString('hex')}`, account, value, name: String(json.name) })
}

function deleted({ shelf }: Parts, account: string, id: string, object: string): ProviderAnswer {
  if (!shelf.owned(account, id)) return noSuch()
  shelf.remove(id)
  return { status: 200, body: { id, object, deleted: true } }
}

function projectRoutes(parts: Parts): readonly Route[] {
  const route = (op: string, method: string, rest: string, answer: (r: ProviderRequest, project: string) => ProviderAnswer) => ({
    op,
    method,
    path: new RegExp(`^/v1/organization/projects/([^/]+)/${rest}$`),
    answer: (request: ProviderRequest): ProviderAnswer => {
      const project = request.params[0] ?? ''
      return bearerOf(request) === `sk-admin-${project}` ? answer(request, project) : incorrectKey(bearerOf(request))
    }
  })
  return [
    route('CreateServiceAccountKey', 'POST', 'service_accounts/([^/]+)/api_keys', ({ json, params }, project) => {
      if (params[1] !== `sa-${project}`) return noSuch()
      const { id, name, createdAt, value } = made(parts, project, json, 'sk-svcacct')
      const object = 'organization.project.service_account.api_key'
      return { status: 200, body: { object, id, name, created_at: seconds(createdAt), value } }
    }),
    route('ListProjectKeys', 'GET', 'api_keys', ({ url }, project) => {
      // Of others in the same project: a person’s, and another service account’s.
      const people = url.searchParams.get('owner_project_access') === 'any' ? [userKey(project)] : []
      const owned = parts.shelf.of(project).map((key) => projectKey(key, `sa-${project}`))
      return page([...people, ...owned, projectKey(OTHER, 'sa-another')], url)
    }),
    route('DeleteProjectKey', 'DELETE', 'api_keys/([^/]+)', ({ params }, project) =>
      deleted(parts, project, params[1] ?? '', 'organization.project.api_key.deleted')
    )
  ]
}

const models = ({ shelf, restricted }: Parts): Route => ({
  op: 'ListModels',
  method: 'GET',
  path: /^\/v1\/models$/,
  answer: (request) => {
    const value = bearerOf(request)
    if (shelf.call(value).standing !== 'alive') return incorrectKey(value)
    // The error is a text here (github.com/marcusquinn/aidevops/issues/24564).
    if (restricted.has(value)) return { status: 403, body: { error: missing('api.model.read') } }
    const model = { id: 'gpt-5.5', object: 'model', created: 1_780_000_000, owned_by: 'system' }
    return { status: 200, body: { object: 'list', data: [model] } }
  }
})

function adminRoutes(parts: Parts): readonly Route[] {
  const { shelf, restricted } = parts
  const route = (
    op: string,
    method: string,
    rest: string,
    answer: (r: ProviderRequest, organization: string) => ProviderAnswer
  ) => ({
    op,
    method,
    path: new RegExp(`^/v1/organization/admin_api_keys${rest}$`),
    answer: (request: ProviderRequest): ProviderAnswer => {
      const value = bearerOf(request)
      if (restricted.has(value)) return missingScope('api.management.read')
      const { standing, key } = shelf.call(value)
      const [, root] = /^sk-admin-(p-\w+)$/.exec(value) ?? []
      const organization = standing === 'alive' ? key?.account : root
      return organization === undefined ? incorrectKey(value) : answer(request, organization)
    }
  })
  return [
    route('CreateAdminKey', 'POST', '', ({ json }, organization) => {
      const key = made(parts, organization, json, 'sk-admin')
      return { status: 200, body: { ...adminKey(key), value: key.value } }
    }),
    route('ListAdminKeys', 'GET', '', ({ url }, organization) => page(shelf.of(organization).map(adminKey), url)),
    route('DeleteAdminKey', 'DELETE', '/([^/]+)', ({ params }, organization) =>
      deleted(parts, organization, params[0] ?? '', 'organization.admin_api_key.deleted')
    )
  ]
}

/** The reference has no body for it: this one is ours, and the status alone is asked. */
const noSuch = (): ProviderAnswer => error(404, null, 'No such key')

function page(items: readonly { readonly id: string }[], url: URL): ProviderAnswer {
  const from = items.findIndex(({ id }) => id === url.searchParams.get('after')) + 1
  const data = items.slice(from, from + Math.min(Number(url.searchParams.get('limit') ?? 20), MOST_ON_A_PAGE))
  const isMore = from + data.length < items.length
  return {
    status: 200,
    body: { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: isMore }
  }
}

const seconds = (ms: number): number => Math.floor(ms / 1000)
const OTHER = { id: 'key_of_another_account', name: 'another', createdAt: 1_780_000_000_000, lastUsedAt: undefined }
type Shown = Pick<ShelfKey, 'id' | 'createdAt' | 'lastUsedAt'> & { readonly name: string | undefined }

const common = ({ id, name, createdAt, lastUsedAt }: Shown) => ({
  id,
  name: name ?? null,
  redacted_value: 'sk-...def',
  created_at: seconds(createdAt),
  last_used_at: lastUsedAt === undefined ? null : seconds(lastUsedAt)
})

/** openai-node, ProjectAPIKey. */
const projectKey = (key: Shown, account: string) => ({
  ...common(key),
  object: 'organization.project.api_key',
  owner: { type: 'service_account', service_account: { id: account, name: account, role: 'member', created_at: 1_780_000_000 } },
  owner_project_access: 'active'
})

const userKey = (project: string) => ({
  ...common({ ...OTHER, id: `key_of_a_person_in_${project}` }),
  object: 'organization.project.api_key',
  owner: { type: 'user', user: { id: 'user_1', name: 'A person', email: 'person@example.com', role: 'owner' } },
  owner_project_access: 'inactive'
})

/** openai-node, AdminAPIKey. */
const adminKey = (key: ShelfKey) => ({
  ...common(key),
  object: 'organization.admin_api_key',
  expires_at: null,
  owner: { type: 'user', object: 'organization.user', id: 'user_1', name: 'An owner', role: 'owner' }
})
