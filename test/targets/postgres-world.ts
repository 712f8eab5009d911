import { Client, type ClientConfig } from 'pg'
import type { Metadata } from '../../shared/metadata.ts'
import type { Credential, Target, TargetHold } from '../../shared/ports/target.ts'
import { type PostgresSettings, postgres } from '../../shared/targets/postgres.ts'
import { SecretText } from '../../shared/types.ts'
import { type PostgresOptions, type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { isInstalled, type PostgresVersion } from '../servers/postgres-binaries.ts'

export const VERSIONS: readonly PostgresVersion[] = ([15, 16, 17, 18] as const).filter(isInstalled)

/** The admin of every test: no superuser, as on managed servers. */
export const ADMIN = { username: 'keyturn_admin', password: 'the admin of a test server' } as const

/** One server with an admin, and many logins on it. */
export interface World {
  readonly server: PostgresServer
  sql(text: string, database?: string): Promise<Record<string, unknown>[]>
  /** New names on this server, each time. */
  name(stem: string): string
  /** Two logins that the admin may alter; the first has the password `first`. */
  pair(options?: { a?: string; b?: string; attributes?: string }): Promise<readonly [string, string]>
  target(settings?: PostgresSettings): Target
  document(fields: { username: string; password?: string; [key: string]: unknown }): SecretText
  /** What the store would hold for the first of a pair. */
  credential(names: readonly [string, string], more?: Record<string, unknown>): Credential
  connect(username: string, password: string, more?: ClientConfig): Promise<Client>
  stop(): Promise<void>
}

export const FIRST_PASSWORD = 'first password of a login'

export async function startWorld(options: PostgresOptions): Promise<World> {
  const server = await startPostgres(options)
  const sql = (text: string, database = 'postgres') => server.query(text, [], database)
  await sql(
    `CREATE ROLE ${ADMIN.username} LOGIN CREATEROLE PASSWORD '${ADMIN.password}' IN ROLE pg_signal_backend, pg_read_all_stats`
  )
  let count = 0
  const world: World = {
    server,
    sql,
    name: (stem) => `${stem}_${++count}`,
    pair: async ({ a = world.name('a'), b = world.name('b'), attributes = '' } = {}) => {
      const [x, y] = [a, b].map(quoted)
      await sql(`CREATE ROLE ${x} LOGIN PASSWORD '${FIRST_PASSWORD}' ${attributes}; CREATE ROLE ${y} LOGIN ${attributes};
        GRANT ${x}, ${y} TO ${ADMIN.username} WITH ADMIN OPTION`)
      return [a, b]
    },
    target: (settings = {}) => postgres({ ca: server.caPem, admin: adminOf(), ...settings }),
    document: (fields) => documentText(server, fields),
    credential: (pair, more = {}) =>
      world.target().inspect(world.document({ username: pair[0], pair, masterarn: 'admin', ...more }), {}),
    connect: (username, password, more = {}) => connect(server, username, password, more),
    stop: () => server.stop()
  }
  return world
}

export const adminOf =
  (more: object = {}): NonNullable<PostgresSettings['admin']> =>
  async () => ({ username: ADMIN.username, password: new SecretText(ADMIN.password), ...more })

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

function documentText(
  server: PostgresServer,
  { username, password = FIRST_PASSWORD, ...more }: { username: string; password?: string }
): SecretText {
  const base = { engine: 'postgres', host: server.host, port: server.port, dbname: 'postgres' }
  return new SecretText(JSON.stringify({ ...base, username, password, ...more }))
}

async function connect(server: PostgresServer, user: string, password: string, more: ClientConfig): Promise<Client> {
  const client = new Client({
    host: server.host,
    port: server.port,
    user,
    password,
    database: 'postgres',
    ssl: { ca: server.caPem },
    ...more
  })
  client.on('error', () => {})
  await client.connect()
  return client
}

export const passwordOf = ({ document }: Credential): string => JSON.parse(document.reveal()).password

export const soon = (): AbortSignal => AbortSignal.timeout(30_000)

export const NOBODY_KNOWN = async (): Promise<readonly string[]> => []

/** Settings with the server's superuser as the admin. */
export const superuserOf = ({ server }: World): Pick<PostgresSettings, 'admin'> => ({
  admin: async () => ({ username: server.superuser.user, password: new SecretText(server.superuser.password) })
})

/** Takes the hold, and gives it back whatever happens. */
export async function holding<T>(
  target: Target,
  place: Credential,
  work: (hold: TargetHold) => Promise<T>,
  metadata: Metadata = {}
): Promise<T> {
  const hold = await target.hold(place, metadata, soon())
  try {
    return await work(hold)
  } finally {
    await hold.release()
  }
}

/** Propose, hold, apply, verify: what a rotation does up to promote. */
export async function rotate(target: Target, current: Credential, metadata: Metadata = {}): Promise<Credential> {
  const next = await target.propose(current, metadata, 'token', soon())
  await holding(target, current, (hold) => hold.apply(next, NOBODY_KNOWN, soon()), metadata)
  const verdict = await target.verify(next, metadata, soon())
  if (verdict !== 'accepted') throw new Error(`verify said ${verdict}`)
  return next
}
