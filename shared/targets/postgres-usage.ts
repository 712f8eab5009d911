import type { DatabaseDocument } from '../document.ts'
import type { SessionUsage } from '../ports/target.ts'
import { cannotTell } from '../ports/usage.ts'
import type { Authority } from './postgres-authority.ts'
import { type Opening, openReader } from './postgres-open.ts'
import type { Session } from './postgres-session.ts'

type Row = { application: string; address: string; count: number }

/**
 * Sessions of a login, in every database of the server and on every reader that the secret names: a replica's sessions are
 * to be seen on the replica only. Login, process and application are shown to everybody in pg_stat_activity; the rest
 * (backend_type too, which must not be filtered by then) is null to whom has neither the login's rights nor
 * pg_read_all_stats: such an address is given as `hidden`.
 */
export async function readUsage(
  opening: Opening,
  authority: Authority,
  old: DatabaseDocument,
  current: DatabaseDocument,
  signal: AbortSignal
): Promise<SessionUsage> {
  const rows: Row[] = []
  try {
    rows.push(...(await sessionsOf(authority.session, old.username, signal)))
    for (const endpoint of old.endpoints.filter(({ role }) => role === 'reader')) {
      const reader = await openReader(opening, current, authority.halves, endpoint, signal)
      try {
        rows.push(...(await sessionsOf(reader, old.username, signal)))
      } finally {
        await reader.close()
      }
    }
  } catch (e) {
    // Somebody who is asked about a reader that cannot be reached must not hear "unused".
    if (!authority.session.isOpen()) throw e
    return cannotTell(e)
  }
  if (rows.length === 0) return { state: 'unused' }
  return { state: 'used', sessions: rows.map((row) => ({ principal: old.username, ...row })) }
}

/** Everything that runs under the login counts, walsenders as well: a login that only replicates is in use. */
const sessionsOf = (session: Session, name: string, signal: AbortSignal): Promise<Row[]> =>
  session.query<Row>(
    `reading the sessions at ${session.where}`,
    `SELECT coalesce(application_name, '') AS application,
       CASE WHEN client_port = -1 THEN 'local' ELSE coalesce(host(client_addr), 'hidden') END AS address, count(*)::int AS count
     FROM pg_stat_activity WHERE usename = $1 AND pid <> pg_backend_pid()
     GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`,
    [name],
    signal
  )
