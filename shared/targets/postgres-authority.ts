import { hasCode, KeyturnError } from '../errors.ts'
import type { SecretText } from '../types.ts'
import { type RoleCatalog, type RoleFacts, readRoles } from './postgres-catalog.ts'
import { type Halves, type Last, markedComment, standingOf } from './postgres-halves.ts'
import type { OpenedSession } from './postgres-open.ts'
import { identifier, literal } from './postgres-sql.ts'
import { isVerifier, scramVerifier } from './scram.ts'

/** The session that holds the lock, with what it may change. */
export interface Authority extends OpenedSession {
  readonly halves: Halves
}

/** All or nothing. The caller's signal ends the wait, and with it the connection and the lock. */
export const inTransaction = <T>(authority: Authority, signal: AbortSignal, work: () => Promise<T>): Promise<T> =>
  transaction(authority, signal, () => authority.session.query('BEGIN', 'BEGIN', undefined, signal), work)

/** The same, on the halves as they are inside it: begun in one message with the first look at them. */
export const onHalves = <T>(authority: Authority, signal: AbortSignal, work: (roles: RoleCatalog) => Promise<T>): Promise<T> =>
  transaction(authority, signal, () => readHalves(authority, signal, 'BEGIN'), work)

async function transaction<First, T>(
  authority: Authority,
  signal: AbortSignal,
  begin: () => Promise<First>,
  work: (first: First) => Promise<T>
): Promise<T> {
  const { session } = authority
  try {
    const result = await work(await begin())
    await session.query('COMMIT', 'COMMIT', undefined, signal)
    return result
  } catch (e) {
    if (session.isOpen()) await session.query('ROLLBACK', 'ROLLBACK', undefined, signal)
    throw lockLost(authority, e)
  }
}

/** Whatever failed: when the connection is gone, so is the lock, and nobody knows what became of the last statement. */
export function lockLost({ session }: Authority, e: unknown): unknown {
  if (session.isOpen() || hasCode(e, 'unavailable/deadline')) return e
  return new KeyturnError('busy/lock-lost', `the session at ${session.where} that held the lock is gone`)
}

export const readHalves = (authority: Authority, signal: AbortSignal, before?: 'BEGIN'): Promise<RoleCatalog> =>
  readRoles(authority.session, authority.version, authority.halves.names, signal, before)

/** Statements of this transaction, and the errors they raise, stay out of the server's log, as far as the admin may say so. */
export async function mute({ session, version }: Authority, signal: AbortSignal): Promise<void> {
  const maySet = version >= 150_000 ? "has_parameter_privilege(name, 'SET')" : "current_setting('is_superuser') = 'on'"
  const values = Object.entries(QUIET).map(
    ([name, value]) => `(${literal(name)}, ${literal(value)}, ${name.startsWith('debug_')})`
  )
  // Not by pg_settings, which is made anew for each look. A setting of an extension that is not loaded has no value.
  await session.query(
    'muting the log',
    `SELECT CASE WHEN current_setting(name, true) IS NOT NULL AND (everybody OR ${maySet}) THEN set_config(name, value, true) END
     FROM (VALUES ${values.join(', ')}) v (name, value, everybody)`,
    undefined,
    signal
  )
}

/** Of these, anybody may set `debug_…`; the others are for superusers, and for whom they granted it to. */
const QUIET: Readonly<Record<string, string>> = {
  log_statement: 'none',
  log_min_error_statement: 'panic',
  log_min_duration_statement: '-1',
  log_min_duration_sample: '-1',
  log_transaction_sample_rate: '0',
  log_duration: 'off',
  debug_print_parse: 'off',
  debug_print_rewritten: 'off',
  debug_print_plan: 'off',
  'pg_stat_statements.track_utility': 'off',
  'pgaudit.log': 'none',
  'auto_explain.log_min_duration': '-1'
}

/** Refuses unless the role exists, is ours and may be altered. */
export function checkOurs(roles: RoleCatalog, halves: Halves, name: string): RoleFacts {
  const role = roles.roles.find((candidate) => candidate.name === name)
  if (!role) throw new KeyturnError('not-found/role', `the database has no role ${name}`)
  for (const { name: half, comment } of roles.roles) {
    if (standingOf(comment, halves) === 'foreign')
      throw new KeyturnError('conflict/pair-shared', `the comment on ${half} names another secret or another pair`)
  }
  if (!role.mayAlter)
    throw new KeyturnError('denied/admin-option', `${roles.me.name} may not alter ${name}: ${missingRight(roles, role)}`)
  return role
}

export function missingRight({ me, version }: RoleCatalog, { name, superuser, replication }: RoleFacts): string {
  if (superuser) return `${name} is a superuser, so the admin must be one`
  if (replication && version < 160_000) return `${name} has REPLICATION, so before 16 the admin must be a superuser`
  const createrole = me.createrole ? '' : `ALTER ROLE ${identifier(me.name)} CREATEROLE; `
  return version >= 160_000
    ? `${createrole}GRANT ${identifier(name)} TO ${identifier(me.name)} WITH ADMIN OPTION`
    : createrole.trim()
}

/**
 * Inside a transaction. Only the verifier travels. The mark changes with every password and commits with it: a replica that
 * shows the one has the other.
 */
export async function setPassword(
  authority: Authority,
  role: string,
  password: SecretText,
  mark: { readonly comment: string | null; readonly last: Last; readonly now: string } | undefined,
  signal: AbortSignal
): Promise<void> {
  // Made while the server is muted: 4096 rounds of hashing take as long as a statement.
  const [verifier] = await Promise.all([scramVerifier(password, authority.iterations), mute(authority, signal)])
  if (!isVerifier(verifier)) throw new KeyturnError('bug/internal', 'the verifier is malformed')
  const statements = [`ALTER ROLE ${identifier(role)} PASSWORD ${literal(verifier)}`]
  if (mark)
    statements.push(
      `COMMENT ON ROLE ${identifier(role)} IS ${literal(markedComment(mark.comment, authority.halves, mark.last, mark.now))}`
    )
  await authority.session.query(`setting the password of ${role}`, statements.join('; '), undefined, signal)
}
