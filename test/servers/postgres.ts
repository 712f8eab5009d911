import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, type QueryResultRow } from 'pg'
import { leaveOut } from '../left-out.ts'
import { type Identity, localIdentity, sharedAuthority } from './certificates.ts'
import { logOf } from './daemon.ts'
import { serverFolder, writeOwn } from './folders.ts'
import { isInstalled, type PostgresVersion, run, superuser, template } from './postgres-binaries.ts'
import { launch, type Postmaster, type StopMode } from './postgres-process.ts'

export type { PostgresVersion } from './postgres-binaries.ts'

export type PostgresOptions = {
  version: PostgresVersion
  /** `on` (the default) shows `localIdentity()`. */
  tls?: 'on' | 'off' | Identity
  /** postgresql.conf, e.g. `{ log_statement: 'all', shared_preload_libraries: 'pg_stat_statements' }` (all four versions have it). */
  settings?: Readonly<Record<string, string>>
  /** Lines of pg_hba.conf for TCP, instead of the one that lets everybody in by SCRAM over TLS (plaintext where TLS is off). */
  hba?: readonly string[]
}

export type PostgresServer = {
  readonly host: 'localhost'
  readonly port: number
  readonly version: PostgresVersion
  /** What to trust: the shared authority's certificate, whichever one the server shows. */
  readonly caPem: string
  /** What the server shows; undefined when TLS is off. */
  readonly tls: Identity | undefined
  readonly superuser: typeof superuser
  /** Also the folder of the unix socket, by which only the superuser gets in. */
  readonly folder: string
  readonly dataFolder: string
  readonly logFile: string
  /** As superuser, on a connection of its own over the unix socket: needs neither TLS nor a password, and survives restarts. */
  query<Row extends QueryResultRow = QueryResultRow>(sql: string, params?: readonly unknown[], database?: string): Promise<Row[]>
  readLog(): string
  pid(): number | undefined
  /** Ends the server and removes its folder, the log included. A repeat does nothing. */
  stop(): Promise<void>
  /** Same data, same port. `fast` (the default) disconnects everybody; `immediate` goes through crash recovery. After `kill` it starts. */
  restart(mode?: StopMode): Promise<void>
  /** SIGKILL; what was committed is there after `restart()`. */
  kill(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Every version that is there, for `describe.each`; a missing one is said to be left out. */
export function postgresVersions(): PostgresVersion[] {
  if (!isInstalled(15)) leaveOut('PostgreSQL 15', 'the Debian package postgresql-15 is not installed')
  return ([15, 16, 17, 18] as const).filter(isInstalled)
}

/** Starts a server on 127.0.0.1 and on a free port, with SCRAM-SHA-256 and TLS. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const folder = serverFolder(`postgres-${options.version}`)
  try {
    await run('cp', ['-a', await template(options.version), join(folder, 'data')])
    const tls = await identityOf(options.tls ?? 'on')
    configure(folder, tls, options)
    return await serve(folder, options.version, tls)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** Starts what lies in `folder` (data/ and its configuration); on `port` or any free one. */
export async function serve(folder: string, version: PostgresVersion, tls: Identity | undefined): Promise<PostgresServer> {
  const logFile = logOf(folder)
  const { caPem } = await sharedAuthority()
  let postmaster: Postmaster | undefined = await launch({ folder, version })
  const { port } = postmaster
  const end = async (mode: StopMode | 'kill') => {
    await postmaster?.end(mode)
    postmaster = undefined
  }
  const stop = async () => {
    await end('immediate')
    rmSync(folder, { recursive: true, force: true })
  }
  return {
    ...({ host: 'localhost', port, version, caPem, tls, superuser, folder, logFile } as const),
    dataFolder: join(folder, 'data'),
    query: (sql, params = [], database = 'postgres') =>
      query({ host: folder, port, database, user: superuser.user }, sql, params),
    readLog: () => readFileSync(logFile, 'utf8'),
    pid: () => postmaster?.pid,
    stop,
    restart: async (mode = 'fast') => {
      await end(mode)
      postmaster = await launch({ folder, version, port })
    },
    kill: () => end('kill'),
    [Symbol.asyncDispose]: stop
  }
}

/** Appends to the configuration of a data folder; the last mention of a setting holds. */
export function appendSettings(dataFolder: string, settings: Readonly<Record<string, string>>): void {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
  appendFileSync(join(dataFolder, 'postgresql.conf'), lines.join(''))
}

/** fsync guards against the machine's failure, which no test plays; what a killed server has committed stays all the same. */
const quick = {
  fsync: 'off',
  full_page_writes: 'off',
  shared_buffers: '16MB',
  autovacuum: 'off',
  max_logical_replication_workers: '0',
  jit: 'off',
  wal_keep_size: '64MB'
}

function configure(folder: string, tls: Identity | undefined, options: PostgresOptions): void {
  const data = join(folder, 'data')
  const defaultHba = [`${tls === undefined ? 'host' : 'hostssl'} all all 127.0.0.1/32 scram-sha-256`]
  const hba = [`local all ${superuser.user} trust`, `local replication ${superuser.user} trust`, ...(options.hba ?? defaultHba)]
  writeFileSync(join(data, 'pg_hba.conf'), hba.map((line) => `${line}\n`).join(''))
  writeFileSync(join(data, 'postgresql.conf'), '')
  const listen = { listen_addresses: '127.0.0.1', unix_socket_directories: folder, unix_socket_permissions: '0700' }
  const log = { log_connections: 'on', log_line_prefix: '%m [%p] %u@%d %r ', log_timezone: 'UTC' }
  appendSettings(data, { ...quick, ...listen, ...log, password_encryption: 'scram-sha-256' })
  if (tls !== undefined) writeIdentity(data, tls)
  appendSettings(data, { ...options.settings })
}

function writeIdentity(data: string, { cert, key }: Identity): void {
  writeFileSync(join(data, 'server.crt'), cert)
  writeOwn(join(data, 'server.key'), key)
  appendSettings(data, { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' })
}

async function identityOf(tls: 'on' | 'off' | Identity): Promise<Identity | undefined> {
  if (tls === 'off') return undefined
  return tls === 'on' ? await localIdentity() : tls
}

type Login = { host: string; port: number; database: string; user: string }

async function query<Row extends QueryResultRow>(login: Login, sql: string, params: readonly unknown[]): Promise<Row[]> {
  const client = new Client(login)
  await client.connect()
  // A server that goes away between the answer and the goodbye is no error of the query.
  client.on('error', () => {})
  try {
    const result = await client.query<Row>(sql, [...params])
    // Several statements in one text are answered by one result each.
    return [result].flat().at(-1)?.rows ?? []
  } finally {
    await client.end()
  }
}
