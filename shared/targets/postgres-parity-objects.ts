import type { DefaultAccess, GrantedObject, ObjectCatalog, Privilege } from './postgres-objects.ts'
import { actsAs, type Change, type Context, type Difference, type Refusal, reach } from './postgres-parity.ts'
import { identifier } from './postgres-sql.ts'

/**
 * What depends on who is acting, where the halves act as different roles. Where `to` inherits all of `from` (AWS's clone and its
 * base), rights need no copy; who owns what and who is asking still differ.
 */
export function differInObjects(context: Context, objects: ObjectCatalog, cure = commonOwner(context)): Difference {
  const { roles, from, to } = context
  const mine = reach(roles, to.name, (edge) => edge.inherit)
  const inherits = mine.has(from.name) || to.superuser
  const changes: Change[] = []
  if (!inherits) changes.push(...objects.granted.flatMap((object) => missingGrants(context, object, mine)))
  changes.push(...defaultsTo(context, objects.defaults, inherits), ...defaultsOf(context, objects.defaults))
  const refusals = [
    ...(inherits ? [] : ownership(context, objects, cure)),
    ...mappings(context, objects),
    ...userSchema(context, objects),
    ...policies(context, objects, cure)
  ]
  return { changes, refusals }
}

/** The one cure for everything that cannot be copied. */
const commonOwner = ({ from, to }: Context): string =>
  `let both act as one owner role, as \`keyturn adopt\` prints: GRANT owner TO ${identifier(from.name)}, ${identifier(to.name)}; ` +
  `REASSIGN OWNED BY ${identifier(from.name)} TO owner; ALTER ROLE … SET role TO owner for both`

function missingGrants({ roles, from, to }: Context, object: GrantedObject, mine: ReadonlySet<string>): Change[] {
  if (mine.has(object.owner)) return []
  const kind = KINDS[object.type]
  const wanted = object.entries.filter((entry) => entry.grantee === from.name)
  const isThere = ({ privilege, grantable }: Privilege): boolean =>
    object.entries.some(
      (entry) =>
        (entry.grantee === '' || mine.has(entry.grantee)) && entry.privilege === privilege && (entry.grantable || !grantable)
    )
  return wanted
    .filter((entry) => !isThere(entry))
    .map(({ privilege, grantable }) => {
      const column = object.column === null ? '' : ` (${object.column})`
      const sql = `GRANT ${privilege}${column} ON ${kind ?? object.type.toUpperCase()} ${object.identity} TO ${identifier(to.name)}`
      const mayGrant =
        object.mayGrant || object.entries.some((e) => e.grantee === roles.me.name && e.privilege === privilege && e.grantable)
      const whole = `${sql}${grantable ? ' WITH GRANT OPTION' : ''}`
      return {
        sql: whole,
        why: `${to.name} lacks ${privilege} on ${object.type} ${object.identity}${column}`,
        needs: mayGrant ? undefined : `${whole}, by ${object.owner}`
      }
    })
}

/** pg_identify_object's names of kinds → GRANT's. */
const KINDS: Readonly<Record<string, string>> = {
  table: 'TABLE',
  view: 'TABLE',
  'materialized view': 'TABLE',
  'foreign table': 'TABLE',
  'table column': 'TABLE',
  'view column': 'TABLE',
  'materialized view column': 'TABLE',
  'foreign table column': 'TABLE',
  sequence: 'SEQUENCE',
  function: 'ROUTINE',
  procedure: 'ROUTINE',
  aggregate: 'ROUTINE',
  schema: 'SCHEMA',
  database: 'DATABASE',
  type: 'TYPE',
  language: 'LANGUAGE',
  'large object': 'LARGE OBJECT',
  'foreign-data wrapper': 'FOREIGN DATA WRAPPER',
  server: 'FOREIGN SERVER',
  tablespace: 'TABLESPACE',
  'parameter ACL': 'PARAMETER'
}

/** Defaults of other owners that grant to `from`: the same for `to`. */
function defaultsTo(context: Context, defaults: readonly DefaultAccess[], inherits: boolean): Change[] {
  const { from, to } = context
  if (inherits) return []
  return defaults
    .filter(({ role }) => role !== from.name && role !== to.name)
    .flatMap((access) => {
      const has = (entry: Privilege): boolean =>
        access.entries.some((e) => e.grantee === to.name && e.privilege === entry.privilege && (e.grantable || !entry.grantable))
      const missing = access.entries.filter((entry) => entry.grantee === from.name && !has(entry))
      return missing.map((entry) => alterDefault(access, access.role, 'GRANT', { ...entry, grantee: to.name }, context))
    })
}

/** Defaults of `from` as an owner: what `to` creates must be open to the same others. */
function defaultsOf(context: Context, defaults: readonly DefaultAccess[]): Change[] {
  const { from, to } = context
  const swap = (name: string): string => (name === from.name ? to.name : name)
  return defaults
    .filter(({ role }) => role === from.name)
    .flatMap((access) => {
      const own = defaults.find((d) => d.role === to.name && d.kind === access.kind && d.schema === access.schema)
      const present = own?.entries ?? access.builtIn.map((e) => ({ ...e, grantee: swap(e.grantee) }))
      const wanted = access.entries.map((e) => ({ ...e, grantee: swap(e.grantee) }))
      const mayAlter = own?.mayAlter ?? access.mayAlter
      const gone = access.builtIn
        .map((e) => ({ ...e, grantee: swap(e.grantee) }))
        .filter((e) => includes(present, e) && !includes(wanted, e))
      return [
        ...wanted
          .filter((e) => !includes(present, e))
          .map((e) => alterDefault({ ...access, mayAlter }, to.name, 'GRANT', e, context)),
        ...gone.map((e) => alterDefault({ ...access, mayAlter }, to.name, 'REVOKE', e, context))
      ]
    })
}

const includes = (list: readonly Privilege[], wanted: Privilege): boolean =>
  list.some((e) => e.grantee === wanted.grantee && e.privilege === wanted.privilege && (e.grantable || !wanted.grantable))

function alterDefault(
  access: DefaultAccess,
  owner: string,
  verb: 'GRANT' | 'REVOKE',
  entry: Privilege,
  { roles }: Context
): Change {
  const schema = access.schema === null ? '' : ` IN SCHEMA ${access.schema}`
  const grantee = entry.grantee === '' ? 'PUBLIC' : identifier(entry.grantee)
  const end = verb === 'REVOKE' ? ` FROM ${grantee}` : ` TO ${grantee}${entry.grantable ? ' WITH GRANT OPTION' : ''}`
  return {
    sql: `ALTER DEFAULT PRIVILEGES FOR ROLE ${identifier(owner)}${schema} ${verb} ${entry.privilege} ON ${access.kind}${end}`,
    why: `default privileges of ${owner} on ${access.kind.toLowerCase()} differ for ${entry.grantee || 'PUBLIC'}`,
    needs: access.mayAlter ? undefined : `GRANT ${identifier(owner)} TO ${identifier(roles.me.name)}`
  }
}

/** An owner's rights (ALTER, DROP, and all access without a grant) cannot be granted. */
function ownership({ from, to }: Context, { owned }: ObjectCatalog, cure: string): Refusal[] {
  if (owned.length === 0) return []
  const some = owned.slice(0, 3).join(', ') + (owned.length > 3 ? ' and more' : '')
  const message = `${from.name} owns ${some}, which ${to.name} could not use: ${cure}`
  return [{ code: 'invalid/parity', message, about: 'ownership' }]
}

/** A mapping is looked up by the acting role alone, and holds a password that we may not read. */
function mappings({ from, to }: Context, { mappings: servers }: ObjectCatalog): Refusal[] {
  const missing = servers.from.filter((server) => !servers.to.includes(server))
  return missing.map((server) => ({
    code: 'invalid/parity' as const,
    message: `${from.name} has a user mapping for server ${server}: CREATE USER MAPPING FOR ${identifier(to.name)} SERVER ${identifier(server)} as well`
  }))
}

function userSchema(context: Context, { userSchemas }: ObjectCatalog): Refusal[] {
  const { roles, from, to } = context
  if (userSchemas.length === 0 || !searchPath(context).includes('$user')) return []
  const message =
    `the schema ${userSchemas.join(', ')} is found through "$user", by ${actsAs(roles, from.name)} only: ` +
    `name it, ALTER ROLE ${identifier(from.name)} SET search_path TO ${userSchemas.map(identifier).join(', ')}, public (${to.name} gets the same)`
  return [{ code: 'invalid/parity', message, about: 'search path' }]
}

/** Of `from` at login, by order of precedence; what postgresql.conf says is not to be seen from here, so the built-in default counts. */
export function searchPath({ roles, from }: Pick<Context, 'roles' | 'from'>): string {
  const paths = roles.settings.filter(({ name }) => name === 'search_path')
  const of = (role: string | null, database: string | null) =>
    paths.find((s) => s.role === role && s.database === database)?.value
  return of(from.name, roles.database) ?? of(from.name, null) ?? of(null, roles.database) ?? of(null, null) ?? '"$user", public'
}

/**
 * A policy that asks who is asking answers each half differently, without an error. Policies for named roles are kept by
 * inheritance; else they have to name both. Functions and views that ask are only warned of: most write the name into a log.
 */
function policies({ roles, from, to }: Context, { policies: found }: ObjectCatalog, cure: string): Refusal[] {
  const mine = reach(roles, from.name, (edge) => edge.inherit)
  const theirs = reach(roles, to.name, (edge) => edge.inherit)
  const appliesTo = (names: ReadonlySet<string>, list: readonly string[]) => list.some((name) => name === '' || names.has(name))
  return found
    .filter(({ roles: list }) => appliesTo(mine, list))
    .filter(({ roles: list, asksWho }) => asksWho || !appliesTo(theirs, list))
    .map(({ identity, asksWho }) => ({
      code: 'invalid/parity' as const,
      message: asksWho
        ? `the policy ${identity} asks for the current user, which differs: ${cure}`
        : `the policy ${identity} is for ${from.name} and not for ${to.name}: ALTER POLICY … TO both`
    }))
}
