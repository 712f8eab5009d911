import type { Session } from './postgres-session.ts'
import { identifier } from './postgres-sql.ts'

/** What is worth a word before a rotation and no reason to refuse one. */
export interface Hints {
  /** The session's role may end sessions of the login. */
  readonly maySignal: boolean
  /** Functions and views that ask for the current user: mostly to write it into a log, sometimes to decide by it. */
  readonly askers: readonly string[]
  /** Other databases in which the login owns something or was granted something: this session cannot look there. */
  readonly elsewhere: readonly string[]
}

export const signalCure = (me: string, name: string): string =>
  `${me} may not end sessions of ${name}: GRANT pg_signal_backend TO ${identifier(me)} (a superuser’s sessions only a superuser may end)`

/** The session's search_path must be pg_catalog alone. */
export async function readHints(session: Session, name: string, signal: AbortSignal): Promise<Hints> {
  const [row] = await session.query<{ hints: Hints }>('reading hints', QUERY, [name], signal)
  return row?.hints ?? { maySignal: true, askers: [], elsewhere: [] }
}

const ASKS = `~* '\\m(current_user|session_user|current_role)\\M'`

const QUERY = `
WITH login AS (SELECT oid, rolsuper FROM pg_roles WHERE rolname = $1),
own AS (SELECT oid, nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema')
SELECT json_build_object(
  'maySignal', (SELECT pg_has_role(login.oid, 'USAGE') OR (NOT login.rolsuper AND pg_has_role('pg_signal_backend', 'USAGE')) FROM login),
  'askers', (SELECT coalesce(json_agg(what), '[]') FROM (
      SELECT 'function ' || p.oid::regprocedure::text AS what FROM pg_proc p JOIN own ON own.oid = p.pronamespace WHERE p.prosrc ${ASKS}
      UNION ALL
      SELECT 'view ' || c.oid::regclass::text FROM pg_class c JOIN own ON own.oid = c.relnamespace
      WHERE c.relkind IN ('v', 'm') AND pg_get_viewdef(c.oid) ${ASKS} ORDER BY 1 LIMIT 10) found),
  'elsewhere', (SELECT coalesce(json_agg(DISTINCT d.datname), '[]') FROM pg_shdepend s JOIN login ON login.oid = s.refobjid
      JOIN pg_database d ON d.oid = s.dbid
      WHERE s.refclassid = 'pg_authid'::regclass AND s.deptype IN ('o', 'a') AND d.datname <> current_database())
) AS hints`
