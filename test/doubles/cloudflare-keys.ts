import { randomBytes } from 'node:crypto'
import { type KeyShelf, keyShelf, type ShelfKey } from './key-shelf.ts'
import { type ProviderAnswer, type ProviderDouble, type ProviderRequest, type Route, startProvider } from './provider-double.ts'

export interface CloudflareKeys {
  readonly double: ProviderDouble
  readonly shelf: KeyShelf
  /** What a token has besides, by its id: policies, condition, expires_on, not_before. */
  readonly more: Map<string, Readonly<Record<string, unknown>>>
}

/** What a token has that was made by hand (developers.cloudflare.com/fundamentals/api/how-to/create-via-api). */
export const POLICIES = [
  {
    id: 'f267e341f3dd4697bd3b9f71dd96247f',
    effect: 'allow',
    resources: { 'com.cloudflare.api.account.zone.eb78d65290b24279ba6f44721b3ea3c4': '*' },
    permission_groups: [{ id: 'c8fed203ed3043cba015a93ad1616f1f', name: 'Zone Read' }]
  }
]

/** per_page is 50 at most; fewer here, so that there are several pages. */
const MOST_ON_A_PAGE = 2

const wrapped = (result: unknown, info: object = {}): ProviderAnswer => ({
  status: 200,
  body: { success: true, errors: [], messages: [], result, ...info }
})

const error = (status: number, code: number, message: string): ProviderAnswer => ({
  status,
  body: { success: false, errors: [{ code, message }], messages: [], result: null }
})

/** 401 with 1000: github.com/favonia/cloudflare-ddns (internal/api), whose test has the body as it was seen. */
const invalid = error(401, 1000, 'Invalid API Token')
/** github.com/mrrfv/cloudflare-gateway-pihole-scripts/pull/43 and autokaam.com: what is said for want of a permission. */
export const denied = error(403, 10000, 'Authentication error')
/** The reference has no codes of refusals: 1001 and the texts beside it are ours, and no rule asks for them. */
const noSuch = error(404, 1001, 'API token not found')

/** fundamentals/api/reference/limits: 429 and the headers, of a window that is nearly over; no body is described. */
export const tooMany: ProviderAnswer = {
  status: 429,
  headers: { 'retry-after': '0', ratelimit: '"default";r=0;t=0', 'ratelimit-policy': '"burst";q=1200;w=300' },
  body: { success: false, errors: [], messages: [], result: null }
}

/** Tokens of users and of accounts: an account of the shelf is either. The admin’s token is `admin-<account>`. */
export async function startCloudflare(): Promise<CloudflareKeys> {
  const shelf = keyShelf(() => double.now())
  const more: CloudflareKeys['more'] = new Map()
  const unknown = error(404, 7003, 'Could not route to that path, perhaps your object identifier is invalid?')
  const double = await startProvider({ unknown, routes: [...listRoutes(shelf, more), ...tokenRoutes(shelf, more)] })
  return { double, shelf, more }
}

/** The account is empty for the user’s own. */
const TOKENS = '^/client/v4/(?:user|accounts/([^/]+))/tokens'
const path = (rest = ''): RegExp => new RegExp(`${TOKENS}${rest}$`)
const TOKEN = path('/([^/]+)')

/** A path without an account is of the user whose token it is. */
const guarded =
  (answer: (request: ProviderRequest, account: string, id: string) => ProviderAnswer) =>
  (request: ProviderRequest): ProviderAnswer => {
    const [, owner] = /^Bearer admin-(.+)$/.exec(request.headers.authorization ?? '') ?? []
    const [named = '', id = ''] = request.params
    if (owner === undefined) return invalid
    return named !== '' && named !== owner ? denied : answer(request, owner, id)
  }

const listRoutes = (shelf: KeyShelf, more: CloudflareKeys['more']): readonly Route[] => [
  { op: 'VerifyToken', method: 'GET', path: path('/verify'), answer: (request) => verified(shelf, request) },
  {
    op: 'CreateToken',
    method: 'POST',
    path: path(),
    answer: guarded(({ json }, account) => {
      const { name, policies, ...rest } = json
      // name and policies are required (POST /user/tokens).
      if (typeof name !== 'string' || !Array.isArray(policies)) return error(400, 1001, 'Invalid request body')
      const value = `cf${randomBytes(20).toString('hex')}`
      const key = shelf.add({ id: randomBytes(16).toString('hex'), account, value, name })
      more.set(key.id, { policies, ...rest })
      return wrapped({ ...shown(key, more), value })
    })
  },
  {
    op: 'ListTokens',
    method: 'GET',
    path: path(),
    answer: guarded(({ url }, account) => {
      const tokens = shelf.of(account).map((key) => shown(key, more))
      return page(tokens, url)
    })
  }
]

function tokenRoutes(shelf: KeyShelf, more: CloudflareKeys['more']): readonly Route[] {
  const about = (answer: (key: ShelfKey, request: ProviderRequest) => ProviderAnswer) =>
    guarded((request, account, id) => {
      const key = shelf.owned(account, id)
      return key ? answer(key, request) : noSuch
    })
  const replaced = (key: ShelfKey, { json }: ProviderRequest): ProviderAnswer => {
    const { name, policies, status, ...rest } = json
    // 400 where they are missing (github.com/Cyb3r-Jak3/terraform-cloudflare-r2-api-token/issues/12); what is left out is lost.
    if (name !== key.name || !Array.isArray(policies) || status === undefined) return error(400, 1001, 'Invalid request body')
    more.set(key.id, { policies, ...rest })
    shelf.setDisabled(key.id, status === 'disabled')
    return wrapped(shown(shelf.find(key.id) ?? key, more))
  }
  const deleted = ({ id }: ShelfKey): ProviderAnswer => {
    shelf.remove(id)
    return wrapped({ id })
  }
  return [
    { op: 'GetToken', method: 'GET', path: TOKEN, answer: about((key) => wrapped(shown(key, more))) },
    { op: 'UpdateToken', method: 'PUT', path: TOKEN, answer: about(replaced) },
    { op: 'DeleteToken', method: 'DELETE', path: TOKEN, answer: about(deleted) }
  ]
}

/** cloudflare-typescript, TokenVerifyResponse: a disabled token is told by its status. */
function verified(shelf: KeyShelf, { headers }: ProviderRequest): ProviderAnswer {
  const { standing, key } = shelf.call((headers.authorization ?? '').replace(/^Bearer /, ''))
  if (standing === 'unknown' || standing === 'deleted') return invalid
  const messages = [{ code: 10000, message: 'This API Token is valid and active', type: null }]
  if (standing === 'disabled') return wrapped({ id: key?.id, status: 'disabled' })
  return wrapped({ id: key?.id, status: 'active' }, { messages })
}

/** What last_used_on is of a token that was never used is not said: null here. */
const shown = (key: ShelfKey, more: CloudflareKeys['more']) => ({
  id: key.id,
  name: key.name,
  status: key.isDisabled ? 'disabled' : 'active',
  issued_on: new Date(key.createdAt).toISOString(),
  modified_on: new Date(key.createdAt).toISOString(),
  last_used_on: key.lastUsedAt === undefined ? null : new Date(key.lastUsedAt).toISOString(),
  ...(more.get(key.id) ?? { policies: POLICIES })
})

function page(tokens: readonly unknown[], url: URL): ProviderAnswer {
  const per = Math.min(Number(url.searchParams.get('per_page') ?? 20), MOST_ON_A_PAGE)
  const number = Number(url.searchParams.get('page') ?? 1)
  const result = tokens.slice((number - 1) * per, number * per)
  return wrapped(result, { result_info: { page: number, per_page: per, count: result.length } })
}
