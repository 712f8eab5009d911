import { KeyturnError } from './errors.ts'
import { filled, type Members, membersOf, reader, replaceMembers, secret } from './json-members.ts'
import type { SecretText } from './types.ts'

/** Another address that consumers use besides `host`. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly role: 'pooler' | 'reader'
}

/** What a database secret says, under AWS's own key names; `pair`, `verifyQuery` and `endpoints` are keyturn's. */
export interface DatabaseDocument {
  readonly engine: 'postgres'
  readonly host: string
  readonly port: number
  readonly dbname: string
  readonly username: string
  readonly password: SecretText
  /** The secret of the admin, as AWS's multi-user templates name it. */
  readonly masterarn?: string | undefined
  readonly ssl?: boolean | undefined
  /** The two logins that take turns. */
  readonly pair?: readonly [string, string] | undefined
  /** The owner's own check: one SELECT, run by the new login before it is promoted. */
  readonly verifyQuery?: string | undefined
  readonly endpoints: readonly Endpoint[]
}

/**
 * Reads a database secret; fields that are not keyturn's are ignored. Throws `unsupported/engine`, or
 * `invalid/document` naming the fields and never their values.
 */
export function parseDocument(text: SecretText): DatabaseDocument {
  const members = membersOf(text, KNOWN)
  const { read, optional, end } = reader(members)
  const engine = read('engine', 'must be a text', filled)
  if (engine !== undefined && !ENGINES.includes(engine.toLowerCase()))
    throw new KeyturnError('unsupported/engine', `engine is none of ${ENGINES.join(', ')}`)
  return end<DatabaseDocument>({
    engine: 'postgres' as const,
    host: read('host', 'must be a host name or address', hostName),
    port: read('port', 'must be a number from 1 to 65535', portNumber, 5432),
    dbname: read('dbname', 'must be a text', filled, 'postgres'),
    username: read('username', 'must be a text', filled),
    password: read('password', 'must be a text', secret),
    masterarn: optional('masterarn', 'must be a text', filled),
    ssl: optional('ssl', 'must be true or false', flag),
    pair: optional('pair', 'must be a list of two logins', twoNames),
    verifyQuery: optional('verifyQuery', 'must be a text', filled),
    endpoints: read('endpoints', 'must be a list of {host, port, role: pooler or reader}', endpointList(members), []) ?? []
  })
}

/** What an admin secret says. One that RDS manages has the first two only (RDS user guide, "Password management"). */
export interface AdminDocument {
  readonly username: string
  readonly password: SecretText
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/** Reads an admin secret. Throws `invalid/document`, like parseDocument. */
export function parseAdmin(text: SecretText): AdminDocument {
  const { read, optional, end } = reader(membersOf(text, KNOWN))
  return end<AdminDocument>({
    username: read('username', 'must be a text', filled),
    password: read('password', 'must be a text', secret),
    host: optional('host', 'must be a host name or address', hostName),
    port: optional('port', 'must be a number from 1 to 65535', portNumber)
  })
}

/** The same text with other values of `username` and `password`, and every other byte as it was. */
export const replaceFields = (
  text: SecretText,
  { username, password }: { readonly username: string; readonly password: SecretText }
): SecretText => replaceMembers(text, { username, password: password.reveal() }, KNOWN)

const ENGINES = ['postgres', 'postgresql', 'aurora-postgresql']

const KNOWN = new Set([
  'engine',
  'host',
  'port',
  'dbname',
  'username',
  'password',
  'masterarn',
  'ssl',
  'pair',
  'verifyQuery',
  'endpoints'
])

// A leading slash would make the driver take it for the folder of a unix socket, where there is no TLS.
const hostName = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[^\s/\\@,;?#'"]+$/.test(value) && !value.includes('\0') ? value : undefined

const portNumber = (value: unknown): number | undefined => {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined
}

// AWS's templates take the texts "true" and "false" as well.
const flag = (value: unknown): boolean | undefined => {
  const text = typeof value === 'string' ? value.toLowerCase() : value
  return text === true || text === 'true' ? true : text === false || text === 'false' ? false : undefined
}

const twoNames = (value: unknown): readonly [string, string] | undefined => {
  if (!Array.isArray(value) || value.length !== 2) return undefined
  const [a, b] = value.map(filled)
  return a === undefined || b === undefined ? undefined : [a, b]
}

const endpointList =
  (members: Members) =>
  (value: unknown): readonly Endpoint[] | undefined => {
    if (!Array.isArray(value)) return undefined
    const main = portNumber(members.get('port')?.value) ?? 5432
    const found = value.map((item: unknown) => endpoint(item, main))
    return found.includes(undefined) ? undefined : (found as Endpoint[])
  }

function endpoint(item: unknown, mainPort: number): Endpoint | undefined {
  const { host, port, role } = (item ?? {}) as { readonly [key: string]: unknown }
  const name = hostName(host)
  const number = portNumber(port ?? mainPort)
  if (name === undefined || number === undefined || (role !== 'pooler' && role !== 'reader')) return undefined
  return { host: name, port: number, role }
}
