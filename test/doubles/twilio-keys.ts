import { randomBytes } from 'node:crypto'
import { type KeyShelf, keyShelf, type ShelfKey } from './key-shelf.ts'
import {
  basicOf,
  type ProviderAnswer,
  type ProviderDouble,
  type ProviderRequest,
  type Route,
  startProvider
} from './provider-double.ts'

export interface TwilioKeys {
  readonly double: ProviderDouble
  readonly shelf: KeyShelf
  /** How many keys an account has room for. */
  setRoom(keys: number): void
}

/** PageSize is 1000 at most; fewer here, so that there are several pages. */
const MOST_ON_A_PAGE = 2

/** twilio.com/docs/usage/twilios-response, “Exceptions”. */
const error = (status: number, code: number, message: string): ProviderAnswer => ({
  status,
  body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status }
})

/** docs/api/errors/20003: wrong or deleted credentials, and a Standard key where a Main one is needed. */
export const authenticate = error(401, 20003, 'Authenticate')
/** docs/api/errors/20404. */
const noSuch = (what: string): ProviderAnswer => error(404, 20404, `The requested resource ${what} was not found`)
/** docs/api/errors/20429: never processed, safe to send again. */
export const tooMany: ProviderAnswer = {
  ...error(429, 20429, 'Too Many Requests'),
  headers: { 'twilio-concurrent-requests': '100' }
}

/** An account is one of the shelf; its Main key is `SKmain-<account>`, which is not on it. */
export async function startTwilio(): Promise<TwilioKeys> {
  const shelf = keyShelf(() => double.now())
  let room = Number.POSITIVE_INFINITY
  const double = await startProvider({
    unknown: noSuch('path'),
    routes: [...mainRoutes(shelf, () => room), applications(shelf)]
  })
  return {
    double,
    shelf,
    setRoom: (keys) => {
      room = keys
    }
  }
}

const guarded =
  (answer: (request: ProviderRequest, account: string, id: string) => ProviderAnswer) =>
  (request: ProviderRequest): ProviderAnswer => {
    const [account = '', id = ''] = request.params
    const [user, password] = basicOf(request)
    const isMain = user === `SKmain-${account}` && password === `main-secret-of-${account}`
    return isMain ? answer(request, account, id) : authenticate
  }

const KEYS = /^\/2010-04-01\/Accounts\/([^/]+)\/Keys\.json$/

const mainRoutes = (shelf: KeyShelf, room: () => number): readonly Route[] => [
  {
    op: 'CreateNewKey',
    method: 'POST',
    path: KEYS,
    answer: guarded(({ text, headers }, account) => {
      if (headers['content-type'] !== 'application/x-www-form-urlencoded') return error(400, 20001, 'Bad Request')
      // docs/api/errors/70151 names the code alone; the status is ours.
      if (shelf.of(account).length >= room()) return error(400, 70151, 'Maximum Number Of API Keys Exceeded')
      const name = new URLSearchParams(text).get('FriendlyName') ?? undefined
      const id = `SK${randomBytes(16).toString('hex')}`
      const key = shelf.add({ id, account, value: randomBytes(16).toString('hex'), name })
      return { status: 201, body: { ...shown(key), secret: key.value } }
    })
  },
  {
    op: 'ListKey',
    method: 'GET',
    path: KEYS,
    answer: guarded(({ url }, account) => page(shelf.of(account).map(shown), url))
  },
  {
    op: 'DeleteKey',
    method: 'DELETE',
    path: /^\/2010-04-01\/Accounts\/([^/]+)\/Keys\/([^/]+)\.json$/,
    answer: guarded((_, account, id) => {
      if (!shelf.owned(account, id)) return noSuch(`/2010-04-01/Accounts/${account}/Keys/${id}.json`)
      shelf.remove(id)
      return { status: 204 }
    })
  }
]

/** What a Standard key may do (docs/iam/api-keys/keys-in-console, “Types of keys”). */
const applications = (shelf: KeyShelf): Route => ({
  op: 'ListApplication',
  method: 'GET',
  path: /^\/2010-04-01\/Accounts\/([^/]+)\/Applications\.json$/,
  answer: (request) => {
    const [user = '', password = ''] = basicOf(request)
    const { standing, key } = shelf.call(password)
    if (standing !== 'alive' || key?.id !== user || key.account !== request.params[0]) return authenticate
    return { status: 200, body: { applications: [], page: 0, page_size: 1, next_page_uri: null } }
  }
})

/** RFC 2822 with a numeric zone (twilio.com/docs/usage/api/keys). */
const time = (ms: number): string => new Date(ms).toUTCString().replace('GMT', '+0000')

const shown = ({ id, name, createdAt }: ShelfKey) => ({
  sid: id,
  friendly_name: name ?? null,
  date_created: time(createdAt),
  date_updated: time(createdAt)
})

function page(keys: readonly unknown[], url: URL): ProviderAnswer {
  const size = Math.min(Number(url.searchParams.get('PageSize') ?? 50), MOST_ON_A_PAGE)
  const number = Number(url.searchParams.get('Page') ?? 0)
  const isLast = (number + 1) * size >= keys.length
  const next = `${url.pathname}?PageSize=${url.searchParams.get('PageSize')}&Page=${number + 1}&PageToken=PT${number + 1}`
  return {
    status: 200,
    body: {
      keys: keys.slice(number * size, (number + 1) * size),
      page: number,
      page_size: size,
      first_page_uri: `${url.pathname}?PageSize=${size}&Page=0`,
      next_page_uri: isLast ? null : next
    }
  }
}
