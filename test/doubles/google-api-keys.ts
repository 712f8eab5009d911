import { randomBytes, randomUUID } from 'node:crypto'
import { languages } from './google-api-keys-call.ts'
import { googleError } from './google-iam-errors.ts'
import { type GoogleRoutes, googleRoutes, type RouteMaker } from './google-routes.ts'
import { type KeyShelf, keyShelf, type ShelfKey } from './key-shelf.ts'
import { type ProviderAnswer, type ProviderDouble, type ProviderRequest, type Route, startProvider } from './provider-double.ts'

/** What a key of google/api/apikeys/v2/resources.proto has besides its id and its string. */
export interface Reach {
  readonly restrictions?: object | undefined
  readonly serviceAccountEmail?: string | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

export interface GoogleApiKeys extends ProviderDouble, Pick<GoogleRoutes, 'answerNext'> {
  readonly shelf: KeyShelf
  /** A new project's id. */
  project(): string
  /** A key that the console makes: its id is its uid. */
  addKey(project: string, reach?: Reach): ShelfKey
  reachOf(id: string): Reach
  /** Operations are done after so many questions. */
  operationsTake(questions: number): void
  /** New keys are made with this, whatever was asked for. */
  makeWith(reach: Reach | undefined): void
  pagesOf(size: number): void
}

interface Operation {
  left: number
  /** The body of the operation when it is done. */
  readonly result: object
}

type World = ReturnType<typeof makeWorld>

function makeWorld(shelf: KeyShelf) {
  const reach = new Map<string, Reach>()
  return {
    shelf,
    reach,
    uids: new Map<string, string>(),
    operations: new Map<string, Operation>(),
    deletedAt: new Map<string, number>(),
    projects: 0,
    takes: 1,
    forced: undefined as Reach | undefined,
    pageSize: 300,
    add(project: string, id: string, name: string | undefined, what: Reach): ShelfKey {
      reach.set(id, what)
      return shelf.add({ id, account: project, value: `AIzaSy${randomBytes(24).toString('base64url')}x`, name })
    }
  }
}

/** API Keys v2, and a call of Translation with a key. */
export async function startGoogleApiKeys(): Promise<GoogleApiKeys> {
  const world = makeWorld(keyShelf(() => double.now()))
  const { route, answerNext } = googleRoutes()
  const double = await startProvider({
    routes: routesOf(world, route),
    unknown: { status: 404, body: '<!DOCTYPE html>Not Found' }
  })
  return {
    ...double,
    shelf: world.shelf,
    project: () => `project-${++world.projects}`,
    addKey: (project, reach = {}) => world.add(project, randomUUID(), 'API key 1', reach),
    reachOf: (id) => world.reach.get(id) ?? {},
    operationsTake: (questions) => {
      world.takes = questions
    },
    makeWith: (reach) => {
      world.forced = reach
    },
    answerNext,
    pagesOf: (size) => {
      world.pageSize = size
    }
  }
}

const KEYS = '/v2/projects/([^/]+)/locations/global/keys'

/** The operations of google/api/apikeys/v2/apikeys.proto. */
function routesOf(world: World, route: RouteMaker): readonly Route[] {
  return [
    route('CreateKey', 'POST', KEYS, (request) => create(world, request)),
    route('ListKeys', 'GET', KEYS, (request) => list(world, request)),
    route('GetKeyString', 'GET', `${KEYS}/([^/]+)/keyString`, (request) =>
      ofKey(world, request, ({ value }) => ({ status: 200, body: { keyString: value } }))
    ),
    route('GetKey', 'GET', `${KEYS}/([^/]+)`, (request) =>
      ofKey(world, request, (key) => ({ status: 200, body: shown(world, key) }))
    ),
    route('DeleteKey', 'DELETE', `${KEYS}/([^/]+)`, (request) => remove(world, request)),
    route('GetOperation', 'GET', '/v2/(operations/[^/]+)', (request) => operation(world, request)),
    {
      op: 'GetSupportedLanguages',
      method: 'GET',
      path: /^\/language\/translate\/v2\/languages$/,
      answer: (request) => languages(world.shelf, (id) => world.reach.get(id)?.restrictions, request)
    }
  ]
}

/** Answered at once, and done later: cloud.google.com/api-keys/docs/polling-operations. */
function begun(world: World, result: object): ProviderAnswer {
  const name = `operations/akmf.p7-123456789012-${randomUUID()}`
  world.operations.set(name, { left: world.takes, result })
  return { status: 200, body: world.takes > 0 ? { name } : { name, done: true, ...result } }
}

function operation({ operations }: World, { params: [name = ''] }: ProviderRequest): ProviderAnswer {
  const found = operations.get(name)
  if (!found) return googleError('NOT_FOUND', 'Operation not found.')
  found.left -= 1
  return { status: 200, body: found.left > 0 ? { name } : { name, done: true, ...found.result } }
}

const responseOf = (world: World, key: ShelfKey): object => ({
  response: { '@type': 'type.googleapis.com/google.api.apikeys.v2.Key', ...shown(world, key) }
})

function create(world: World, { params: [project = ''], url, json }: ProviderRequest): ProviderAnswer {
  const keyId = url.searchParams.get('keyId') ?? randomUUID()
  const { displayName, ...reach } = json as Reach & { displayName?: string }
  // CreateKeyRequest.key_id, and Key.display_name.
  if (!/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(keyId) || (displayName ?? '').length > 63)
    return googleError('INVALID_ARGUMENT', 'Invalid key id or display name.')
  if (world.shelf.find(keyId)) return googleError('ALREADY_EXISTS', 'Requested entity already exists')
  const key = world.add(project, keyId, displayName, world.forced ?? reach)
  return begun(world, responseOf(world, key))
}

function list(world: World, { params: [project = ''], url }: ProviderRequest): ProviderAnswer {
  const isDeletedToo = url.searchParams.get('showDeleted') === 'true'
  const deleted = [...world.deletedAt.keys()].flatMap((id) => world.shelf.find(id) ?? []).filter((k) => k.account === project)
  const all = [...world.shelf.of(project), ...(isDeletedToo ? deleted : [])]
  const from = Number(url.searchParams.get('pageToken') ?? 0)
  const to = from + Math.min(world.pageSize, Number(url.searchParams.get('pageSize') ?? 50))
  const keys = all.slice(from, to).map((key) => shown(world, key))
  return { status: 200, body: { keys, ...(to < all.length && { nextPageToken: String(to) }) } }
}

function ofKey(
  world: World,
  { params: [project, id = ''] }: ProviderRequest,
  answer: (key: ShelfKey) => ProviderAnswer
): ProviderAnswer {
  const key = world.shelf.find(id)
  if (!key || key.account !== project) return googleError('NOT_FOUND', 'Requested entity was not found.')
  return answer(key)
}

function remove(world: World, request: ProviderRequest): ProviderAnswer {
  return ofKey(world, request, (key) => {
    if (key.isDeleted) return googleError('FAILED_PRECONDITION', 'The key is deleted.')
    world.shelf.remove(key.id)
    world.deletedAt.set(key.id, request.now)
    return begun(world, responseOf(world, { ...key, isDeleted: true }))
  })
}

function shown(world: World, key: ShelfKey): object {
  const uid = world.uids.get(key.id) ?? (key.id.length === 36 ? key.id : randomUUID())
  world.uids.set(key.id, uid)
  const deletedAt = world.deletedAt.get(key.id)
  return {
    // By the project's number, whatever it was asked by.
    name: `projects/123456789012/locations/global/keys/${key.id}`,
    uid,
    ...(key.name !== undefined && { displayName: key.name }),
    createTime: new Date(key.createdAt).toISOString(),
    ...(deletedAt !== undefined && { deleteTime: new Date(deletedAt).toISOString() }),
    ...world.reach.get(key.id),
    etag: 'W/"k0bsYGkIvSxDVwNxyw49NQ=="'
  }
}
