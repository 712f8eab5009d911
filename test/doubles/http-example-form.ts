import { randomBytes } from 'node:crypto'
import type { HttpDescription } from '../../shared/targets/http-description.ts'
import { type KeyShelf, keyShelf, type ShelfKey } from './key-shelf.ts'
import { basicOf, type ProviderAnswer, type ProviderDouble, type ProviderRequest, startProvider } from './provider-double.ts'

/** A vendor that there is not, of the older kind: forms, Basic authentication, pages by number, no last use, no disabled keys. */
export const BOLT: HttpDescription = {
  name: 'bolt',
  source: { url: 'https://www.bolt.example/docs/keys', date: '2026-03-14' },
  hosts: ['us.bolt.example', 'eu.bolt.example'],
  auth: { basic: { user: '{admin.sid}', password: '{admin.secret}' } },
  config: { region: { choices: ['us', 'eu'], default: 'us' }, account: {}, kind: { optional: true } },
  fields: { keyId: 'sid', apiKey: 'secret' },
  code: 'code',
  errors: [
    { when: { status: 404, at: 'code', equals: [20404] }, is: 'gone' },
    { when: { status: 400, at: 'message', contains: 'limit of keys' }, is: 'full' }
  ],
  create: {
    method: 'POST',
    url: 'https://{config.region}.bolt.example/Accounts/{config.account}/Keys.json',
    form: { FriendlyName: '{mark}', Kind: '{config.kind}' },
    id: 'sid',
    value: 'secret'
  },
  list: {
    method: 'GET',
    url: 'https://{config.region}.bolt.example/Accounts/{config.account}/Keys.json?Size=2',
    items: '$',
    where: [{ at: 'account', equals: '{config.account}' }],
    id: 'sid',
    name: 'friendly_name',
    createdAt: { at: 'date_created', format: 'unix-s' },
    paging: { by: 'page', parameter: 'Page', first: 0 }
  },
  revoke: { method: 'DELETE', url: 'https://{config.region}.bolt.example/Accounts/{config.account}/Keys/{id}.json' },
  verify: {
    method: 'GET',
    url: 'https://{config.region}.bolt.example/Accounts/{config.account}.json',
    auth: { basic: { user: '{id}', password: '{value}' } },
    alive: [{ status: 200 }],
    dead: [{ status: 401, at: 'code', equals: [20003] }]
  },
  facts: { maxLive: 4, overlap: 'dual', lastUsed: 'none', telemetryLagMs: 0, mintedOnce: true, settlesMs: 60_000 }
}

export const ADMIN_SECRET = 'main-secret-5521'

const error = (status: number, code: number, message = 'says Bolt'): ProviderAnswer => ({ status, body: { code, message } })

const shown = ({ id, account, name, createdAt }: ShelfKey): Readonly<Record<string, unknown>> => ({
  sid: id,
  account,
  friendly_name: name ?? null,
  date_created: Math.floor(createdAt / 1000)
})

export async function startFormExample(): Promise<{ readonly double: ProviderDouble; readonly shelf: KeyShelf }> {
  const shelf = keyShelf(() => double.now())
  const guarded =
    (answer: (request: ProviderRequest, account: string, id: string) => ProviderAnswer) =>
    (request: ProviderRequest): ProviderAnswer => {
      const [user, password] = basicOf(request)
      const [account = '', id = ''] = request.params
      return user === 'main' && password === ADMIN_SECRET ? answer(request, account, id) : error(401, 20003)
    }
  const list = /^\/Accounts\/([^/]+)\/Keys\.json$/
  const double = await startProvider({
    unknown: error(404, 20404),
    routes: [
      { op: 'CreateKey', method: 'POST', path: list, answer: guarded(({ text }, account) => created(shelf, account, text)) },
      {
        op: 'ListKeys',
        method: 'GET',
        path: list,
        answer: guarded(({ url }, account) => {
          const page = Number(url.searchParams.get('Page'))
          // A key of another account is in between, as where a list is the whole organization's.
          const others = page === 0 ? [{ sid: 'SKother', account: 'another', friendly_name: null, date_created: 1 }] : []
          return {
            status: 200,
            body: [
              ...others,
              ...shelf
                .of(account)
                .slice(page * 2, page * 2 + 2)
                .map(shown)
            ]
          }
        })
      },
      {
        op: 'DeleteKey',
        method: 'DELETE',
        path: /^\/Accounts\/([^/]+)\/Keys\/([^/]+)\.json$/,
        answer: guarded((_, account, id) => {
          if (!shelf.owned(account, id)) return error(404, 20404)
          shelf.remove(id)
          return { status: 204 }
        })
      },
      {
        op: 'FetchAccount',
        method: 'GET',
        path: /^\/Accounts\/([^/]+)\.json$/,
        answer: (request) => {
          const [id, value = ''] = basicOf(request)
          const { standing, key } = shelf.call(value)
          return standing === 'alive' && key?.id === id ? { status: 200, body: { sid: key?.account } } : error(401, 20003)
        }
      }
    ]
  })
  return { double, shelf }
}

function created(shelf: KeyShelf, account: string, text: string): ProviderAnswer {
  if (shelf.of(account).length >= BOLT.facts.maxLive) return error(400, 20001, 'The limit of keys is reached')
  const name = new URLSearchParams(text).get('FriendlyName') ?? undefined
  const key = shelf.add({ id: `SK${randomBytes(16).toString('hex')}`, account, value: randomBytes(16).toString('hex'), name })
  return { status: 201, body: { ...shown(key), secret: key.value } }
}
