import { randomBytes } from 'node:crypto'
import { type KeyShelf, keyShelf, type ShelfKey } from './key-shelf.ts'
import { type ProviderAnswer, type ProviderDouble, type ProviderRequest, type Route, startProvider } from './provider-double.ts'

export interface SendGridKeys {
  readonly double: ProviderDouble
  readonly shelf: KeyShelf
  /** The scopes of each key that was created, by its id. */
  readonly scopes: Map<string, unknown>
}

/** “There is a limit of 100 API Keys on your account” (sendgrid-oai, create-api-keys). */
const ROOM = 100

/** The shape of every error: a message and a field, no code (sendgrid-oai, global_error_response_schema). */
const error = (status: number, message: string): ProviderAnswer => ({
  status,
  body: { errors: [{ message, field: null, help: null }] }
})

/** github.com/sendgrid/sendgrid-csharp/issues/856: its title has the words of a 403. */
export const denied = error(403, 'access forbidden')
/** github.com/sendgrid/sendgrid-php/issues/793: a key that is unknown or was deleted. */
const invalidGrant = error(401, 'The provided authorization grant is invalid, expired, or revoked')
/** twilio.com/docs/sendgrid, Rate Limits: body and headers. */
export const tooMany: ProviderAnswer = {
  status: 429,
  headers: { 'x-ratelimit-limit': '150', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1392815263' },
  body: { errors: [{ field: null, message: 'too many requests' }] }
}

/** An account of SendGrid’s is one of the shelf; the admin’s key is `SG.admin-<account>`. */
export async function startSendGrid(): Promise<SendGridKeys> {
  const shelf = keyShelf(() => double.now())
  const scopes = new Map<string, unknown>()
  const routes = [...adminRoutes(shelf, scopes), ownScopes(shelf, scopes)]
  const double = await startProvider({ unknown: error(404, 'not found'), routes })
  return { double, shelf, scopes }
}

const guarded =
  (answer: (request: ProviderRequest, account: string) => ProviderAnswer) =>
  (request: ProviderRequest): ProviderAnswer => {
    const [, account] = /^Bearer SG\.admin-(.+)$/.exec(request.headers.authorization ?? '') ?? []
    return account === undefined ? invalidGrant : answer(request, account)
  }

const adminRoutes = (shelf: KeyShelf, scopes: SendGridKeys['scopes']): readonly Route[] => [
  {
    op: 'create-api-keys',
    method: 'POST',
    path: /^\/v3\/api_keys$/,
    answer: guarded(({ json }, account) => {
      // sendgrid.kke.co.jp/docs/API_Reference/Web_API_v3/API_Keys: both bodies.
      if (typeof json.name !== 'string') return error(400, 'missing required argument')
      if (shelf.of(account).length >= ROOM) return error(403, 'Cannot create more than 100 API Keys')
      const [id, secret] = [randomBytes(16).toString('base64url'), randomBytes(32).toString('base64url')]
      const { value } = shelf.add({ id, account, value: `SG.${id}.${secret}`, name: json.name })
      scopes.set(id, json.scopes)
      return { status: 201, body: { api_key: value, api_key_id: id, name: json.name, scopes: json.scopes } }
    })
  },
  {
    op: 'GET_api_keys',
    method: 'GET',
    path: /^\/v3\/api_keys$/,
    answer: guarded((_, account) => ({ status: 200, body: { result: shelf.of(account).map(shown) } }))
  },
  {
    op: 'DELETE_api_keys-api_key_id',
    method: 'DELETE',
    path: /^\/v3\/api_keys\/([^/]+)$/,
    answer: guarded(({ params: [id = ''] }, account) => {
      // “If the API Key ID does not exist, a 404 status will be returned.”
      if (!shelf.owned(account, id)) return error(404, 'unable to find API Key')
      shelf.remove(id)
      return { status: 204 }
    })
  }
]

const ownScopes = (shelf: KeyShelf, scopes: SendGridKeys['scopes']): Route => ({
  op: 'GET_scopes',
  method: 'GET',
  path: /^\/v3\/scopes$/,
  answer: ({ headers }) => {
    const { standing, key } = shelf.call((headers.authorization ?? '').replace(/^Bearer /, ''))
    if (standing !== 'alive') return invalidGrant
    return { status: 200, body: { scopes: scopes.get(key?.id ?? '') ?? ['mail.send'] } }
  }
})

const shown = ({ id, name }: ShelfKey) => ({ api_key_id: id, name: name ?? 'made by hand' })
