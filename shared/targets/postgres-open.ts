import type { DatabaseDocument, Endpoint } from '../document.ts'
import { hasCode, KeyturnError } from '../errors.ts'
import type { PasswordPolicy } from '../password.ts'
import type { SecretText } from '../types.ts'
import { type Halves, lockKey } from './postgres-halves.ts'
import { type Login, logIn, type Session, type SessionSettings } from './postgres-session.ts'

/** What the admin secret says. */
export interface AdminLogin {
  readonly username: string
  readonly password: SecretText
  /** Absent in an RDS-managed master secret, which holds only username and password. */
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly dbname?: string | undefined
  /**
   * The reader of the secret made sure that this host is the writer of the document's host (an endpoint of the same cluster, the
   * source of a replica), so the two names may differ.
   */
  readonly hostIsChecked?: boolean | undefined
}

export interface Opening extends SessionSettings {
  /** Reads the admin secret, anew at each call. `host` is the document's. May throw `not-found/admin-secret`. */
  readonly admin?: ((reference: string, host: string, signal: AbortSignal) => Promise<AdminLogin>) | undefined
  readonly replicaBoundMs: number
  readonly passwordPolicy: PasswordPolicy
}

export interface OpenedSession {
  readonly session: Session
  readonly version: number
  /** What the server makes its own SCRAM verifiers with (16 and later). */
  readonly iterations: number | undefined
  readonly locked: boolean
}

/**
 * Opens the session that changes roles: the admin's, or (twin, single) the document's own. With `lock` it tries to
 * take the pair's advisory lock in the same query that looks whether this is the right place for it.
 */
export async function openAuthority(
  opening: Opening,
  document: DatabaseDocument,
  halves: Halves,
  lock: boolean,
  signal: AbortSignal
): Promise<OpenedSession> {
  const session = await logInAsAuthority(opening, document, halves, signal)
  try {
    return await prepare(session, opening, halves, lock, signal)
  } catch (e) {
    await session.close()
    throw e
  }
}

async function logInAsAuthority(
  opening: Opening,
  document: DatabaseDocument,
  halves: Halves,
  signal: AbortSignal
): Promise<Session> {
  const { admin } = halves
  if (admin === undefined) return logIn(document, opening, signal)
  const attempt = async () => logIn(await adminLogin(opening, document, admin, signal), opening, signal)
  try {
    return await attempt()
  } catch (e) {
    // The admin's own secret may have been rotated between our read and this login: read once more, and no more than that.
    if (!hasCode(e, 'denied/login')) throw e
    return attempt()
  }
}

async function adminLogin(opening: Opening, document: DatabaseDocument, reference: string, signal: AbortSignal): Promise<Login> {
  if (!opening.admin)
    throw new KeyturnError('not-found/admin-secret', 'the secret names an admin, and nothing here can read admin secrets')
  const admin = await opening.admin(reference, document.host, signal)
  const host = admin.host ?? document.host
  if (host.toLowerCase() !== document.host.toLowerCase() && admin.hostIsChecked !== true)
    throw new KeyturnError('invalid/host-mismatch', `the admin secret is for ${host}, the secret for ${document.host}`)
  // The lock lives in one database, so it is always the document's, whatever the admin's own secret names.
  return { host, port: admin.port ?? document.port, dbname: document.dbname, username: admin.username, password: admin.password }
}

/** A session on a reader, for looking only: its own login, whose roles are the writer's. */
export async function openReader(
  opening: Opening,
  document: DatabaseDocument,
  { admin }: Halves,
  { host, port }: Endpoint,
  signal: AbortSignal
): Promise<Session> {
  const login = admin === undefined ? document : await adminLogin(opening, document, admin, signal)
  // Nothing is set on it: a reader may be reached through a pooler as well.
  return logIn({ ...login, host, port, dbname: document.dbname }, opening, signal)
}

type Prepared = { pid: number; recovering: boolean; iterations: string | null; locked: boolean | null }

async function prepare(
  session: Session,
  opening: Opening,
  halves: Halves,
  lock: boolean,
  signal: AbortSignal
): Promise<OpenedSession> {
  const { statementTimeoutMs } = opening
  const timeouts = [statementTimeoutMs, Math.ceil(statementTimeoutMs / 2)].map(String)
  const values = [session.announcedPid, lock ? lockKey(halves) : null, ...timeouts]
  const [row] = await session.query<Prepared>('opening the session', prepareQuery(halves), values, signal)
  if (!row) throw new KeyturnError('bug/internal', 'the server answered no row')
  // PgBouncer and its like announce a process id of their own, so that they can route cancel requests: one look is enough, and it
  // sees a pooler that happens to have one server connection as well.
  if (session.announcedPid !== row.pid)
    throw new KeyturnError('invalid/pooler', `${session.where} is a pooler: the lock needs a session of its own on the server`)
  if (row.recovering) throw new KeyturnError('unavailable/read-only', `${session.where} is a replica`)
  if (session.version < 140_000) throw new KeyturnError('unsupported/engine', 'keyturn needs PostgreSQL 14 or later')
  const iterations = row.iterations ? Number(row.iterations) : undefined
  return { session, version: session.version, iterations, locked: row.locked === true }
}

/**
 * Nothing is set and no lock is taken on a connection that a pooler would hand to the next client: both are done by the same
 * query, and only where it runs in the process that the server announced.
 */
function prepareQuery({ admin }: Halves): string {
  const settings = [
    // Only the server's own functions and tables, whatever somebody put in front of them.
    ["'search_path'", "'pg_catalog'"],
    ["'standard_conforming_strings'", "'on'"],
    ["'statement_timeout'", '$3'],
    // A role that somebody else is altering is waited for, and told from a slow server.
    ["'lock_timeout'", '$4'],
    // A half that acts as an owner role may change its own password only as itself. An admin acts as whom it was set to.
    ...(admin === undefined ? [["'role'", "'none'"]] : [])
  ]
  const isDirect = 'pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) $1::pg_catalog.int4'
  const isWriter = 'NOT pg_catalog.pg_is_in_recovery()'
  return `SELECT ${settings.map(([name, value]) => `CASE WHEN ${isDirect} THEN pg_catalog.set_config(${name}, ${value}, false) END`).join(', ')},
  pg_catalog.pg_backend_pid() AS pid, pg_catalog.pg_is_in_recovery() AS recovering,
  pg_catalog.current_setting('scram_iterations', true) AS iterations,
  CASE WHEN ${isDirect} AND ${isWriter} AND $2::pg_catalog.int8 IS NOT NULL
    THEN pg_catalog.pg_try_advisory_lock($2::pg_catalog.int8) END AS locked`
}
