import type { Edge, RoleCatalog } from './postgres-catalog.ts'
import { type Change, type Context, type Difference, reach } from './postgres-parity.ts'
import { identifier } from './postgres-sql.ts'

/** Each membership of `from` must reach `to` too, directly or through another role, with what it carries. */
export function differInMemberships(context: Context): Difference {
  const { roles, from, to, halves } = context
  const [base = '', clone = ''] = halves.names
  const isNewClone = halves.mode === 'clone' && to.name === clone && from.name === base
  const link: Edge = { member: clone, role: base, admin: false, inherit: true, set: true, mayGrant: from.mayGrant }
  const linked = isNewClone ? { ...roles, edges: [...roles.edges, link] } : roles
  const missing = directEdges(roles, from.name).filter((edge) => edge.role !== to.name && !has(linked, to.name, edge))
  const changes = [...(isNewClone && !has(roles, clone, link) ? [link] : []), ...missing].map((edge) => grant(context, edge))
  return { changes, refusals: [] }
}

/** One edge a role: from 16 on there is one for each grantor. */
function directEdges(roles: RoleCatalog, member: string): Edge[] {
  const merged = new Map<string, Edge>()
  for (const edge of roles.edges.filter((candidate) => candidate.member === member)) {
    const known = merged.get(edge.role)
    merged.set(edge.role, {
      ...edge,
      admin: edge.admin || known?.admin === true,
      inherit: edge.inherit || known?.inherit === true,
      set: edge.set || known?.set === true
    })
  }
  return [...merged.values()]
}

function has(roles: RoleCatalog, member: string, { role, admin, inherit, set }: Edge): boolean {
  const all = reach(roles, member, () => true)
  if (!all.has(role)) return false
  if (inherit && !reach(roles, member, (edge) => edge.inherit).has(role)) return false
  if (set && !reach(roles, member, (edge) => edge.set).has(role)) return false
  return !admin || roles.edges.some((edge) => edge.role === role && edge.admin && all.has(edge.member))
}

function grant({ roles, to }: Context, edge: Edge): Change {
  const { role, admin, inherit, set, mayGrant } = edge
  const options =
    roles.version >= 160_000
      ? ` WITH INHERIT ${yes(inherit)}, SET ${yes(set)}${admin ? ', ADMIN TRUE' : ''}`
      : admin
        ? ' WITH ADMIN OPTION'
        : ''
  return {
    sql: `GRANT ${identifier(role)} TO ${identifier(to.name)}${options}`,
    why: `${to.name} is not a member of ${role} as its twin is`,
    needs: mayGrant ? undefined : `GRANT ${identifier(role)} TO ${identifier(roles.me.name)} WITH ADMIN OPTION`
  }
}

const yes = (flag: boolean): string => (flag ? 'TRUE' : 'FALSE')
