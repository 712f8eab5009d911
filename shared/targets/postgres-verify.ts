import type { DatabaseDocument, Endpoint } from '../document.ts'
import { type Code, hasCode, KeyturnError } from '../errors.ts'
import type { Context, Credential } from '../ports/target.ts'
import { readDifferences } from './postgres-apply.ts'
import { type RoleCatalog, readRoles } from './postgres-catalog.ts'
import { logInAtPooler, logInAtReader } from './postgres-endpoints.ts'
import { sqlState } from './postgres-errors.ts'
import { type Halves, otherHalf, readCredential, readMark } from './postgres-halves.ts'
import type { Opening } from './postgres-open.ts'
import { logIn, type Session } from './postgres-session.ts'

/** Logs in as the candidate wherever consumers do, once each; one login in all where there are no more endpoints. */
export async function verifyCandidate(
  opening: Opening,
  candidate: Credential,
  metadata: Context,
  { compare }: { readonly compare: boolean },
  signal: AbortSignal
): Promise<'accepted' | 'rejected'> {
  const { document, halves } = readCredential(candidate.document, metadata)
  let session: Session
  try {
    session = await logIn(document, opening, signal)
  } catch (e) {
    // 28P01 is the one answer that is about the credential: everything else is about the way to it.
    if (hasCode(e, 'denied/login') && e.vendor === '28P01') return 'rejected'
    throw e
  }
  try {
    const reads = compare || document.endpoints.some(({ role }) => role === 'reader')
    const comment = reads ? await checkComplete(session, opening, document.username, { halves, compare }, signal) : null
    await runCheck(session, opening, document, signal)
    for (const endpoint of document.endpoints) await verifyEndpoint(opening, document, halves, endpoint, comment, signal)
  } finally {
    await session.close()
  }
  return 'accepted'
}

/**
 * Compares the candidate with its counterpart, from the candidate's own session (the catalogs are open to everybody). Only a
 * candidate that was set last is the one that takes over; for a login that has long been current the comparison
 * would run the wrong way, against a half that gets its changes when its turn comes. Gives back the candidate's comment.
 */
async function checkComplete(
  session: Session,
  opening: Opening,
  name: string,
  { halves, compare }: { readonly halves: Halves; readonly compare: boolean },
  signal: AbortSignal
): Promise<string | null> {
  await session.query(
    'BEGIN',
    readOnly(opening, "SET LOCAL search_path = 'pg_catalog'; SET LOCAL standard_conforming_strings = on"),
    undefined,
    signal
  )
  const { version } = session
  let roles = await readRoles(session, version, halves.names, signal)
  const mark = readMark(commentOf(roles, name))
  // Without the secret's metadata a pair looks like a single login; the mark knows better.
  const told = halves.mode === 'single' && mark?.pair.includes(name) ? mark.pair : halves.names
  if (told !== halves.names) roles = await readRoles(session, version, told, signal)
  const from = otherHalf({ ...halves, names: told }, name)
  const isLast = mark?.last === 'set' && mark.at > (readMark(commentOf(roles, from))?.at ?? '')
  if (compare && from !== name && isLast && roles.roles.length === 2) {
    const of = { session, version, halves: { ...halves, names: told } }
    const { changes, refusals } = await readDifferences(of, roles, { from, to: name }, signal)
    const found = [...refusals.map(({ message }) => message), ...changes.map(({ why }) => why)]
    if (found.length > 0) throw new KeyturnError('invalid/parity', found.slice(0, 5).join('; '))
  }
  await session.query('ROLLBACK', 'ROLLBACK', undefined, signal)
  return commentOf(roles, name)
}

const commentOf = (roles: RoleCatalog, name: string): string | null =>
  roles.roles.find((role) => role.name === name)?.comment ?? null

const readOnly = ({ statementTimeoutMs }: Opening, more: string): string =>
  `BEGIN READ ONLY; SET LOCAL statement_timeout = ${statementTimeoutMs}; ${more}`

/**
 * The owner's own check, as the new login, in a read-only transaction that is rolled back. One statement, by the extended protocol,
 * which takes no second one. It fails by an error, or by `false` as its first value (what a query under row-level security can
 * say); no rows are no failure, because a new table has none.
 */
async function runCheck(
  session: Session,
  opening: Opening,
  { verifyQuery }: DatabaseDocument,
  signal: AbortSignal
): Promise<void> {
  if (verifyQuery === undefined) return
  await session.query('BEGIN', readOnly(opening, ''), undefined, signal)
  try {
    const [row] = await session.queryRaw(verifyQuery, signal)
    if (row && Object.values(row)[0] === false)
      throw new KeyturnError('denied/workload-check', `the owner’s check answered false for ${session.user} at ${session.where}`)
  } catch (e) {
    const state = sqlState(e)
    if (state === undefined)
      throw e instanceof KeyturnError ? e : new KeyturnError('unavailable/server', 'the owner’s check was cut off')
    throw new KeyturnError(
      CHECK_STATES[state] ?? 'denied/workload-check',
      `the owner’s check failed with ${state} for ${session.user} at ${session.where}`,
      state
    )
  }
  await session.query('ROLLBACK', 'ROLLBACK', undefined, signal)
}

/** What is wrong with the statement itself; all else may be the login's fault (a missing right, another search_path). */
const CHECK_STATES: Readonly<Record<string, Code>> = {
  // Two statements are a syntax error to the extended protocol, too.
  '42601': 'invalid/verify-query',
  '25006': 'invalid/verify-query',
  '25001': 'invalid/verify-query',
  '2D000': 'invalid/verify-query',
  '57P01': 'unavailable/server',
  '53300': 'throttled/connections'
}

async function verifyEndpoint(
  opening: Opening,
  document: DatabaseDocument,
  halves: Halves,
  endpoint: Endpoint,
  comment: string | null,
  signal: AbortSignal
): Promise<void> {
  const session = await (endpoint.role === 'reader'
    ? logInAtReader(opening, document, halves, endpoint, comment, signal)
    : logInAtPooler(opening, document, endpoint, signal))
  try {
    await runCheck(session, opening, document, signal)
  } finally {
    await session.close()
  }
}
