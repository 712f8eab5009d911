import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { leaveOut } from '../left-out.ts'
import { type Identity, localIdentity } from './certificates.ts'
import { type Daemon, logOf, startDaemon } from './daemon.ts'
import { serverFolder, writeOwn } from './folders.ts'
import { freePort } from './ports.ts'
import type { PostgresServer } from './postgres.ts'
import { until } from './until.ts'

export type PgbouncerOptions = {
  server: PostgresServer
  mode: 'transaction' | 'session'
  /** Names and passwords of a userlist, or `auth_query`: PgBouncer asks the server's pg_shadow at every login. */
  users: Readonly<Record<string, string>> | 'auth_query'
  /** pgbouncer.ini, e.g. `{ default_pool_size: '1' }`. */
  settings?: Readonly<Record<string, string>>
}

export type Pgbouncer = {
  readonly host: 'localhost'
  readonly port: number
  readonly caPem: string
  readonly tls: Identity
  /** Replaces the userlist, as an operator does: the file, then RELOAD. */
  setUsers(users: Readonly<Record<string, string>>): Promise<void>
  /** The admin console: `SHOW POOLS`, `RECONNECT`, `PAUSE` … */
  command(text: string): Promise<unknown[]>
  readLog(): string
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Whether Debian's pgbouncer is there; where not, says so among what the run left out. */
export function pgbouncerIsInstalled(): boolean {
  const isInstalled = existsSync(program)
  if (!isInstalled) leaveOut('PgBouncer', 'the Debian package pgbouncer is not installed')
  return isInstalled
}

/** PgBouncer on 127.0.0.1, TLS and SCRAM on both sides (towards a server without TLS: plaintext). */
export async function startPgbouncer(options: PgbouncerOptions): Promise<Pgbouncer> {
  const folder = serverFolder('pgbouncer')
  try {
    const tls = await localIdentity()
    writeOwn(join(folder, 'server.crt'), tls.cert)
    writeOwn(join(folder, 'server.key'), tls.key)
    writeOwn(join(folder, 'ca.crt'), options.server.caPem)
    writeUsers(folder, options.server, options.users === 'auth_query' ? {} : options.users)
    const { daemon, port } = await launch(folder, options)
    return control(folder, daemon, port, options.server, tls)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

const program = '/usr/sbin/pgbouncer'

async function launch(folder: string, options: PgbouncerOptions): Promise<{ daemon: Daemon; port: number }> {
  return await until('PgBouncer on a free port', 30_000, async () => {
    const port = await freePort()
    writeOwn(join(folder, 'pgbouncer.ini'), configuration(folder, port, options))
    const daemon = startDaemon({ command: program, args: ['pgbouncer.ini'], folder, quit: 'SIGTERM' })
    const isUp = await until('its answer', 30_000, () =>
      daemon.hasEnded() ? false : daemon.said().includes('process up') || undefined
    )
    if (isUp) return { daemon, port }
    if (!daemon.said().includes('Address already in use')) throw new Error(`PgBouncer did not start:\n${daemon.said()}`)
    return undefined
  })
}

function control(folder: string, daemon: Daemon, port: number, server: PostgresServer, tls: Identity): Pgbouncer {
  const login = { host: 'localhost', port, database: 'pgbouncer', ...server.superuser, ssl: { ca: server.caPem } }
  const command = async (text: string) => {
    const client = new Client(login)
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(text)).rows
    } finally {
      await client.end()
    }
  }
  const stop = async () => {
    await daemon.end('SIGTERM')
    rmSync(folder, { recursive: true, force: true })
  }
  return {
    ...({ host: 'localhost', port, caPem: server.caPem, tls, command, stop, [Symbol.asyncDispose]: stop } as const),
    setUsers: async (users) => {
      writeUsers(folder, server, users)
      await command('RELOAD')
    },
    readLog: () => readFileSync(logOf(folder), 'utf8')
  }
}

/** The superuser is always there: it runs the auth_query and the admin console. */
function writeUsers(folder: string, { superuser }: PostgresServer, users: Readonly<Record<string, string>>): void {
  const quote = (word: string) => `"${word.replaceAll('"', '""')}"`
  const lines = Object.entries({ [superuser.user]: superuser.password, ...users }).map((pair) => pair.map(quote).join(' '))
  writeOwn(join(folder, 'users'), lines.join('\n'))
}

function configuration(folder: string, port: number, { server, mode, users, settings }: PgbouncerOptions): string {
  const authQuery = { auth_user: server.superuser.user, auth_query: 'SELECT usename, passwd FROM pg_shadow WHERE usename = $1' }
  const lines = Object.entries({
    ...{ listen_addr: '127.0.0.1', listen_port: String(port), unix_socket_dir: '', pool_mode: mode },
    ...{ auth_type: 'scram-sha-256', auth_file: join(folder, 'users'), ...(users === 'auth_query' ? authQuery : {}) },
    ...{ admin_users: server.superuser.user, ignore_startup_parameters: 'extra_float_digits' },
    ...{ client_tls_sslmode: 'require', client_tls_cert_file: join(folder, 'server.crt') },
    ...{ client_tls_key_file: join(folder, 'server.key'), server_tls_ca_file: join(folder, 'ca.crt') },
    ...{ server_tls_sslmode: server.tls === undefined ? 'disable' : 'verify-full' },
    ...settings
  })
  const target = `* = host=127.0.0.1 port=${server.port}`
  return ['[databases]', target, '[pgbouncer]', ...lines.map(([name, value]) => `${name} = ${value}`), ''].join('\n')
}
