import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MetadataPatch } from '../../shared/metadata.ts'
import { type GoogleMetadataDouble, startGoogleMetadata } from '../doubles/google-metadata.ts'
import { type GoogleSecretsDouble, startGoogleSecrets } from '../doubles/google-secrets.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { annotationsOf, RIGHTS } from '../stores/gcp-harness.ts'
import type { Json } from './gcp-events.ts'
import { tryLogin } from './try-login.ts'

/** What an application reads and logs in with. */
export interface Login {
  readonly username: string
  readonly password: string
  readonly [field: string]: unknown
}

/** One secret, and the logins that it takes turns with. */
export interface Owned {
  readonly name: string
  /** As events name it: by the project's number. */
  readonly resource: string
  readonly a: string
  readonly b: string
}

export interface SecretOptions {
  readonly metadata?: MetadataPatch
  readonly more?: Readonly<Record<string, unknown>>
  /** `projects/<…>`, or `projects/<…>/locations/<…>`. */
  readonly parent?: string
}

/** A Postgres server with TLS, an admin that is no superuser, Secret Manager's double, and the metadata server's. */
export interface GcpCloud {
  readonly server: PostgresServer
  readonly double: GoogleSecretsDouble
  readonly metadata: GoogleMetadataDouble
  /** What a function's environment needs for all of it. */
  readonly env: Readonly<Record<string, string>>
  secret(options?: SecretOptions): Promise<Owned>
  /** A secret with this document, whatever it opens. Gives its resource name. */
  put(name: string, document: Json, metadata: MetadataPatch): Promise<string>
  /** The ordinary read of an application: `latest`. */
  read(secret: Pick<Owned, 'resource'>): Promise<Login>
  /** The metadata server gave this access token to the function's own account. */
  isIssued(token: string): boolean
  /** `in`, or the server's SQLSTATE. */
  login(login: Login): Promise<string>
  /** Calls of the function's own account, by rpc. */
  calls(): readonly string[]
  /** By the store's clock. */
  advance(ms: number): void
  close(): Promise<void>
}

export const PROJECT = 'keyturn-test'
export const NUMBER = '123456789012'
export const AUDIENCE = 'https://keyturn.example.run.app'
export const SCHEDULER = `scheduler@${PROJECT}.iam.gserviceaccount.com`
const ACCOUNT = `keyturn@${PROJECT}.iam.gserviceaccount.com`
export const ADMIN_PASSWORD = 'the admin of a test server'

const PRINCIPALS = [
  { name: 'owner@example.com', tokens: ['owner-token'], may: { '*': ['roles/owner'] } },
  { name: 'app@example.com', tokens: ['app-token'], may: { '*': ['roles/secretmanager.secretAccessor'] } },
  { name: ACCOUNT, may: { '*': RIGHTS } }
]

const PROJECTS = [
  { id: PROJECT, number: NUMBER },
  { id: 'somebody-else', number: '999999999999' }
]

export async function startGcpCloud(): Promise<GcpCloud> {
  let ahead = 0
  const server = await startPostgres({ version: 18 })
  const double = await startGoogleSecrets({ principals: PRINCIPALS, projects: PROJECTS, now: () => Date.now() + ahead })
  const tokens = new Set<string>()
  // The tokens outlive every hour that a test skips: the function's own clock goes on as ever.
  const metadata = await startGoogleMetadata({
    ...{ projectId: PROJECT, projectNumber: NUMBER, email: ACCOUNT },
    issued: (token, email) => {
      tokens.add(token)
      double.accept(token, email)
    }
  })
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-gcp-'))
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, server.caPem)
  const place = { engine: 'postgres', host: server.host, port: server.port, dbname: 'postgres' }
  await server.query(
    `CREATE ROLE keyturn_admin LOGIN CREATEROLE PASSWORD '${ADMIN_PASSWORD}' IN ROLE pg_signal_backend, pg_read_all_stats`
  )
  await create(double, `projects/${PROJECT}`, 'admin', { ...place, username: 'keyturn_admin', password: ADMIN_PASSWORD })
  return {
    ...{ server, double, metadata },
    env: {
      GCE_METADATA_HOST: metadata.host,
      TEST_CERTIFICATES: metadata.endpoints.oauth2FederatedSignonPemCertsUrl,
      SECRET_MANAGER_ENDPOINT: double.url,
      KEYTURN_CA_FILE: caFile,
      KEYTURN_AUDIENCE: AUDIENCE,
      KEYTURN_CALLERS: `${SCHEDULER}, Person@Example.com`
    },
    secret: (options = {}) => makeSecret(server, double, { ...place, masterarn: 'admin' }, options),
    put: (name, document, own) => create(double, `projects/${PROJECT}`, name, document, own),
    read: ({ resource }) => latest(double, resource),
    isIssued: (token) => tokens.has(token),
    login: (login) => tryLogin(server, login),
    calls: () => double.calls.flatMap(({ op, principal }) => (principal === ACCOUNT ? [op] : [])),
    advance: (ms) => {
      ahead += ms
    },
    close: async () => {
      await Promise.all([double.close(), metadata.close(), server.stop()])
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

let made = 0

async function makeSecret(
  server: PostgresServer,
  double: GoogleSecretsDouble,
  base: Json,
  options: SecretOptions
): Promise<Owned> {
  const { metadata = {}, more = {}, parent = `projects/${PROJECT}` } = options
  const name = `db-app${++made}-${process.pid}`
  const [a, b, password] = [`app${made}`, `app${made}_b`, `first password ${randomUUID()}`]
  await server.query(`CREATE ROLE ${a} LOGIN PASSWORD '${password}'; CREATE ROLE ${b} LOGIN;
    GRANT ${a}, ${b} TO keyturn_admin WITH ADMIN OPTION`)
  const document = { ...base, username: a, password, pair: [a, b], ...more }
  const resource = await create(double, parent, name, document, { kind: 'postgres', ...metadata })
  return { name, resource, a, b }
}

/** As a person with every right, over plain HTTP. Gives the name that the service gives it. */
async function create(
  double: GoogleSecretsDouble,
  parent: string,
  name: string,
  document: Json,
  metadata: MetadataPatch = {}
): Promise<string> {
  const replication = parent.includes('/locations/') ? {} : { replication: { automatic: {} } }
  const path = `${parent}/secrets?secretId=${name}`
  const { name: resource } = await ask<{ name: string }>(double, 'owner-token', path, {
    ...replication,
    annotations: annotationsOf(metadata)
  })
  const data = Buffer.from(JSON.stringify(document)).toString('base64')
  await ask(double, 'owner-token', `${resource}:addVersion`, { payload: { data } })
  return resource
}

async function latest(double: GoogleSecretsDouble, resource: string): Promise<Login> {
  const path = `${resource}/versions/latest:access`
  const { payload } = await ask<{ payload: { data: string } }>(double, 'app-token', path)
  return JSON.parse(Buffer.from(payload.data, 'base64').toString('utf8')) as Login
}

async function ask<Answer>({ url }: GoogleSecretsDouble, token: string, path: string, body?: Json): Promise<Answer> {
  const answer = await fetch(`${url}/v1/${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) })
  })
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}`)
  return (await answer.json()) as Answer
}
