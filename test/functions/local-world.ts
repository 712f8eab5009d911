import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { Client } from 'pg'
import { runCli } from '../../functions/local/program.ts'
import { readCurrent } from '../../shared/stores/file.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'

/** A command line's outcome. `json` is what --json printed. */
export interface Said {
  readonly exit: number
  readonly out: string
  readonly err: string
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests assert.
  readonly json: any
}

/** A Postgres server, a folder of secrets, and the command line on both. */
export interface LocalWorld {
  readonly server: PostgresServer
  readonly folder: string
  /** What a command of its own would be given. */
  readonly env: Readonly<Record<string, string>>
  keyturn(args: readonly string[], more?: Hands & { readonly env?: Record<string, string> }): Promise<Said>
  /** A pair of logins with a secret of that name, made with `create`. */
  secret(name: string, options?: readonly string[]): Promise<{ readonly a: string; readonly b: string }>
  /** What a client would log in with. */
  document(name: string): Promise<{ readonly username: string; readonly password: string; readonly [key: string]: unknown }>
  connect(login: { readonly username: string; readonly password: string }): Promise<Client>
  stop(): Promise<void>
}

/** What a person does meanwhile. */
export interface Hands {
  readonly stdin?: string
  readonly answer?: boolean
  readonly interrupted?: AbortSignal
}

export const ADMIN = 'the admin of a test server'

export async function startLocalWorld(): Promise<LocalWorld> {
  const server = await startPostgres({ version: 18 })
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-cli-'))
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, server.caPem)
  await server.query(
    `CREATE ROLE keyturn_admin LOGIN CREATEROLE PASSWORD '${ADMIN}' IN ROLE pg_signal_backend, pg_read_all_stats`
  )
  const env = { KEYTURN_FOLDER: folder, KEYTURN_CA_FILE: caFile }
  const world: LocalWorld = {
    ...{ server, folder, env },
    keyturn: (args, more = {}) => keyturn(args, { ...env, ...more.env }, more),
    secret: async (name, options = []) => {
      const [a, b] = [`${name}_a`, `${name}_b`]
      await server.query(`CREATE ROLE ${a} LOGIN PASSWORD 'first of ${name}'; CREATE ROLE ${b} LOGIN;
        GRANT ${a}, ${b} TO keyturn_admin WITH ADMIN OPTION`)
      const document = { ...place(server), username: a, password: `first of ${name}`, masterarn: 'admin', pair: [a, b] }
      const { exit, err } = await world.keyturn(['create', name, '--from', '-', ...options], { stdin: JSON.stringify(document) })
      if (exit !== 0) throw new Error(err)
      return { a, b }
    },
    document: async (name) => JSON.parse((await readCurrent(folder, name)).reveal()),
    connect: (login) => connect(server, login),
    stop: async () => {
      await server.stop()
      rmSync(folder, { recursive: true })
    }
  }
  const admin = { ...place(server), username: 'keyturn_admin', password: ADMIN }
  await world.keyturn(['create', 'admin', '--from', '-', '--no-managed'], { stdin: JSON.stringify(admin) })
  return world
}

export const place = ({ host, port }: PostgresServer) => ({ engine: 'postgres', host, port, dbname: 'postgres' })

export async function keyturn(
  args: readonly string[],
  env: Record<string, string>,
  { stdin = '', answer, interrupted = new AbortController().signal }: Hands = {}
): Promise<Said> {
  const [stdout, stderr] = [collector(), collector()]
  const exit = await runCli(args, env, {
    stdout: stdout.stream,
    stderr: stderr.stream,
    stdin: (async function* () {
      yield stdin
    })(),
    colours: false,
    interrupted,
    ask: async () => answer ?? Promise.reject(new Error('nobody was to be asked'))
  })
  const out = stdout.text()
  return { exit, out, err: stderr.text(), json: args.includes('--json') ? JSON.parse(out) : undefined }
}

function collector() {
  const chunks: string[] = []
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      chunks.push(String(chunk))
      done()
    }
  })
  return { stream, text: () => chunks.join('') }
}

async function connect(server: PostgresServer, login: { readonly username: string; readonly password: string }): Promise<Client> {
  const { host, port } = server
  const ssl = { ca: server.caPem }
  const client = new Client({ host, port, user: login.username, password: login.password, database: 'postgres', ssl })
  client.on('error', () => {})
  await client.connect()
  return client
}
