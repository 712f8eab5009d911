import { KeyturnError } from '../errors.ts'
import type { Session } from './postgres-session.ts'

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
 * Everything about the roles themselves, in one query on catalogs that every role may read (pg_authid is not one of them).
 * The session's search_path must be pg_catalog alone: whoever may create functions elsewhere could stand in for ours.
 */
export async function readRoles(
  session: Session,
  version: number,
  names: readonly string[],
  signal: AbortSignal
): Promise<RoleCatalog> {
  const rows = await session.query<{ facts: RoleCatalog }>('reading the roles', rolesQuery(version), [names], signal)
  const facts = rows[0]?.facts
  if (!facts) throw new KeyturnError('bug/internal', 'the catalog answered no row')
  return facts
}

/** Whether the session's role has ADMIN OPTION; before 16 CREATEROLE is enough for every role but a superuser. */
const isAdminOf = (version: number, role: string): string =>
  version >= 160_000
    ? `pg_has_role(${role}.oid, 'MEMBER WITH ADMIN OPTION')`
    : `(me.rolcreaterole AND NOT ${role}.rolsuper OR pg_has_role(${role}.oid, 'MEMBER WITH ADMIN OPTION'))`

const ATTRIBUTES = `'superuser', r.rolsuper, 'createdb', r.rolcreatedb, 'createrole', r.rolcreaterole,
  'replication', r.rolreplication, 'bypassrls', r.rolbypassrls`

function rolesQuery(version: number): string {
  const [inherit, set] = version >= 160_000 ? ['m.inherit_option', 'm.set_option'] : ['member.rolinherit', 'true']
  // has_parameter_privilege came with GRANT … ON PARAMETER in 15.
  const mayUse = version >= 150_000 ? "OR has_parameter_privilege(split_part(c, '=', 1), 'SET')" : ''
  return `
WITH RECURSIVE me AS (SELECT * FROM pg_roles WHERE rolname = current_user),
half AS (SELECT * FROM pg_roles WHERE rolname = ANY ($1::text[])),
up AS (SELECT oid FROM half UNION SELECT m.roleid FROM pg_auth_members m JOIN up ON m.member = up.oid)
SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'database', current_database(),
  'now', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  'me', (SELECT json_build_object('name', r.rolname, ${ATTRIBUTES}) FROM me r),
  'roles', (SELECT coalesce(json_agg(json_build_object('name', r.rolname, ${ATTRIBUTES}, 'canLogin', r.rolcanlogin,
      'inherit', r.rolinherit, 'connectionLimit', r.rolconnlimit, 'validUntil', nullif(r.rolvaliduntil, 'infinity'),
      'expired', coalesce(r.rolvaliduntil <= clock_timestamp(), false), 'comment', shobj_description(r.oid, 'pg_authid'),
      'mayAlter', me.rolsuper OR (me.rolcreaterole AND NOT r.rolsuper AND ${version >= 160_000 ? 'true' : 'NOT r.rolreplication'}
        AND ${isAdminOf(version, 'r')}),
      'mayGrant', me.rolsuper OR ${isAdminOf(version, 'r')})), '[]')
    FROM half r, me),
  'edges', (SELECT coalesce(json_agg(json_build_object('member', member.rolname, 'role', r.rolname, 'admin', m.admin_option,
      'inherit', ${inherit}, 'set', ${set}, 'mayGrant', me.rolsuper OR ${isAdminOf(version, 'r')})), '[]')
    FROM me, up JOIN pg_auth_members m ON m.member = up.oid
    JOIN pg_roles member ON member.oid = m.member JOIN pg_roles r ON r.oid = m.roleid),
  'settings', (SELECT coalesce(json_agg(json_build_object('role', half.rolname, 'database', d.datname,
      'name', split_part(c, '=', 1), 'value', substr(c, strpos(c, '=') + 1),
      'maySet', me.rolsuper OR coalesce(s.context IN ('user', 'backend'), false) ${mayUse})), '[]')
    FROM me, pg_db_role_setting g CROSS JOIN LATERAL unnest(g.setconfig) c
    LEFT JOIN half ON half.oid = g.setrole LEFT JOIN pg_database d ON d.oid = g.setdatabase
    LEFT JOIN pg_settings s ON s.name = split_part(c, '=', 1)
    WHERE half.oid IS NOT NULL OR (g.setrole = 0 AND (g.setdatabase = 0 OR d.datname = current_database())))
) AS facts`
}
