import { randomBytes } from 'node:crypto'
import { type KeyShelf, keyShelf, type ShelfKey } from './key-shelf.ts'
import { type ProviderAnswer, type ProviderDouble, type ProviderRequest, type Route, startProvider } from './provider-double.ts'

export interface DatadogKeys {
  readonly double: ProviderDouble
  readonly shelf: KeyShelf
  /** The body of the last creation. */
  readonly asked: () => unknown
  /** Names that are there already are refused. */
  refuseNames(): void
}

/** The most on a page is 100; fewer here, so that there are several (Get all API keys, page[size]). */
const MOST_ON_A_PAGE = 2

/** APIErrorResponse: texts, and no codes (docs.datadoghq.com/api/latest/key-management). */
const error = (status: number, ...errors: readonly string[]): ProviderAnswer => ({ status, body: { errors } })

/** docs.datadoghq.com/developers/authorization, “Forbidden errors”. */
export const forbidden = error(403, 'Forbidden')

/** docs.datadoghq.com/api/latest/rate-limits: the headers. The text of the error is ours. */
export const tooMany: ProviderAnswer = {
  ...error(429, 'Too many requests'),
  headers: { 'x-ratelimit-limit': '100', 'x-ratelimit-period': '60', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' }
}

/** An organization is an account of the shelf; its keys are `api-<organization>` and `application-<organization>`. */
export async function startDatadog(): Promise<DatadogKeys> {
  const shelf = keyShelf(() => double.now())
  const state: State = { shelf, asked: undefined, isStrict: false }
  const double = await startProvider({ unknown: error(404, 'Not Found'), routes: [...adminRoutes(state), validate(shelf)] })
  return {
    double,
    shelf,
    asked: () => state.asked,
    refuseNames: () => {
      state.isStrict = true
    }
  }
}

interface State {
  readonly shelf: KeyShelf
  asked: unknown
  isStrict: boolean
}

const guarded =
  (answer: (request: ProviderRequest, organization: string) => ProviderAnswer) =>
  (request: ProviderRequest): ProviderAnswer => {
    const [, organization] = /^application-(.+)$/.exec(String(request.headers['dd-application-key'])) ?? []
    if (organization === undefined || request.headers['dd-api-key'] !== `api-${organization}`) return forbidden
    return answer(request, organization)
  }

const adminRoutes = (state: State): readonly Route[] => [
  {
    op: 'CreateAPIKey',
    method: 'POST',
    path: /^\/api\/v2\/api_keys$/,
    answer: guarded(({ json }, organization) => created(state, json, organization))
  },
  {
    op: 'ListAPIKeys',
    method: 'GET',
    path: /^\/api\/v2\/api_keys$/,
    answer: guarded(({ url }, organization) => page(state.shelf.of(organization).map(partial), url))
  },
  {
    op: 'DeleteAPIKey',
    method: 'DELETE',
    path: /^\/api\/v2\/api_keys\/([^/]+)$/,
    answer: guarded(({ params: [id = ''] }, organization) => {
      if (!state.shelf.owned(organization, id)) return error(404, 'Not Found')
      state.shelf.remove(id)
      return { status: 204 }
    })
  }
]

function created(state: State, json: ProviderRequest['json'], organization: string): ProviderAnswer {
  state.asked = json
  const { data } = json as { readonly data?: { readonly type?: string; readonly attributes?: { readonly name?: string } } }
  const name = data?.attributes?.name
  if (data?.type !== 'api_keys' || name === undefined) return error(400, 'Bad Request')
  // “Key names must be unique across your organization” (api-app-keys); the reference names no code for it.
  if (state.isStrict && state.shelf.of(organization).some((key) => key.name === name)) return error(400, 'Bad Request')
  const value = randomBytes(16).toString('hex')
  const { attributes, ...rest } = partial(state.shelf.add({ id: uuid(), account: organization, value, name }))
  return { status: 201, body: { data: { ...rest, attributes: { ...attributes, key: value } } } }
}

/** “If invalid, a 403 is returned” (docs.datadoghq.com/api/latest/authentication/validate-api-key). */
const validate = (shelf: KeyShelf): Route => ({
  op: 'Validate',
  method: 'GET',
  path: /^\/api\/v1\/validate$/,
  answer: ({ headers }) => {
    const { standing } = shelf.call(String(headers['dd-api-key']))
    return standing === 'alive' ? { status: 200, body: { valid: true } } : forbidden
  }
})

const uuid = (): string =>
  randomBytes(16)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')

/** datadog-api-client-typescript, PartialAPIKeyAttributes. date_last_used may be null (datadog-api-client-rust 0.20): never used, we take it. */
const partial = (key: ShelfKey) => ({
  type: 'api_keys',
  id: key.id,
  attributes: {
    name: key.name,
    created_at: new Date(key.createdAt).toISOString(),
    modified_at: new Date(key.createdAt).toISOString(),
    last4: key.value.slice(-4),
    date_last_used: key.lastUsedAt === undefined ? null : new Date(key.lastUsedAt).toISOString()
  }
})

function page(keys: readonly unknown[], url: URL): ProviderAnswer {
  const size = Math.min(Number(url.searchParams.get('page[size]') ?? 10), MOST_ON_A_PAGE)
  const from = Number(url.searchParams.get('page[number]') ?? 0) * size
  const data = keys.slice(from, from + size)
  return { status: 200, body: { data, meta: { max_allowed: 50, page: { total_filtered_count: keys.length } } } }
}
