import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { queryActivity } from './google-iam-activities.ts'
import { googleError, policyFailure } from './google-iam-errors.ts'
import { token } from './google-iam-token.ts'
import { type GoogleRoutes, googleRoutes, type RouteMaker } from './google-routes.ts'
import { type KeyShelf, keyShelf, type ShelfKey } from './key-shelf.ts'
import { type ProviderAnswer, type ProviderDouble, type ProviderRequest, type Route, startProvider } from './provider-double.ts'

export const PROJECT = 'my-project'

export interface GoogleIam extends ProviderDouble, Pick<GoogleRoutes, 'answerNext'> {
  readonly shelf: KeyShelf
  /** A new service account's email. */
  account(): string
  /** A key of an account, past the API. `value`: its private key, in PEM. */
  addKey(email: string): ShelfKey
  /** The account is disabled: its keys are as they were. */
  disableAccount(email: string): void
  /** An organization policy forbids new keys. */
  forbid(constraint: string | undefined): void
  /** iam.serviceAccountKeyExpiryHours. */
  expireAfter(hours: number | undefined): void
  /** Until when Activity Analyzer saw uses; undefined: it lists nothing. */
  observeUntil(until: (now: number) => number | undefined): void
}

const MAX_KEYS = 10
const KEYS = '/v1/projects/([^/]+)/serviceAccounts/([^/]+)/keys'

/** PKCS #8, as in the key files of keys.create. */
export const rsaPem = (): string =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
  }).privateKey

/** The file that TYPE_GOOGLE_CREDENTIALS_FILE is: cloud.google.com/iam/docs/keys-create-delete. */
export const keyFile = (email: string, id: string, pem: string): Record<string, string> => ({
  type: 'service_account',
  project_id: PROJECT,
  private_key_id: id,
  private_key: pem,
  client_email: email,
  client_id: '103185812403937829397',
  auth_uri: 'https://accounts.google.com/o/oauth2/auth',
  token_uri: 'https://oauth2.googleapis.com/token',
  auth_provider_x509_cert_url: 'https://www.googleapis.com/oauth2/v1/certs',
  client_x509_cert_url: `https://www.googleapis.com/robot/v1/metadata/x509/${encodeURIComponent(email)}`,
  universe_domain: 'googleapis.com'
})

/** IAM v1, the token endpoint and Policy Analyzer, as far as keys of service accounts go. */
export async function startGoogleIam(): Promise<GoogleIam> {
  const world = makeWorld(keyShelf(() => double.now()))
  const { route, answerNext } = googleRoutes((request) => noAccount(world, request))
  const double = await startProvider({
    routes: routesOf(world, route),
    unknown: { status: 404, body: '<!DOCTYPE html>Not Found' }
  })
  return {
    ...double,
    shelf: world.shelf,
    account: () => world.addAccount(),
    addKey: (email) => world.addKey(email),
    disableAccount: (email) => world.disabledAccounts.add(email),
    forbid: (constraint) => {
      world.forbidden = constraint
    },
    expireAfter: (hours) => {
      world.expiryHours = hours
    },
    answerNext,
    observeUntil: (until) => {
      world.observed = until
    }
  }
}

type World = ReturnType<typeof makeWorld>

function makeWorld(shelf: KeyShelf) {
  const accounts = new Set<string>()
  return {
    shelf,
    accounts,
    disabledAccounts: new Set<string>(),
    forbidden: undefined as string | undefined,
    expiryHours: undefined as number | undefined,
    observed: ((now) => now) as (now: number) => number | undefined,
    addAccount(): string {
      const email = `robot-${accounts.size + 1}@${PROJECT}.iam.gserviceaccount.com`
      accounts.add(email)
      return email
    },
    addKey: (email: string): ShelfKey => shelf.add({ id: randomBytes(20).toString('hex'), account: email, value: rsaPem() })
  }
}

/** The operations of cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys. */
function routesOf(world: World, route: RouteMaker): readonly Route[] {
  return [
    route('CreateServiceAccountKey', 'POST', KEYS, (request) => create(world, request)),
    route('ListServiceAccountKeys', 'GET', KEYS, (request) => list(world, request)),
    route('DisableServiceAccountKey', 'POST', `${KEYS}/([^/:]+):disable`, (request) => change(world, request, true)),
    route('EnableServiceAccountKey', 'POST', `${KEYS}/([^/:]+):enable`, (request) => change(world, request, false)),
    route('DeleteServiceAccountKey', 'DELETE', `${KEYS}/([^/:]+)`, (request) => change(world, request, 'deleted')),
    {
      op: 'Token',
      method: 'POST',
      path: /^\/token$/,
      answer: (request) => token(world.shelf, (email) => world.accounts.has(email) && !world.disabledAccounts.has(email), request)
    },
    queryActivity(world.shelf, (now) => world.observed(now))
  ]
}

function noAccount({ accounts }: World, { params: [project, email = ''] }: ProviderRequest): ProviderAnswer | undefined {
  if (accounts.has(email) && project === PROJECT) return undefined
  // “Avoid using the - wildcard”: what is not there is 403 then (keys.delete).
  if (project === '-') return googleError('PERMISSION_DENIED', 'Permission denied (or it may not exist).')
  return googleError('NOT_FOUND', `Unknown service account: ${email}`)
}

const nameOf = (email: string, id: string): string => `projects/${PROJECT}/serviceAccounts/${email}/keys/${id}`

function create(world: World, { params: [, email = ''], json }: ProviderRequest): ProviderAnswer {
  if (json.privateKeyType !== 'TYPE_GOOGLE_CREDENTIALS_FILE' || json.keyAlgorithm !== 'KEY_ALG_RSA_2048')
    return googleError('INVALID_ARGUMENT', 'Invalid key type.')
  if (world.forbidden !== undefined) {
    const subject = `projects/${PROJECT}/serviceAccounts/${email}?configvalue=${encodeURIComponent(email)}`
    const details = [policyFailure(world.forbidden, subject)]
    return googleError('FAILED_PRECONDITION', 'Key creation is not allowed on this service account.', details)
  }
  // No detail says that it is the limit: firebase/firebase-tools#6192.
  if (world.shelf.of(email).length >= MAX_KEYS) return googleError('FAILED_PRECONDITION', 'Precondition check failed.')
  const key = world.addKey(email)
  const file = `${JSON.stringify(keyFile(email, key.id, key.value), undefined, 2)}\n`
  const privateKeyData = Buffer.from(file).toString('base64')
  return { status: 200, body: { ...shown(world, key), privateKeyType: 'TYPE_GOOGLE_CREDENTIALS_FILE', privateKeyData } }
}

function list(world: World, { params: [, email = ''], url, now }: ProviderRequest): ProviderAnswer {
  const user = world.shelf.of(email).map((key) => shown(world, key))
  const google = {
    ...shown(world, { id: 'google-s-own', account: email, createdAt: now, isDisabled: false }),
    keyType: 'SYSTEM_MANAGED'
  }
  return { status: 200, body: { keys: url.searchParams.get('keyTypes') === 'USER_MANAGED' ? user : [...user, google] } }
}

function change(world: World, { params: [, email = '', id = ''] }: ProviderRequest, to: boolean | 'deleted'): ProviderAnswer {
  if (!world.shelf.owned(email, id)) return googleError('NOT_FOUND', `Service account key ${id} does not exist.`)
  if (to === 'deleted') world.shelf.remove(id)
  else world.shelf.setDisabled(id, to)
  return { status: 200, body: {} }
}

type Shown = Pick<ShelfKey, 'id' | 'account' | 'createdAt' | 'isDisabled'>

function shown({ expiryHours }: World, { id, account, createdAt, isDisabled }: Shown): object {
  const time = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
  return {
    name: nameOf(account, id),
    validAfterTime: time(createdAt),
    validBeforeTime: expiryHours === undefined ? '9999-12-31T23:59:59Z' : time(createdAt + expiryHours * 3_600_000),
    keyAlgorithm: 'KEY_ALG_RSA_2048',
    keyOrigin: 'GOOGLE_PROVIDED',
    keyType: 'USER_MANAGED',
    ...(isDisabled && { disabled: true })
  }
}
