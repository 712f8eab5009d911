import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SecretClient } from '@azure/keyvault-secrets'
import { encodePatch, type MetadataPatch } from '../../shared/metadata.ts'
import { azureCredential } from '../doubles/azure-credential.ts'
import { type KeyVaultDouble, startKeyVault } from '../doubles/key-vault.ts'
import { type ManagedIdentityDouble, startManagedIdentity } from '../doubles/managed-identity.ts'
import { type Azurite, findAzurite, startAzurite } from '../servers/azurite.ts'
import { askHttps } from '../servers/cloud-https.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { type FunctionApp, startFunctionApp } from './azure-host.ts'
import { type StorageQueue, storageQueue } from './azure-queue.ts'
import { tryLogin } from './try-login.ts'

/** What an application reads and logs in with. */
export interface Login {
  readonly username: string
  readonly password: string
}

export interface Owned {
  readonly name: string
  readonly a: string
  readonly b: string
}

export interface SecretOptions {
  /** null: it is not managed by keyturn. */
  readonly metadata?: MetadataPatch | null
  /** Fields beside AWS's own. */
  readonly more?: Readonly<Record<string, unknown>>
}

/** The function app as it ships, with the doubles of a vault and of its identity, Azurite, and a real server behind. */
export interface AzureWorld {
  readonly vault: KeyVaultDouble
  readonly identity: ManagedIdentityDouble
  readonly server: PostgresServer
  /** Of every process that works on this vault. */
  readonly env: Readonly<Record<string, string>>
  /** Throws where Azurite is not installed: nothing is rotated there, because there is no journal. */
  queue(): StorageQueue
  /** The process that takes the next event. */
  app(): FunctionApp
  /** The next event meets a new process. */
  restart(env?: Readonly<Record<string, string>>): Promise<FunctionApp>
  secret(options?: SecretOptions): Promise<Owned>
  /** A secret with this document, whatever it opens. */
  put(name: string, document: object, metadata: MetadataPatch | null): Promise<void>
  /** The ordinary read of an application, with the genuine client. */
  read(secret: Owned): Promise<Login>
  /** The same of any document, as it is written. */
  readText(name: string): Promise<string>
  newestVersion(secret: Pick<Owned, 'name'>): string
  /** `in`, or the server's SQLSTATE. */
  login(login: Login): Promise<string>
  /** By the vault's clock. */
  advance(ms: number): void
  now(): Date
  /** Everything that the processes have written and logged. */
  output(): string
  close(): Promise<void>
}

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
/** Nobody listens there. */
export const NO_JOURNAL = 'https://127.0.0.1:1/devstoreaccount1/keyturn'
export const ADMIN_PASSWORD = 'the admin of a test server'

export async function startAzureWorld(folder: string, env: Readonly<Record<string, string>> = {}): Promise<AzureWorld> {
  let aheadMs = 0
  const now = () => Date.now() + aheadMs
  const [vault, identity, azurite, server] = await Promise.all([
    startKeyVault({ now }),
    startManagedIdentity(),
    findAzurite() === undefined ? undefined : startAzurite(),
    startPostgres({ version: 18 })
  ])
  const files = mkdtempSync(join(tmpdir(), 'keyturn-azure-'))
  writeFileSync(join(files, 'ca.pem'), server.caPem)
  const own = {
    KEYTURN_KEY_VAULT_URL: vault.url,
    KEYTURN_JOURNAL_URL: azurite ? await makeContainer(azurite) : NO_JOURNAL,
    // Of every server here; on Azure the authorities are Node's own.
    NODE_EXTRA_CA_CERTS: join(files, 'ca.pem'),
    ...identity.env,
    ...env
  }
  const owner = new SecretClient(vault.url, azureCredential('owner'), {
    disableChallengeResourceVerification: true,
    tlsOptions: { ca: vault.caPem }
  })
  await server.query(
    `CREATE ROLE keyturn_admin LOGIN CREATEROLE PASSWORD '${ADMIN_PASSWORD}' IN ROLE pg_signal_backend, pg_read_all_stats`
  )
  const admin = { engine: 'postgres', host: server.host, port: server.port, username: 'keyturn_admin', password: ADMIN_PASSWORD }
  await owner.setSecret('admin', JSON.stringify(admin))
  const apps = [await startFunctionApp(folder, own)]
  const app = () => apps.at(-1) as FunctionApp
  const queue = azurite && (await storageQueue(azurite))
  return {
    ...{ vault, identity, server, app, env: own },
    queue: () => {
      if (queue) return queue
      throw new Error('Azurite is not installed')
    },
    restart: async (more = {}) => {
      await app().stop()
      apps.push(await startFunctionApp(folder, { ...own, ...more }))
      return app()
    },
    secret: (options = {}) => makeSecret(server, owner, options),
    put: (name, document, metadata) => create(owner, name, document, metadata),
    read: async ({ name }) => JSON.parse((await owner.getSecret(name)).value ?? '') as Login,
    readText: async (name) => (await owner.getSecret(name)).value ?? '',
    newestVersion: ({ name }) => vault.versions(name).at(-1)?.id ?? '',
    login: (login) => tryLogin(server, login),
    advance: (ms) => {
      aheadMs += ms
    },
    now: () => new Date(now()),
    output: () => apps.map((one) => one.output()).join('\n'),
    close: async () => {
      await app().stop()
      await Promise.all([vault.close(), identity.close(), azurite?.close(), server.stop()])
      rmSync(files, { recursive: true, force: true })
    }
  }
}

async function makeContainer({ blobUrl, credential, caPem }: Azurite): Promise<string> {
  const headers = { authorization: `Bearer ${(await credential.getToken()).token}`, 'x-ms-version': '2025-01-05' }
  const { status } = await askHttps({ method: 'PUT', url: `${blobUrl}/keyturn?restype=container`, headers, body: '', caPem })
  if (status !== 201) throw new Error(`no container: ${status}`)
  return `${blobUrl}/keyturn`
}

let made = 0

async function makeSecret(server: PostgresServer, owner: SecretClient, options: SecretOptions): Promise<Owned> {
  const { metadata = {}, more = {} } = options
  const name = `db-app${++made}`
  const [a, b] = [`app${made}`, `app${made}_b`]
  const password = `first password ${randomUUID()}`
  await server.query(
    `CREATE ROLE ${a} LOGIN PASSWORD '${password}'; CREATE ROLE ${b} LOGIN; GRANT ${a}, ${b} TO keyturn_admin WITH ADMIN OPTION`
  )
  const place = { engine: 'postgres', host: server.host, port: server.port, dbname: 'postgres' }
  const document = { ...place, username: a, password, masterarn: 'admin', pair: [a, b], ...more }
  await create(owner, name, document, metadata && { kind: 'postgres', ...metadata })
  return { name, a, b }
}

async function create(owner: SecretClient, name: string, document: object, metadata: MetadataPatch | null): Promise<void> {
  const policy = Object.entries(encodePatch(metadata ?? {}).set).map(([key, value]) => `${key}=${value}`)
  await owner.setSecret(name, JSON.stringify(document), metadata === null ? {} : { tags: { keyturn: policy.join(';') } })
}
