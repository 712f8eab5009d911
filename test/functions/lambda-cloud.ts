import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { encodePatch, type MetadataPatch } from '../../shared/metadata.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
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
  readonly arn: string
  readonly a: string
  readonly b: string
}

export interface SecretOptions {
  /** pair: both logins are there. clone and single: what AWS's multi-user and single-user templates take, without tags. */
  readonly mode?: 'pair' | 'clone' | 'single'
  readonly metadata?: MetadataPatch
  /** Fields beside AWS's own. */
  readonly more?: Readonly<Record<string, unknown>>
  /** clone: the second login is there, as AWS's template leaves it. */
  readonly cloneExists?: boolean
  /** Where the login is to happen: a proxy's port. Default: the server's own. */
  readonly port?: number
}

/** A Postgres server with TLS, an admin that is no superuser, and a store of secrets, for functions that run elsewhere. */
export interface Cloud {
  readonly server: PostgresServer
  readonly owner: SecretsManager
  /** What a function's environment needs for this store and this server. */
  readonly env: Readonly<Record<string, string>>
  secret(options?: SecretOptions): Promise<Owned>
  /** A secret with this document, whatever it opens. Gives its ARN. */
  put(name: string, document: object, metadata: MetadataPatch): Promise<string>
  /** The ordinary read of an application, or of one stage. */
  read(secret: Pick<Owned, 'name'>, stage?: string): Promise<Login>
  /** `in`, or the server's SQLSTATE. */
  login(login: Login): Promise<string>
  /** Logins that the server let in and that it refused while `work` ran, by its own log; the superuser's own do not count. */
  logins(work: () => Promise<unknown>): Promise<{ readonly logins: number; readonly failedLogins: number }>
  close(): Promise<void>
}

export const ADMIN_PASSWORD = 'the admin of a test server'

export async function startCloud(storeUrl: string): Promise<Cloud> {
  const server = await startPostgres({ version: 18 })
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-cloud-'))
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, server.caPem)
  const credentials = { accessKeyId: 'AKIAOWNER', secretAccessKey: 'owner' }
  const owner = new SecretsManager({ endpoint: storeUrl, region: 'us-east-1', credentials, maxAttempts: 1 })
  await server.query(
    `CREATE ROLE keyturn_admin LOGIN CREATEROLE PASSWORD '${ADMIN_PASSWORD}' IN ROLE pg_signal_backend, pg_read_all_stats`
  )
  const place = { engine: 'postgres', host: server.host, port: server.port, dbname: 'postgres' }
  const admin = await create(owner, 'admin', { ...place, username: 'keyturn_admin', password: ADMIN_PASSWORD })
  return {
    server,
    owner,
    env: { SECRETS_MANAGER_ENDPOINT: storeUrl, KEYTURN_CA_FILE: caFile },
    secret: (options = {}) => makeSecret(server, owner, admin, options),
    put: (name, document, metadata) => create(owner, name, document, metadata),
    read: async ({ name }, stage = 'AWSCURRENT') => {
      const { SecretString = '' } = await owner.getSecretValue({ SecretId: name, VersionStage: stage })
      return JSON.parse(SecretString) as Login
    },
    login: (login) => tryLogin(server, login),
    logins: async (work) => {
      const before = server.readLog().length
      await work()
      const lines = server.readLog().slice(before).split('\n')
      const count = (what: RegExp) => lines.filter((line) => what.test(line)).length
      return {
        logins: count(/ LOG: {2}connection authorized: user=(?!postgres )/),
        failedLogins: count(/ FATAL: {2}.*(authentication failed|is not permitted to log in|pg_hba\.conf)/)
      }
    },
    close: async () => {
      owner.destroy()
      rmSync(folder, { recursive: true, force: true })
      await server.stop()
    }
  }
}

let made = 0

async function makeSecret(server: PostgresServer, owner: SecretsManager, admin: string, options: SecretOptions): Promise<Owned> {
  const { mode = 'pair', metadata = {}, more = {}, port = server.port } = options
  const name = `db/app${++made}-${process.pid}`
  const a = `app${made}`
  const b = mode === 'pair' ? `app${made}_b` : `${a}_clone`
  const password = `first password ${randomUUID()}`
  await server.query(`CREATE ROLE ${a} LOGIN PASSWORD '${password}'`)
  if (mode === 'pair') await server.query(`CREATE ROLE ${b} LOGIN`)
  if (options.cloneExists)
    await server.query(`CREATE ROLE ${b} LOGIN; GRANT ${a} TO ${b}; GRANT ${b} TO keyturn_admin WITH ADMIN OPTION`)
  if (mode !== 'single') await server.query(`GRANT ${mode === 'pair' ? `${a}, ${b}` : a} TO keyturn_admin WITH ADMIN OPTION`)
  const document = {
    ...{ engine: 'postgres', host: server.host, port, dbname: 'postgres', username: a, password },
    ...(mode !== 'single' && { masterarn: admin }),
    ...(mode === 'pair' && { pair: [a, b] }),
    ...more
  }
  // A secret that AWS's templates rotate has no tags of keyturn's; a sweep takes what has the kind.
  const managed = mode === 'pair' ? { kind: 'postgres', ...metadata } : metadata
  return { name, a, b, arn: await create(owner, name, document, managed) }
}

async function create(owner: SecretsManager, name: string, document: object, metadata: MetadataPatch = {}): Promise<string> {
  const Tags = Object.entries(encodePatch(metadata).set).map(([key, Value]) => ({ Key: `keyturn:${key}`, Value }))
  const SecretString = JSON.stringify(document)
  const { ARN } = await owner.createSecret({ Name: name, SecretString, ...(Tags.length > 0 && { Tags }) })
  return ARN ?? name
}
