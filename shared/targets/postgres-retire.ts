import type { DatabaseDocument, Endpoint } from '../document.ts'
import { hasCode, KeyturnError } from '../errors.ts'
import { DEFAULT_PASSWORD_POLICY, generatePassword } from '../password.ts'
import type { Proof } from '../ports/target.ts'
import { sessionsText } from '../ports/usage.ts'
import { type Instant, instant } from '../types.ts'
import { type Authority, checkOurs, onHalves, readHalves, setPassword } from './postgres-authority.ts'
import { pause, waitForComment } from './postgres-endpoints.ts'
import { readHints, signalCure } from './postgres-hints.ts'
import { type Opening, openReader } from './postgres-open.ts'
import { logIn, type Session } from './postgres-session.ts'
import { readUsage } from './postgres-usage.ts'

/** Everything that a retirement needs to know. `place` is a document of the secret that logs in today. */
export interface Retirement {
  readonly opening: Opening
  readonly authority: Authority
  readonly old: DatabaseDocument
  readonly place: DatabaseDocument
}

/** A backend ends within milliseconds of being told, unless it is stuck in the kernel. */
const END_WITHIN_MS = 5_000

/** Replaces the old password by one that nobody keeps, sees that no session is left, and proves the refusal by one login. */
export async function retire(retirement: Retirement, endSessions: boolean, signal: AbortSignal): Promise<Proof> {
  const { opening, authority, old } = retirement
  await (endSessions ? checkMayEnd(retirement, signal) : refuseUsed(retirement, signal))
  await scramble(retirement, signal)
  const ended = endSessions ? await endAll(retirement, signal) : 0
  // Whoever logged in between the first look and the new password has a session all the same. A repeat looks again.
  await refuseUsed(retirement, signal)
  const refusal = await proveRefused(opening, old, signal)
  const at = await serverTime(authority, signal)
  return { principal: old.username, at, method: 'login', refusal, endpoint: `${old.host}:${old.port}`, sessionsEnded: ended }
}

const readersOf = ({ endpoints }: DatabaseDocument): Endpoint[] => endpoints.filter(({ role }) => role === 'reader')

async function refuseUsed({ opening, authority, old, place }: Retirement, signal: AbortSignal): Promise<void> {
  const usage = await readUsage(opening, authority, old, place, signal)
  if (usage.state === 'unused') return
  if (usage.state === 'cannot-tell')
    throw new KeyturnError('conflict/in-use', `whether ${old.username} is in use cannot be told: ${usage.why}`)
  const shown = usage.sessions.slice(0, 10)
  const more = usage.sessions.length > shown.length ? ` and ${usage.sessions.length - shown.length} more` : ''
  throw new KeyturnError('conflict/in-use', `${old.username} has sessions: ${sessionsText(shown)}${more}`)
}

/** Asked before the password is replaced, so that a refusal has changed nothing. */
async function checkMayEnd({ authority, old }: Retirement, signal: AbortSignal): Promise<void> {
  const { maySignal } = await readHints(authority.session, old.username, signal)
  if (!maySignal) throw new KeyturnError('denied/privilege', signalCure(authority.session.user, old.username))
}

/**
 * Not NOLOGIN: a refusal for that reason says nothing of the password, and the next rotation would have to lift it. Readers are
 * waited for, because until they know they let the old password in.
 */
async function scramble({ opening, authority, old, place }: Retirement, signal: AbortSignal): Promise<void> {
  const { halves } = authority
  await onHalves(authority, signal, async (roles) => {
    const { comment } = checkOurs(roles, halves, old.username)
    const nobodys = generatePassword({ ...DEFAULT_PASSWORD_POLICY, length: 64 })
    await setPassword(authority, old.username, nobodys, { comment, last: 'retired', now: roles.now }, signal)
  })
  if (readersOf(old).length === 0) return
  const { roles } = await readHalves(authority, signal)
  const comment = roles.find(({ name }) => name === old.username)?.comment ?? null
  for (const endpoint of readersOf(old))
    await waitForComment(opening, place, halves, { endpoint, role: old.username, comment }, signal)
}

/** Ends the sessions on the server and on every reader; gives back how many there were. */
async function endAll(retirement: Retirement, signal: AbortSignal): Promise<number> {
  const { opening, authority, old, place } = retirement
  const readers: Session[] = []
  const ended = new Set<string>()
  const until = performance.now() + END_WITHIN_MS
  try {
    for (const endpoint of readersOf(old)) readers.push(await openReader(opening, place, authority.halves, endpoint, signal))
    for (;;) {
      const found = await Promise.all(
        [authority.session, ...readers].map((session) => endSessionsOf(session, old.username, signal))
      )
      for (const pid of found.flat()) ended.add(pid)
      if (found.flat().length === 0 || performance.now() > until) return ended.size
      await pause(20, signal)
    }
  } finally {
    for (const reader of readers) await reader.close()
  }
}

/**
 * Never our own session, never replication (a consumer's slot would fall behind in silence; pg_stat_replication shows its process to
 * everybody, where backend_type is null).
 */
async function endSessionsOf(session: Session, name: string, signal: AbortSignal): Promise<string[]> {
  const sql = `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = $1 AND pid <> pg_backend_pid() AND pid NOT IN (SELECT pid FROM pg_stat_replication)`
  const rows = await session.query<{ pid: number }>(`ending the sessions of ${name}`, sql, [name], signal)
  return rows.map(({ pid }) => `${session.where} ${pid}`)
}

async function proveRefused(opening: Opening, old: DatabaseDocument, signal: AbortSignal): Promise<string> {
  let session: Session
  try {
    session = await logIn(old, opening, signal)
  } catch (e) {
    // Any other refusal (pg_hba, NOLOGIN, no connection left) came before the password was looked at, and proves nothing.
    if (hasCode(e, 'denied/login') && e.vendor === '28P01') return e.vendor
    throw e
  }
  await session.close()
  throw new KeyturnError('bug/proof', `${old.username} still logs in at ${session.where} with the old password`)
}

async function serverTime({ session }: Authority, signal: AbortSignal): Promise<Instant> {
  const sql = 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms'
  const [row] = await session.query<{ ms: number }>('reading the clock', sql, undefined, signal)
  return instant(Math.round(row?.ms ?? 0))
}
