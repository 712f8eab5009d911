import type { Code } from '../errors.ts'
import type { RoleCatalog, RoleFacts } from './postgres-catalog.ts'
import type { Halves } from './postgres-halves.ts'
import type { ObjectCatalog } from './postgres-objects.ts'
import { differInMemberships } from './postgres-parity-memberships.ts'
import { differInObjects } from './postgres-parity-objects.ts'
import { differInSettings } from './postgres-parity-settings.ts'
import { identifier, literal } from './postgres-sql.ts'

/** One statement that makes the candidate more like the reference. */
export interface Change {
  readonly sql: string
  /** What differs, for people. */
  readonly why: string
  /** What the session's role lacks to run it; undefined: nothing. */
  readonly needs?: string | undefined
}

/** What no statement of ours may cure. The message carries the cure. */
export interface Refusal {
  readonly code: Code
  readonly message: string
  /** What it is about, where a common owner role would be the cure. */
  readonly about?: 'ownership' | 'search path' | undefined
}

export interface Difference {
  readonly changes: readonly Change[]
  readonly refusals: readonly Refusal[]
}

/** `from` works today; `to` is to take over from it. */
export interface Handover {
  readonly from: string
  readonly to: string
}

export interface Context {
  readonly roles: RoleCatalog
  readonly from: RoleFacts
  readonly to: RoleFacts
  readonly halves: Halves
}

export const SAME: Difference = { changes: [], refusals: [] }

/**
 * Compares two logins: `to` must be able to do everything that `from` can, under the same limits and settings. It may do more:
 * what was granted to it alone stays, because taking rights away is not a rotation's business.
 * Pure. `objects` is needed where `actingRoles` differ.
 */
export function differences(
  roles: RoleCatalog,
  objects: ObjectCatalog | undefined,
  handover: Handover,
  halves: Halves
): Difference {
  const [from, to] = [handover.from, handover.to].map((name) => roles.roles.find((role) => role.name === name))
  if (!from || !to) {
    const missing = from ? handover.to : handover.from
    return { changes: [], refusals: [{ code: 'not-found/role', message: `the database has no role ${missing}` }] }
  }
  const context = { roles, from, to, halves }
  const parts = [
    differInLogin(context),
    differInAttributes(context),
    differInMemberships(context),
    differInSettings(context),
    objects ? differInObjects(context, objects) : SAME
  ]
  return { changes: parts.flatMap((part) => part.changes), refusals: parts.flatMap((part) => part.refusals) }
}

/**
 * Which role a login acts as: its `role` setting, or itself. Where both halves act as one role, all that depends on current_user
 * (rights, owner of new objects, default privileges, "$user", row-level security) is equal by itself.
 * The setting survives RESET ALL and DISCARD ALL, so poolers keep it (measured on 15, 16 and 18).
 */
export function actsAs(roles: RoleCatalog, name: string): string {
  const own = roles.settings.filter((setting) => setting.role === name && setting.name === 'role')
  const found = own.find((setting) => setting.database === roles.database) ?? own.find((setting) => setting.database === null)
  return found === undefined || found.value === 'none' ? name : found.value
}

/** What the two act as once our changes are made. */
export function actingRoles(roles: RoleCatalog, { from, to }: Handover, halves: Halves): Handover {
  const fromActs = actsAs(roles, from)
  if (actsAs(roles, to) === fromActs) return { from: fromActs, to: fromActs }
  // A clone acts as its base once it is ours, so that nothing it creates belongs to it. (Membership alone, as AWS leaves it, gives it
  // the base's rights today, and takes the base's rights on everything that the clone creates.)
  if (halves.mode === 'clone' && to === halves.names[1]) return { from: fromActs, to: fromActs }
  return { from: fromActs, to: fromActs === from ? to : fromActs }
}

function differInLogin({ roles, from, to }: Context): Difference {
  const refusals: Refusal[] = []
  if (!to.canLogin)
    refusals.push({ code: 'denied/no-login', message: `${to.name} has NOLOGIN: ALTER ROLE ${identifier(to.name)} LOGIN` })
  if (from.expired)
    refusals.push({
      code: 'denied/expired-valid-until',
      message: `VALID UNTIL of ${from.name} has passed, and ${to.name} would get the same`
    })
  for (const { name } of [from, to]) {
    const iam = [...reach(roles, name, () => true)].find((role) => IAM_GROUPS.has(role))
    if (iam)
      refusals.push({ code: 'denied/iam-login', message: `${name} belongs to ${iam}: REVOKE ${iam} FROM ${identifier(name)}` })
  }
  return { changes: [], refusals }
}

/** Members log in with a token only (RDS "IAM database authentication"; Cloud SQL "IAM authentication"). */
const IAM_GROUPS = new Set(['rds_iam', 'cloudsqliamuser', 'cloudsqliamserviceaccount', 'cloudsqliamgroup'])

const GIVEN = [
  ['createdb', 'CREATEDB'],
  ['createrole', 'CREATEROLE'],
  ['replication', 'REPLICATION'],
  ['bypassrls', 'BYPASSRLS']
] as const

/** Only what differs is named: on managed servers an admin may not even name NOSUPERUSER, NOREPLICATION or NOBYPASSRLS. */
function differInAttributes({ roles, from, to, halves }: Context): Difference {
  const role = identifier(to.name)
  const changes: Change[] = GIVEN.filter(([key]) => from[key] && !to[key]).map(([key, word]) => ({
    sql: `ALTER ROLE ${role} ${word}`,
    why: `${to.name} lacks ${word}`,
    needs: mayGive(roles, key)
      ? undefined
      : `ALTER ROLE ${identifier(roles.me.name)} ${word}, or ALTER ROLE ${role} ${word}, by a superuser`
  }))
  if (from.connectionLimit !== to.connectionLimit)
    changes.push({
      sql: `ALTER ROLE ${role} CONNECTION LIMIT ${from.connectionLimit}`,
      why: `${to.name} has another CONNECTION LIMIT`
    })
  if (from.validUntil !== to.validUntil)
    changes.push({
      sql: `ALTER ROLE ${role} VALID UNTIL ${literal(from.validUntil ?? 'infinity')}`,
      why: `${to.name} has another VALID UNTIL`
    })
  // A clone has its rights by inheritance, so it inherits even where its base does not.
  if (from.inherit !== to.inherit && halves.mode !== 'clone')
    changes.push({ sql: `ALTER ROLE ${role} ${from.inherit ? 'INHERIT' : 'NOINHERIT'}`, why: `${to.name} differs in INHERIT` })
  const refusals: Refusal[] =
    from.superuser && !to.superuser
      ? [
          {
            code: 'invalid/parity',
            message: `${from.name} is a superuser, which is never copied: ALTER ROLE ${role} SUPERUSER by hand, or take it from ${from.name}`
          }
        ]
      : []
  return { changes, refusals }
}

/** From 16 on one may give only what one has; before, CREATEROLE gave CREATEDB and CREATEROLE, a superuser the rest. */
function mayGive({ version, me }: RoleCatalog, key: (typeof GIVEN)[number][0]): boolean {
  if (me.superuser) return true
  return version >= 160_000 ? me[key] : me.createrole && (key === 'createdb' || key === 'createrole')
}

/** The role itself and those it is a member of, along the memberships that carry what is asked for. */
export function reach(
  roles: RoleCatalog,
  name: string,
  carries: (edge: RoleCatalog['edges'][number]) => boolean
): ReadonlySet<string> {
  const found = new Set([name])
  for (const role of found) {
    for (const edge of roles.edges) if (edge.member === role && carries(edge)) found.add(edge.role)
  }
  return found
}

/** A role as CREATE ROLE makes it, for planning before it is there. */
export const newRole = (name: string, canLogin: boolean): RoleFacts => ({
  ...{ name, canLogin, superuser: false, createdb: false, createrole: false, replication: false, bypassrls: false },
  ...{ inherit: true, connectionLimit: -1, validUntil: null, expired: false, comment: null, mayAlter: true, mayGrant: true }
})
