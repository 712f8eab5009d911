import type { Session } from './postgres-session.ts'

/** One entry of an access list; grantee '' is PUBLIC. */
export interface Privilege {
  readonly grantee: string
  readonly privilege: string
  readonly grantable: boolean
}

/** An object of this database, or a shared one, that names the reference role in its access list. */
export interface GrantedObject {
  /** As pg_identify_object says: `table`, `table column`, `function` … and the quoted name. */
  readonly type: string
  readonly identity: string
  /** The column, quoted, when the privilege is on one. */
  readonly column: string | null
  readonly owner: string
  /** The session's role has the owner's rights. */
  readonly mayGrant: boolean
  readonly entries: readonly Privilege[]
}

/** ALTER DEFAULT PRIVILEGES: what objects that `role` creates later are granted. */
export interface DefaultAccess {
  readonly role: string
  /** Quoted; null: in every schema. */
  readonly schema: string | null
  readonly kind: 'TABLES' | 'SEQUENCES' | 'ROUTINES' | 'TYPES' | 'SCHEMAS' | 'LARGE OBJECTS'
  readonly mayAlter: boolean
  readonly entries: readonly Privilege[]
  /** What holds without any ALTER DEFAULT PRIVILEGES. */
  readonly builtIn: readonly Privilege[]
}

/** What a role has of its own that another one does not have by itself. `from` is the reference, `to` the one to be made equal. */
export interface ObjectCatalog {
  readonly granted: readonly GrantedObject[]
  /** Objects that `from` owns: a few of them, by type and name. */
  readonly owned: readonly string[]
  readonly defaults: readonly DefaultAccess[]
  /** Foreign servers for which the role has a user mapping of its own. */
  readonly mappings: { readonly from: readonly string[]; readonly to: readonly string[] }
  /** Schemas named like one of the two: "$user" in a search_path means another schema for each. */
  readonly userSchemas: readonly string[]
  /** Row-level security that `from` is under: policies on a table that name roles, or ask who is asking. */
  readonly policies: readonly { readonly identity: string; readonly roles: readonly string[]; readonly asksWho: boolean }[]
}

/** The session's search_path must be pg_catalog alone, as for readRoles. */
export async function readObjects(
  session: Session,
  version: number,
  roles: { readonly from: string; readonly to: string },
  signal: AbortSignal
): Promise<ObjectCatalog> {
  const values = [roles.from, roles.to]
  const [row] = await session.query<{ facts: ObjectCatalog }>(
    'reading what the roles own and may',
    query(version),
    values,
    signal
  )
  return row?.facts ?? { ...NOTHING }
}

const NOTHING: ObjectCatalog = {
  granted: [],
  owned: [],
  defaults: [],
  mappings: { from: [], to: [] },
  userSchemas: [],
  policies: []
}

const entries = (acl: string): string => `(SELECT coalesce(json_agg(json_build_object(
    'grantee', CASE WHEN e.grantee = 0 THEN '' ELSE pg_get_userbyid(e.grantee) END,
    'privilege', e.privilege_type, 'grantable', e.is_grantable)), '[]') FROM aclexplode(${acl}) e)`

/** Catalogs with an access list: [catalog, list, owner]. Parameters (15 and later) have no owner. */
const LISTS: readonly (readonly [string, string, string])[] = [
  ['pg_class', 'relacl', 'relowner'],
  ['pg_proc', 'proacl', 'proowner'],
  ['pg_namespace', 'nspacl', 'nspowner'],
  ['pg_database', 'datacl', 'datdba'],
  ['pg_type', 'typacl', 'typowner'],
  ['pg_language', 'lanacl', 'lanowner'],
  ['pg_largeobject_metadata', 'lomacl', 'lomowner'],
  ['pg_foreign_data_wrapper', 'fdwacl', 'fdwowner'],
  ['pg_foreign_server', 'srvacl', 'srvowner'],
  ['pg_tablespace', 'spcacl', 'spcowner']
]

function accessLists(version: number): string {
  const whole = LISTS.map(
    ([catalog, list, owner]) =>
      // Large objects are recorded under pg_largeobject (LargeObjectRelationId), which holds their pages.
      `SELECT n.*, o.${list} AS acl, o.${owner} AS owner FROM named n JOIN ${catalog} o ON o.oid = n.objid
       WHERE n.classid = '${catalog === 'pg_largeobject_metadata' ? 'pg_largeobject' : catalog}'::regclass AND n.objsubid = 0`
  )
  const columns = `SELECT n.*, a.attacl, o.relowner FROM named n JOIN pg_class o ON o.oid = n.objid
    JOIN pg_attribute a ON a.attrelid = n.objid AND a.attnum = n.objsubid
    WHERE n.classid = 'pg_class'::regclass AND n.objsubid <> 0`
  const parameters = `SELECT n.*, o.paracl, 10::oid FROM named n JOIN pg_parameter_acl o ON o.oid = n.objid
    WHERE n.classid = 'pg_parameter_acl'::regclass`
  return [...whole, columns, ...(version >= 150_000 ? [parameters] : [])].join('\nUNION ALL ')
}

/**
 * pg_shdepend lists every object that mentions a role, by an index, so nothing is scanned: 'o' owner, 'a' access list
 * (postgresql.org/docs/current/catalog-pg-shdepend.html).
 */
const query = (version: number): string => `
WITH me AS (SELECT * FROM pg_roles WHERE rolname = current_user),
f AS (SELECT * FROM pg_roles WHERE rolname = $1), t AS (SELECT (SELECT oid FROM pg_roles WHERE rolname = $2) AS oid),
here AS (SELECT oid FROM pg_database WHERE datname = current_database()),
mentions AS (SELECT d.* FROM pg_shdepend d, f WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = f.oid),
named AS (SELECT DISTINCT classid, objid, objsubid FROM mentions, here WHERE deptype = 'a' AND dbid IN (0, here.oid)),
lists AS (${accessLists(version)})
SELECT json_build_object(
  'granted', (SELECT coalesce(json_agg(json_build_object('type', i.type, 'identity',
      CASE WHEN l.objsubid = 0 THEN i.identity ELSE l.objid::regclass::text END, 'owner', pg_get_userbyid(l.owner),
      'column', (SELECT quote_ident(attname) FROM pg_attribute
        WHERE l.classid = 'pg_class'::regclass AND l.objsubid <> 0 AND attrelid = l.objid AND attnum = l.objsubid),
      'mayGrant', me.rolsuper OR pg_has_role(l.owner, 'USAGE'), 'entries', ${entries('l.acl')}) ORDER BY i.identity), '[]')
    FROM me, lists l CROSS JOIN LATERAL pg_identify_object(l.classid, l.objid, l.objsubid) i),
  'owned', (SELECT coalesce(json_agg(i.type || ' ' || i.identity), '[]') FROM (SELECT classid, objid, objsubid FROM mentions, here
      WHERE deptype = 'o' AND dbid IN (0, here.oid) AND classid NOT IN ('pg_default_acl'::regclass, 'pg_user_mapping'::regclass)
      LIMIT 4) o CROSS JOIN LATERAL pg_identify_object(o.classid, o.objid, o.objsubid) i),
  'defaults', (SELECT coalesce(json_agg(json_build_object('role', pg_get_userbyid(d.defaclrole), 'schema', quote_ident(n.nspname),
      'kind', CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES'
        WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
      'mayAlter', me.rolsuper OR pg_has_role(d.defaclrole, 'USAGE'), 'entries', ${entries('d.defaclacl')},
      'builtIn', CASE WHEN d.defaclnamespace <> 0 THEN '[]' ELSE
        ${entries(`acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's'::"char" ELSE d.defaclobjtype END, d.defaclrole)`)} END)), '[]')
    FROM me, f, t, pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
    WHERE d.defaclrole IN (f.oid, t.oid) OR EXISTS (SELECT FROM aclexplode(d.defaclacl) e WHERE e.grantee = f.oid)),
  'mappings', json_build_object(
    'from', (SELECT coalesce(json_agg(m.srvname ORDER BY m.srvname), '[]') FROM pg_user_mappings m, f WHERE m.umuser = f.oid),
    'to', (SELECT coalesce(json_agg(m.srvname ORDER BY m.srvname), '[]') FROM pg_user_mappings m, t WHERE m.umuser = t.oid)),
  'userSchemas', (SELECT coalesce(json_agg(nspname), '[]') FROM pg_namespace WHERE nspname IN ($1, $2)),
  'policies', (SELECT coalesce(json_agg(json_build_object('identity', quote_ident(p.polname) || ' on ' || c.oid::regclass::text,
      'roles', (SELECT coalesce(json_agg(CASE WHEN r = 0 THEN '' ELSE pg_get_userbyid(r) END), '[]') FROM unnest(p.polroles) r),
      'asksWho', regexp_replace(concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)), '''[^'']*''', '', 'g')
        ~ '\\m(CURRENT_USER|SESSION_USER|CURRENT_ROLE|USER)\\M')), '[]')
    FROM f, pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE c.relrowsecurity AND NOT f.rolsuper AND NOT f.rolbypassrls
      AND has_table_privilege(f.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE')
      AND (c.relforcerowsecurity OR NOT pg_has_role(f.oid, c.relowner, 'USAGE')))
) AS facts FROM f, t`
