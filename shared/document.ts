import { type Node, parseTree } from 'jsonc-parser'
import { KeyturnError } from './errors.ts'
import { SecretText } from './types.ts'

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
 * `invalid/document` naming the fields and never their values (JSON.parse quotes its input, so its message stays here).
 */
export function parseDocument(text: SecretText): DatabaseDocument {
  const members = membersOf(text)
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
  const { read, optional, end } = reader(membersOf(text))
  return end<AdminDocument>({
    username: read('username', 'must be a text', filled),
    password: read('password', 'must be a text', secret),
    host: optional('host', 'must be a host name or address', hostName),
    port: optional('port', 'must be a number from 1 to 65535', portNumber)
  })
}

/** Reads members one by one and names everything that is wrong at the end, together. */
function reader(members: ReadonlyMap<string, Member>) {
  const wrong: string[] = []
  const read = <T>(key: string, want: string, check: (value: unknown) => T | undefined, fallback?: T): T | undefined => {
    const value = members.get(key)?.value
    // AWS's console and CloudFormation write null for "not given".
    if ((value === undefined || value === null) && fallback !== undefined) return fallback
    const found = check(value ?? undefined)
    if (found === undefined) wrong.push(`${key} ${want}`)
    return found
  }
  const optional = <T>(key: string, want: string, check: (value: unknown) => T | undefined): T | undefined =>
    (members.get(key)?.value ?? undefined) === undefined ? undefined : read(key, want, check)
  const end = <T>(found: { readonly [K in keyof T]: T[K] | undefined }): T => {
    if (wrong.length > 0) throw new KeyturnError('invalid/document', `the secret’s ${wrong.join('; ')}`)
    return found as T
  }
  return { read, optional, end }
}

/** The same text with other values of `username` and `password`, and every other byte as it was. */
export function replaceFields(
  text: SecretText,
  fields: { readonly username: string; readonly password: SecretText }
): SecretText {
  const members = membersOf(text)
  const edits = [
    { node: members.get('username'), value: fields.username },
    { node: members.get('password'), value: fields.password.reveal() }
  ]
  let result = text.reveal()
  for (const { node, value } of edits.sort((x, y) => (y.node?.offset ?? 0) - (x.node?.offset ?? 0))) {
    if (node === undefined) throw new KeyturnError('invalid/document', 'the secret has no username or no password to replace')
    result = result.slice(0, node.offset) + JSON.stringify(value) + result.slice(node.offset + node.length)
  }
  return new SecretText(result)
}

const ENGINES = ['postgres', 'postgresql', 'aurora-postgresql']

type Member = { readonly value: unknown; readonly offset: number; readonly length: number }

/** The members of the top level, with the place of each value in the text. */
function membersOf(text: SecretText): ReadonlyMap<string, Member> {
  const source = text.reveal()
  const value = parsed(source)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new KeyturnError('invalid/document', 'the secret is JSON, but not an object')
  const members = new Map<string, Member>()
  for (const property of parseTree(source)?.children ?? []) {
    const [key, node] = (property.children ?? []) as readonly (Node | undefined)[]
    if (key === undefined || node === undefined) continue
    const name = String(key.value)
    // Readers disagree on which one counts: the first, or (JSON.parse) the last.
    if (members.has(name) && KNOWN.has(name)) throw new KeyturnError('invalid/document', `the secret names ${name} twice`)
    members.set(name, { value: (value as Record<string, unknown>)[name], offset: node.offset, length: node.length })
  }
  return members
}

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

function parsed(source: string): unknown {
  if (source.trim() === '') throw new KeyturnError('invalid/document', 'the secret is empty')
  try {
    return JSON.parse(source)
  } catch {
    throw new KeyturnError('invalid/document', 'the secret is not JSON')
  }
}

// Postgres ends every text of the startup message at a NUL: what follows one would be cut, not refused.
const filled = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && !value.includes('\0') ? value : undefined

const secret = (value: unknown): SecretText | undefined => {
  const text = filled(value)
  return text === undefined ? undefined : new SecretText(text)
}

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
  (members: ReadonlyMap<string, Member>) =>
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
