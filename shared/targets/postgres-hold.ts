import { type DatabaseDocument, parseDocument } from '../document.ts'
import { KeyturnError } from '../errors.ts'
import type { Context, Credential, TargetHold } from '../ports/target.ts'
import { applyHandover } from './postgres-apply.ts'
import { type Authority, checkOurs, inTransaction, lockLost, onHalves, setPassword } from './postgres-authority.ts'
import { lockKey, otherHalf, readCredential } from './postgres-halves.ts'
import { type Opening, openAuthority } from './postgres-open.ts'
import { retire } from './postgres-retire.ts'
import { readUsage } from './postgres-usage.ts'

/** Takes the pair's lock: an advisory lock on the session that also runs every ALTER, so that a lost lock fences by itself. */
export async function holdPair(opening: Opening, place: Credential, metadata: Context, signal: AbortSignal): Promise<TargetHold> {
  const { document, halves } = readCredential(place.document, metadata)
  const opened = await openAuthority(opening, document, halves, true, signal)
  if (!opened.locked) {
    await opened.session.close()
    throw new KeyturnError('busy/locked', `another run holds the lock of ${halves.names.join(' and ')}`)
  }
  return holdOf(opening, { ...opened, halves }, document)
}

function holdOf(opening: Opening, authority: Authority, place: DatabaseDocument): TargetHold {
  const { halves } = authority
  /** Every method fails once the lock is gone, and none touches a login that is not the secret's. */
  const guarded = async <T>(
    { principal, document }: Credential,
    work: (document: DatabaseDocument) => Promise<T>
  ): Promise<T> => {
    if (!halves.names.includes(principal))
      throw new KeyturnError('invalid/pair', `the lock is of ${halves.names.join(' and ')}, not of ${principal}`)
    try {
      return await work(parseDocument(document))
    } catch (e) {
      throw lockLost(authority, e)
    }
  }
  let released = false
  return {
    apply: (next, known, signal) =>
      guarded(next, async ({ username, password }) =>
        halves.mode === 'single'
          ? applyAlone(authority, username, password, signal)
          : applyHandover(authority, { from: otherHalf(halves, username), to: username }, password, known, signal)
      ),
    disable: (old) =>
      guarded(old, async () => {
        throw new KeyturnError('unsupported/disable', `${old.principal} is retired at once`)
      }),
    usage: (old, signal) => guarded(old, (document) => readUsage(opening, authority, document, place, signal)),
    retire: (old, { endSessions }, signal) =>
      guarded(old, (document) => retire({ opening, authority, old: document, place }, endSessions, signal)),
    // Nothing to undo: no reader was given the value, and the next apply replaces it. Scrambling the half instead would kill what it
    // had before where this value never got there, and that may be the previous one, in its grace. A pending that leaked is retired.
    discard: (next) => guarded(next, async () => {}),
    heal: (current, signal) => guarded(current, ({ password }) => heal(authority, current.principal, password, signal)),
    live: async () => ({ keys: [] }),
    check: (signal) => check(authority, signal),
    release: async () => {
      if (released) return
      released = true
      await release(authority)
    }
  }
}

/** The exception: one login changes its own password. Nothing else is compared, because nothing else changes. */
function applyAlone(
  authority: Authority,
  name: string,
  password: DatabaseDocument['password'],
  signal: AbortSignal
): Promise<void> {
  return inTransaction(authority, signal, () => setPassword(authority, name, password, undefined, signal))
}

async function heal(
  authority: Authority,
  name: string,
  password: DatabaseDocument['password'],
  signal: AbortSignal
): Promise<void> {
  if (authority.halves.admin === undefined)
    throw new KeyturnError('bug/broken', `the server refuses ${name}, and there is no admin secret by which to set its password`)
  await onHalves(authority, signal, async (roles) => {
    const { comment } = checkOurs(roles, authority.halves, name)
    await setPassword(authority, name, password, { comment, last: 'healed', now: roles.now }, signal)
  })
}

async function check(authority: Authority, signal: AbortSignal): Promise<void> {
  const { session, halves } = authority
  const lost = new KeyturnError('busy/lock-lost', `the session at ${session.where} that held the lock is gone`)
  if (!session.isOpen()) throw lost
  try {
    // A key of one int8 is shown in two halves, with objsubid 1 (postgresql.org/docs/current/view-pg-locks.html).
    const sql = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted AND objsubid = 1
      AND (classid::int8 << 32 | objid::int8) = $1::int8`
    const rows = await session.query('asking for the lock', sql, [lockKey(halves)], signal)
    if (rows.length === 0) throw lost
  } catch (e) {
    throw lockLost(authority, e)
  }
}

/** Closing the session gives the lock back too, but some time later: the next run would find it held. */
async function release({ session, halves }: Authority): Promise<void> {
  const unlock = () =>
    session.query('unlocking', 'SELECT pg_advisory_unlock($1::int8)', [lockKey(halves)], AbortSignal.timeout(2_000))
  if (session.isOpen()) await unlock().catch(() => {})
  await session.close()
}
