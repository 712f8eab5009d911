import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  type SecretsManagerClient
} from '@aws-sdk/client-secrets-manager'
import { Client } from 'pg'
import { adminIn } from '../../shared/admin.ts'
import { deadline } from '../../shared/deadline.ts'
import { parseAdmin } from '../../shared/document.ts'
import { type Log, silentLog } from '../../shared/log.ts'
import type { CurrentReader } from '../../shared/ports/secret-store.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { type DrivenSteps, drivenSteps } from '../../shared/rotation/driven/steps.ts'
import { type Outcome, run } from '../../shared/rotation/rotate.ts'
import { secretsManagerClient } from '../../shared/stores/aws-client.ts'
import { awsSecretsManager } from '../../shared/stores/aws-secrets-manager.ts'
import { createSecret, fileStore, readCurrent } from '../../shared/stores/file.ts'
import { postgres } from '../../shared/targets/postgres.ts'
import { SecretText } from '../../shared/types.ts'
import type { Faults } from '../conformance/crash.ts'
import { faulty } from '../conformance/faulty-store.ts'
import { type RotationEvent, type SecretsManagerDouble, startSecretsManager } from '../doubles/secrets-manager.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { type PostgresProxy, startPostgresProxy } from '../servers/postgres-proxy.ts'
import { until } from '../servers/until.ts'

/** A store and a real database, with one secret at a time under test. */
export interface World {
  readonly core: Core
  /** A secret whose two logins are fresh. */
  fresh(): Promise<Subject>
  /** Moves the store's clock. */
  advance(ms: number): void
  /** When the server has seen that the sessions of a dead run are closed: their locks are free some time after. */
  unlocked(): Promise<void>
  stop(): Promise<void>
}

/** The next run comes some time after the dead one, as it does in life: it is not to be told that another one is at work. */
export const noLocks = (server: PostgresServer): Promise<void> =>
  until('the locks of the dead run', 30_000, async () => {
    const held = await server.query("SELECT FROM pg_locks WHERE locktype = 'advisory'")
    return held.length === 0 || undefined
  }).then(() => {})

export interface Subject {
  readonly id: string
  readonly pair: readonly [string, string]
  /** What an application does: the ordinary read, then a login and its own table. Throws what the server said. */
  readonly use: () => Promise<string>
  /** Logs in with a credential that a client kept. */
  readonly useKept: (kept: Kept) => Promise<void>
  readonly keep: () => Promise<Kept>
}

export interface Kept {
  readonly username: string
  readonly password: string
}

export const HOUR = 3_600_000

// The double takes any signature; the SDK wants something to sign with.
process.env.AWS_ACCESS_KEY_ID ??= 'test'
process.env.AWS_SECRET_ACCESS_KEY ??= 'test'

export async function rotated(
  core: Core,
  id: string,
  want: 'rotate' | 'retire' | 'sweep',
  token: string,
  force = false
): Promise<Outcome> {
  const limit = deadline(30_000)
  try {
    return await run(core, { want, force }, { secretId: id, token, force, endSessions: true, dryRun: false, deadline: limit })
  } finally {
    limit.end()
  }
}

/** Every login and statement of keyturn goes through the proxy; the applications' do not. */
export async function database(
  faults: Faults,
  settings: WorldOptions['settings'] = {}
): Promise<{ server: PostgresServer; proxy: PostgresProxy }> {
  const server = await startPostgres({ version: 18, settings })
  const proxy = await startPostgresProxy(server)
  proxy.setHook({
    decide: ({ kind, text, user }) =>
      faults.fateOf(kind === 'login' ? `login ${user.replace(/\d+$/, '')}` : `sql ${headOf(text)}`) ?? 'pass'
  })
  await server.query(QUIET)
  await server.query(`
    CREATE ROLE keyturn_admin LOGIN CREATEROLE PASSWORD 'the admin of the crash suite';
    CREATE ROLE owner NOLOGIN; GRANT owner TO keyturn_admin WITH ADMIN OPTION;
    CREATE TABLE orders (id serial primary key); ALTER TABLE orders OWNER TO owner`)
  return { server, proxy }
}

/** The suite's own statements, all the superuser's, hold passwords; what a server keeps is to be keyturn's alone. */
const QUIET = ['log_statement = none', 'log_min_duration_statement = -1', 'pg_stat_statements.track = none']
  .map((setting) => `ALTER ROLE postgres SET ${setting};`)
  .join(' ')

const headOf = (sql: string): string => sql.replace(/\s+/g, ' ').replace(/\d+/g, '').trim().slice(0, 28)

export async function login(server: PostgresServer, { username, password }: Kept): Promise<string> {
  const client = new Client({
    host: server.host,
    port: server.port,
    database: 'postgres',
    user: username,
    password,
    ssl: { ca: server.caPem }
  })
  await client.connect()
  try {
    await client.query('INSERT INTO orders DEFAULT VALUES')
    return username
  } finally {
    await client.end()
  }
}

export let count = 0

export async function makePair(server: PostgresServer): Promise<readonly [string, string]> {
  const n = ++count
  const pair = [`app_a${n}`, `app_b${n}`] as const
  for (const role of pair)
    await server.query(
      `CREATE ROLE ${role} LOGIN PASSWORD 'first password of ${role}' IN ROLE owner; GRANT ${role} TO keyturn_admin WITH ADMIN OPTION`
    )
  return pair
}

export const documentOf = (port: number, [a, b]: readonly [string, string], admin: string): string =>
  JSON.stringify({
    engine: 'postgres',
    host: 'localhost',
    port,
    dbname: 'postgres',
    username: a,
    password: `first password of ${a}`,
    masterarn: admin,
    pair: [a, b],
    verifyQuery: 'SELECT count(*) FROM orders'
  })

export const adminDocument = (port: number): string =>
  JSON.stringify({ host: 'localhost', port, username: 'keyturn_admin', password: 'the admin of the crash suite' })

/** One secret as its applications use it, whatever their ordinary read is. */
export const subjectOf = (server: PostgresServer, id: string, pair: Subject['pair'], keep: Subject['keep']): Subject => ({
  ...{ id, pair, keep },
  use: async () => login(server, await keep()),
  useKept: async (kept) => void (await login(server, kept))
})

/** keyturn on a store and a server; the admin's secret lies in the store. */
export function coreOn(store: Core['store'] & CurrentReader, ca: string, log: Log = silentLog): Core {
  const target = postgres({ ca, admin: adminIn(store.readCurrent) })
  return { store, targetFor: () => target, log, runLivesMs: HOUR, stepNeedsMs: 100 }
}

/** What a world may be given: the server's settings, and where keyturn's log goes. */
export interface WorldOptions {
  readonly settings?: Readonly<Record<string, string>>
  readonly log?: Log
}

export async function fileWorld(faults: Faults): Promise<World> {
  const { server, proxy } = await database(faults)
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-crash-'))
  let now = Date.now()
  const settings = { folder, now: () => now }
  const plain = fileStore(settings)
  const store = { ...plain, ...faulty(plain, faults) }
  await createSecret(settings, 'admin', new SecretText(adminDocument(proxy.port)), {})
  const target = postgres({
    ca: server.caPem,
    admin: async () => parseAdmin(await readCurrent(folder, 'admin'))
  })
  return {
    core: { store, targetFor: () => target, log: silentLog, runLivesMs: HOUR, stepNeedsMs: 100 },
    fresh: async () => {
      const pair = await makePair(server)
      const id = `app${count}`
      const text = new SecretText(documentOf(proxy.port, pair, 'admin'))
      await createSecret(settings, id, text, { kind: 'postgres', graceMs: HOUR, periodMs: 30 * 24 * HOUR })
      const keep = async (): Promise<Kept> => JSON.parse((await readCurrent(folder, id)).reveal()) as Kept
      return subjectOf(server, id, pair, keep)
    },
    advance: (ms) => {
      now += ms
    },
    unlocked: () => noLocks(server),
    stop: async () => {
      await proxy.stop()
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

export interface AwsWorld extends World {
  readonly double: SecretsManagerDouble
  readonly server: PostgresServer
  readonly client: SecretsManagerClient
  /** Starts the four steps and waits for their end; the steps' failures are the rotation's. */
  rotateSecret(id: string, token: string): Promise<unknown>
  /** As the service does after a failed step: the whole rotation again, with the same token. */
  retry(id: string): Promise<void>
  /** Whose calls the four steps' are, from now on. */
  stepsWith(core: Core): void
  /** New memory for every step (a new process), or one for all. */
  setCold(cold: boolean): void
}

export async function awsWorld(faults: Faults, options: WorldOptions = {}): Promise<AwsWorld> {
  const { server, proxy } = await database(faults, options.settings)
  let now = Date.now()
  let cold = false
  let warm: DrivenSteps = drivenSteps()
  const double = await startSecretsManager({ now: () => now, invoke: (event) => step(event) })
  // One attempt a call: the suite decides what is lost, not the SDK's own repeats. `owner` is the application's.
  const settings = { endpoint: double.url, region: 'us-east-1' }
  const client = secretsManagerClient({ ...settings, maxAttempts: 1 })
  const owner = secretsManagerClient(settings)
  double.setFault(({ op }) => (isKeyturns(op) ? faults.fateOf(op) : undefined))
  const store = awsSecretsManager({ client })
  const core = coreOn(store, server.caPem, options.log)
  let stepsCore = core
  const step = async ({ Step, SecretId, ClientRequestToken }: RotationEvent): Promise<void> => {
    const limit = deadline(30_000)
    const steps = cold ? drivenSteps() : warm
    const name = Step.replace('Secret', '') as keyof DrivenSteps
    try {
      await steps[name]({ core: stepsCore, secretId: SecretId, token: ClientRequestToken, deadline: limit })
    } finally {
      limit.end()
    }
  }
  let applicationReads = 0
  function isKeyturns(op: string): boolean {
    if (applicationReads > 0 || ['CreateSecret', 'RotateSecret', 'ListSecretVersionIds'].includes(op)) return false
    return true
  }
  const outside = async <T>(work: () => Promise<T>): Promise<T> => {
    applicationReads++
    try {
      return await work()
    } finally {
      applicationReads--
    }
  }
  await outside(() => owner.send(new CreateSecretCommand({ Name: 'admin', SecretString: adminDocument(proxy.port) })))
  return {
    core,
    double,
    server,
    client: owner,
    advance: (ms) => {
      now += ms
    },
    unlocked: () => noLocks(server),
    stepsWith: (value) => {
      stepsCore = value
    },
    setCold: (value) => {
      cold = value
      warm = drivenSteps()
    },
    rotateSecret: async (id, token) => {
      await owner.send(
        new RotateSecretCommand({
          SecretId: id,
          ClientRequestToken: token,
          RotationLambdaARN: 'arn:aws:lambda:us-east-1:123456789012:function:keyturn',
          RotationRules: { AutomaticallyAfterDays: 30 }
        })
      )
      return (await double.idle()).at(-1)?.error
    },
    retry: async (id) => {
      // Another process: what the dead one remembered is gone.
      warm = drivenSteps()
      await double.retryRotation(id)
      await double.idle()
    },
    fresh: async () => {
      const pair = await makePair(server)
      const id = `app${count}`
      const tags = { kind: 'postgres', grace: '1h', period: '30d' }
      const Tags = Object.entries(tags).map(([key, Value]) => ({ Key: `keyturn:${key}`, Value }))
      await outside(() =>
        owner.send(new CreateSecretCommand({ Name: id, SecretString: documentOf(proxy.port, pair, 'admin'), Tags }))
      )
      const keep = () =>
        outside(
          async () => JSON.parse((await owner.send(new GetSecretValueCommand({ SecretId: id }))).SecretString ?? '') as Kept
        )
      return subjectOf(server, id, pair, keep)
    },
    stop: async () => {
      await proxy.stop()
      await double.close()
      await server.stop()
    }
  }
}

export const newToken = (): string => randomUUID()

export const stagesOf = async (world: AwsWorld, id: string): Promise<Readonly<Record<string, readonly string[]>>> =>
  (await world.client.send(new DescribeSecretCommand({ SecretId: id }))).VersionIdsToStages ?? {}
