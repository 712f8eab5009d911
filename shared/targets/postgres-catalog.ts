import { KeyturnError } from '../errors.ts'
import type { Session } from './postgres-session.ts'
import { literal } from './postgres-sql.ts'

export interface RoleFacts {
  readonly name: string
  readonly canLogin: boolean
  readonly superuser: boolean
  readonly createdb: boolean
  readonly createrole: boolean
  readonly replication: boolean
  readonly bypassrls: boolean
  readonly inherit: boolean
  readonly connectionLimit: number
  /** ISO 8601 in the session's zone; null and infinity are the same. */
  readonly validUntil: string | null
  readonly expired: boolean
  readonly comment: string | null
  /** The session's role may alter this one (before 16 a superuser only, where it has REPLICATION), and may grant it to others. */
  readonly mayAlter: boolean
  readonly mayGrant: boolean
}

/** One membership, with what it carries. Before 16 INHERIT is the member's attribute, and SET always given. */
export interface Edge {
  readonly member: string
  readonly role: string
  readonly admin: boolean
  readonly inherit: boolean
  readonly set: boolean
  /** The session's role may grant `role` to others. */
  readonly mayGrant: boolean
}

/** A row of ALTER ROLE … SET; role null: ALTER DATABASE or ALTER ROLE ALL. */
export interface Setting {
  readonly role: string | null
  readonly database: string | null
  readonly name: string
  readonly value: string
  /** The session's role may set it for another role. */
  readonly maySet: boolean
}

export interface RoleCatalog {
  readonly version: number
  readonly database: string
  /** The server's clock, in microseconds: no two looks are the same. */
  readonly now: string
  readonly me: Pick<RoleFacts, 'name' | 'superuser' | 'createdb' | 'createrole' | 'replication' | 'bypassrls'>
  readonly roles: readonly RoleFacts[]
  readonly edges: readonly Edge[]
  readonly settings: readonly Setting[]
}

/**
 * Everything about the roles themselves, from catalogs that every role may read (pg_authid is not one of them). The
 * session's search_path must be pg_catalog alone: whoever may create functions elsewhere could stand in for ours.
 * Four plain statements in one text: one statement that gathers all as JSON takes a new session three times as long.
 */
export async function readRoles(
  session: Session,
  version: number,
  names: readonly string[],
  signal: AbortSignal,
  before?: 'BEGIN'
): Promise<RoleCatalog> {
  const list = names.map(literal).join(', ')
  const statements = [PLACE, rolesQuery(list), edgesQuery(list, version), settingsQuery(list)]
  const text = [...(before ? [before] : []), ...statements].join('; ')
  const [place, known, edges, settings] = (await session.queryAll('reading the roles', text, signal)).slice(-4) as [
    Place[],
    RoleRow[],
    EdgeRow[],
    Omit<Setting, 'maySet'>[]
  ]
  const me = known.find(({ name }) => name === place[0]?.me)
  if (!place[0] || !me) throw new KeyturnError('bug/internal', 'the catalog answered no row')
  const mayGrant = (isAdmin: boolean, superuser: boolean): boolean =>
    me.superuser || isAdmin || (version < 160_000 && me.createrole && !superuser)
  const mayAlter = (r: RoleRow): boolean =>
    me.superuser || (me.createrole && !r.superuser && (version >= 160_000 || !r.replication) && mayGrant(r.isAdmin, r.superuser))
  return {
    version,
    database: place[0].database,
    now: place[0].now,
    me,
    roles: known
      .filter(({ name }) => names.includes(name))
      .map(({ isAdmin, ...r }) => ({ ...r, mayAlter: mayAlter({ isAdmin, ...r }), mayGrant: mayGrant(isAdmin, r.superuser) })),
    edges: edges.map(({ isAdmin, superuser, ...e }) => ({ ...e, mayGrant: mayGrant(isAdmin, superuser) })),
    settings: await withRights(session, version, me.superuser, settings, signal)
  }
}

type Place = { readonly me: string; readonly database: string; readonly now: string }
/** `isAdmin`: the session's role has ADMIN OPTION. Before 16 CREATEROLE is enough for every role but a superuser. */
type RoleRow = Omit<RoleFacts, 'mayAlter' | 'mayGrant'> & { readonly isAdmin: boolean }
type EdgeRow = Omit<Edge, 'mayGrant'> & { readonly isAdmin: boolean; readonly superuser: boolean }

const PLACE = `SELECT current_user::text AS me, current_database()::text AS database,
  to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now`

/** Names are compared as text: as a `name` a longer one would be cut, and be another's. */
const rolesQuery = (names: string): string => `
SELECT rolname::text AS name, rolcanlogin AS "canLogin", rolsuper AS superuser, rolcreatedb AS createdb, rolcreaterole AS createrole,
  rolreplication AS replication, rolbypassrls AS bypassrls, rolinherit AS inherit, rolconnlimit AS "connectionLimit",
  to_json(nullif(rolvaliduntil, 'infinity')) #>> '{}' AS "validUntil",
  coalesce(rolvaliduntil <= clock_timestamp(), false) AS expired, shobj_description(oid, 'pg_authid') AS comment,
  pg_has_role(oid, 'MEMBER WITH ADMIN OPTION') AS "isAdmin"
FROM pg_roles WHERE rolname::text IN (${names}) OR rolname = current_user`

/** Memberships from the halves upwards. Before 16 INHERIT is the member's attribute, and SET is always given. */
function edgesQuery(names: string, version: number): string {
  const options =
    version >= 160_000
      ? 'm.inherit_option AS inherit, m.set_option AS set, false AS superuser'
      : 'member.rolinherit AS inherit, true AS set, r.rolsuper AS superuser'
  const roles = 'JOIN pg_roles member ON member.oid = m.member JOIN pg_roles r ON r.oid = m.roleid'
  return `
WITH RECURSIVE up AS (
  SELECT oid FROM pg_roles WHERE rolname::text IN (${names}) UNION SELECT m.roleid FROM pg_auth_members m JOIN up ON m.member = up.oid)
SELECT pg_get_userbyid(m.member)::text AS member, pg_get_userbyid(m.roleid)::text AS role, m.admin_option AS admin, ${options},
  pg_has_role(m.roleid, 'MEMBER WITH ADMIN OPTION') AS "isAdmin"
FROM up JOIN pg_auth_members m ON m.member = up.oid ${version >= 160_000 ? '' : roles}`
}

const settingsQuery = (names: string): string => `
SELECT CASE g.setrole WHEN 0 THEN NULL ELSE pg_get_userbyid(g.setrole)::text END AS role, d.datname::text AS database,
  split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value
FROM pg_db_role_setting g CROSS JOIN LATERAL unnest(g.setconfig) c LEFT JOIN pg_database d ON d.oid = g.setdatabase
WHERE (g.setrole <> 0 AND pg_get_userbyid(g.setrole)::text IN (${names}))
  OR (g.setrole = 0 AND (g.setdatabase = 0 OR d.datname = current_database()))`

/** pg_settings is made anew for each look, so it is asked only where there is a setting, and not by a superuser. */
async function withRights(
  session: Session,
  version: number,
  superuser: boolean,
  settings: readonly Omit<Setting, 'maySet'>[],
  signal: AbortSignal
): Promise<readonly Setting[]> {
  const asked = settings.filter(({ name }) => name !== 'role')
  // Everybody may set `role`, which every clone has.
  if (superuser || asked.length === 0) return settings.map((setting) => ({ ...setting, maySet: true }))
  // has_parameter_privilege came with GRANT … ON PARAMETER in 15.
  const granted = version >= 150_000 ? "has_parameter_privilege(n, 'SET')" : 'false'
  const sql = `SELECT n AS name, ${granted} OR coalesce((SELECT context IN ('user', 'backend') FROM pg_settings WHERE name = n), false)
    AS "maySet" FROM unnest($1::text[]) n`
  const names = [...new Set(settings.map(({ name }) => name))]
  const rows = await session.query<{ name: string; maySet: boolean }>('reading who may set', sql, [names], signal)
  return settings.map((setting) => ({ ...setting, maySet: rows.some((r) => r.name === setting.name && r.maySet) }))
}
