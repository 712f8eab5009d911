import { KeyturnError } from '../errors.ts'
import type { Metadata, MetadataPatch } from '../metadata.ts'
import type { Credential } from '../ports/target.ts'
import { openingOf, type PostgresSettings } from './postgres.ts'
import { inTransaction } from './postgres-authority.ts'
import { type RoleCatalog, readRoles } from './postgres-catalog.ts'
import { type Halves, halvesOf, markedComment, readCredential } from './postgres-halves.ts'
import { type ObjectCatalog, readObjects } from './postgres-objects.ts'
import { openAuthority } from './postgres-open.ts'
import { actsAs, newRole, type Refusal } from './postgres-parity.ts'
import { differInMemberships } from './postgres-parity-memberships.ts'
import { differInObjects, searchPath } from './postgres-parity-objects.ts'
import type { Session } from './postgres-session.ts'
import { identifier, literal, settingValue } from './postgres-sql.ts'

export interface AdoptionNames {
  /** The second login; made if it is not there. Default: the first one's name and `_b`. */
  readonly second?: string | undefined
  /** The role that both act as, and that owns what the first one owned. Default: the first one's name and `_owner`. */
  readonly owner?: string | undefined
}

export interface AdoptionPlan {
  readonly pair: readonly [string, string]
  readonly owner: string
  /** In this order, in one transaction. No secret is in them: the second login has no password until its first rotation. */
  readonly statements: readonly { readonly sql: string; readonly why: string }[]
  /** Why it must not be done as it is. Empty: go ahead. */
  readonly refusals: readonly Refusal[]
  /** To be written on the secret afterwards. */
  readonly metadata: MetadataPatch
}

/**
 * What it takes to give one login a twin so that nothing in the database can tell them apart: both act as a common owner role.
 * Looks, and changes nothing. With no admin in the secret it looks as the login itself, and the statements are for a person.
 */
export async function adoptPlan(
  settings: PostgresSettings,
  current: Credential,
  metadata: Metadata,
  names: AdoptionNames,
  signal: AbortSignal
): Promise<AdoptionPlan> {
  const { document, halves } = readCredential(current.document, metadata)
  const first = document.username
  const opened = await openAuthority(openingOf(settings), document, halves, false, signal)
  const { session, version } = opened
  try {
    const seen = await readRoles(session, version, [first], signal)
    const acting = actsAs(seen, first)
    const owner = acting === first ? (names.owner ?? `${first}_owner`) : acting
    const second = names.second ?? document.pair?.find((name) => name !== first) ?? `${first}_b`
    const pair = [first, second] as const
    const planned = halvesOf({ ...document, pair }, { ...metadata, pair: undefined })
    if (owner === first || owner === second)
      throw new KeyturnError('invalid/pair', 'the owner role must be neither of the two logins')
    const roles = await readRoles(session, version, [first, second, owner, seen.me.name], signal)
    const objects = await readObjects(session, version, { from: first, to: owner }, signal)
    const plan = planOf(roles, objects, { first, second, owner }, planned)
    return { ...plan, refusals: [...plan.refusals, ...(await lackingCreate(session, first, signal))] }
  } finally {
    await session.close()
  }
}

/** Does what the plan says, in one transaction, under the pair's lock. */
export async function adopt(
  settings: PostgresSettings,
  current: Credential,
  metadata: Metadata,
  plan: AdoptionPlan,
  signal: AbortSignal
): Promise<void> {
  const [refusal] = plan.refusals
  if (refusal) throw new KeyturnError(refusal.code, refusal.message)
  const { document } = readCredential(current.document, metadata)
  const halves = halvesOf({ ...document, pair: plan.pair }, { ...metadata, pair: undefined })
  const authority = { ...(await openAuthority(openingOf(settings), document, halves, true, signal)), halves }
  try {
    if (!authority.locked) throw new KeyturnError('busy/locked', `another run holds the lock of ${plan.pair.join(' and ')}`)
    await inTransaction(authority, signal, async () => {
      for (const { sql, why } of plan.statements) await authority.session.query(`adopting (${why})`, sql, undefined, signal)
    })
  } finally {
    await authority.session.close()
  }
}

/** A schema changes hands only by somebody who could have made it (AlterSchemaOwner). */
async function lackingCreate(session: Session, first: string, signal: AbortSignal): Promise<Refusal[]> {
  const sql = `SELECT current_user AS me, current_database() AS db FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner
    WHERE r.rolname = $1 AND NOT has_database_privilege(current_database(), 'CREATE') LIMIT 1`
  const rows = await session.query<{ me: string; db: string }>('asking for CREATE', sql, [first], signal)
  return rows.map(({ me, db }) => ({
    code: 'denied/privilege',
    message: `${me} may not give a schema of ${first} to another role: GRANT CREATE ON DATABASE ${identifier(db)} TO ${identifier(me)}`
  }))
}

interface Cast {
  readonly first: string
  readonly second: string
  readonly owner: string
}

type Statement = { readonly sql: string; readonly why: string }

function planOf(roles: RoleCatalog, objects: ObjectCatalog, cast: Cast, halves: Halves): AdoptionPlan {
  const { first, second, owner } = cast
  const from = roles.roles.find(({ name }) => name === first) ?? newRole(first, true)
  const to = roles.roles.find(({ name }) => name === owner) ?? newRole(owner, false)
  const context = { roles, from, to, halves }
  const rights = differInObjects(context, objects, `have it ask for ${owner}, or for a membership (pg_has_role), first`)
  const actsAlready = actsAs(roles, first) === owner
  const statements: Statement[] = [
    ...creations(roles, cast),
    ...(actsAlready ? [] : borrowed(roles, [first, owner])),
    ...joining(roles, cast),
    ...(actsAlready
      ? []
      : [
          ...differInMemberships(context).changes.filter(({ sql }) => !sql.startsWith(`GRANT ${identifier(owner)} `)),
          ...rights.changes
        ]),
    ...(actsAlready || objects.owned.length === 0 ? [] : [reassign(cast)]),
    ...searchPathOf(context, objects),
    ...acting(roles, cast),
    ...marks(roles, cast, halves),
    ...(actsAlready ? [] : returned(roles, [first, owner]))
  ]
  // The plan itself is the cure for the others.
  const refusals = actsAlready ? [] : rights.refusals.filter(({ about }) => about === undefined)
  return { pair: [first, second], owner, statements, refusals, metadata: { kind: 'postgres', pair: [first, second] } }
}

const exists = (roles: RoleCatalog, name: string): boolean => roles.roles.some((role) => role.name === name)

function creations(roles: RoleCatalog, { second, owner }: Cast): Statement[] {
  return [
    ...(exists(roles, owner)
      ? []
      : [{ sql: `CREATE ROLE ${identifier(owner)} NOLOGIN`, why: 'the role that both logins act as' }]),
    ...(exists(roles, second)
      ? []
      : [{ sql: `CREATE ROLE ${identifier(second)} LOGIN`, why: 'the second login, without a password yet' }])
  ]
}

/** REASSIGN OWNED wants the rights of both roles; an admin that is no superuser gives them to itself, for this transaction. */
function borrowed(roles: RoleCatalog, names: readonly string[]): Statement[] {
  const { me } = roles
  return lacking(roles, names).map((name) => ({
    sql: `GRANT ${identifier(name)} TO ${identifier(me.name)}${roles.version >= 160_000 ? ' WITH INHERIT TRUE, SET TRUE' : ''}`,
    why: `${me.name} needs the rights of ${name} for what follows`
  }))
}

function returned(roles: RoleCatalog, names: readonly string[]): Statement[] {
  const { me } = roles
  const by = roles.version >= 160_000 ? ` GRANTED BY ${identifier(me.name)}` : ''
  return lacking(roles, names).map((name) => ({
    sql: `REVOKE ${identifier(name)} FROM ${identifier(me.name)}${by}`,
    why: `${me.name} gives them back`
  }))
}

const lacking = ({ me, edges }: RoleCatalog, names: readonly string[]): readonly string[] =>
  me.superuser ? [] : names.filter((name) => !edges.some((e) => e.member === me.name && e.role === name && e.inherit && e.set))

function joining({ version, edges }: RoleCatalog, { first, second, owner }: Cast): Statement[] {
  const options = version >= 160_000 ? ' WITH INHERIT TRUE, SET TRUE' : ''
  return [first, second]
    .filter((name) => !edges.some((edge) => edge.member === name && edge.role === owner && edge.inherit && edge.set))
    .map((name) => ({
      sql: `GRANT ${identifier(owner)} TO ${identifier(name)}${options}`,
      why: `${name} has the rights of ${owner}`
    }))
}

/** Sessions that are open go on: they are members of the new owner. */
const reassign = ({ first, owner }: Cast): Statement => ({
  sql: `REASSIGN OWNED BY ${identifier(first)} TO ${identifier(owner)}`,
  why: `what ${first} owns in this database belongs to ${owner}`
})

function searchPathOf(
  context: { readonly roles: RoleCatalog; readonly from: { readonly name: string } },
  objects: ObjectCatalog
): Statement[] {
  const { roles, from } = context
  const full = roles.roles.find(({ name }) => name === from.name)
  if (!full || !objects.userSchemas.includes(from.name)) return []
  const path = searchPath({ roles, from: full })
  if (!path.includes('$user')) return []
  const value = settingValue('search_path', path.replaceAll('"$user"', identifier(from.name)))
  return [{ sql: `ALTER ROLE ${identifier(from.name)} SET search_path TO ${value}`, why: `"$user" would mean another schema` }]
}

function acting(roles: RoleCatalog, { first, second, owner }: Cast): Statement[] {
  return [first, second]
    .filter((name) => actsAs(roles, name) !== owner)
    .map((name) => ({
      sql: `ALTER ROLE ${identifier(name)} SET role TO ${literal(owner)}`,
      why: `new sessions of ${name} act as ${owner}`
    }))
}

function marks(roles: RoleCatalog, { first, second }: Cast, halves: Halves): Statement[] {
  return [first, second].map((name) => {
    const comment = roles.roles.find((role) => role.name === name)?.comment ?? null
    return {
      sql: `COMMENT ON ROLE ${identifier(name)} IS ${literal(markedComment(comment, halves))}`,
      why: `${name} is recorded as ours`
    }
  })
}
