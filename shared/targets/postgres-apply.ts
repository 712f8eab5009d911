import { KeyturnError } from '../errors.ts'
import type { SecretText } from '../types.ts'
import { type Authority, checkOurs, onHalves, readHalves, setPassword } from './postgres-authority.ts'
import type { RoleCatalog } from './postgres-catalog.ts'
import { type Halves, standingOf } from './postgres-halves.ts'
import { readObjects } from './postgres-objects.ts'
import { actingRoles, type Difference, differences, type Handover, type Refusal, reach } from './postgres-parity.ts'
import { identifier } from './postgres-sql.ts'

/** Everything that `to` needs to take over from `from`, and its password, in one transaction. */
export async function applyHandover(
  authority: Authority,
  handover: Handover,
  password: SecretText,
  known: () => Promise<readonly string[]>,
  signal: AbortSignal
): Promise<void> {
  const { halves, session } = authority
  await onHalves(authority, signal, async (found) => {
    let roles = found
    if (canCreate(roles, handover.to, halves)) {
      const create = `CREATE ROLE ${identifier(handover.to)} LOGIN`
      await session.query(`creating ${handover.to}`, create, undefined, signal)
      roles = await readHalves(authority, signal)
    } else await checkAdopted(roles, handover.to, halves, known)
    const role = checkOurs(roles, halves, handover.to)
    const difference = await readDifferences(authority, roles, handover, signal)
    await makeEqual(authority, difference, handover, signal)
    await setPassword(authority, handover.to, password, { comment: role.comment, last: 'set', now: roles.now }, signal)
  })
}

/** Reads the objects only where they can differ. */
export async function readDifferences(
  { session, version, halves }: Pick<Authority, 'session' | 'version' | 'halves'>,
  roles: RoleCatalog,
  handover: Handover,
  signal: AbortSignal
): Promise<Difference> {
  const acting = actingRoles(roles, handover, halves)
  const objects = acting.from === acting.to ? undefined : await readObjects(session, version, handover, signal)
  return differences(roles, objects, handover, halves)
}

async function makeEqual(authority: Authority, difference: Difference, handover: Handover, signal: AbortSignal): Promise<void> {
  const [refusal] = refusalsOf(difference)
  if (refusal) throw new KeyturnError(refusal.code, refusal.message)
  if (difference.changes.length === 0) return
  for (const { sql, why } of difference.changes) await authority.session.query(`making equal (${why})`, sql, undefined, signal)
  // GRANT says "no privileges were granted" as a warning only: what counts is what is there now.
  const left = await readDifferences(authority, await readHalves(authority, signal), handover, signal)
  const still = [...left.changes.map(({ why }) => why), ...left.refusals.map(({ message }) => message)]
  if (still.length > 0) throw new KeyturnError('invalid/parity', `after copying, ${still.join('; ')}`)
}

/** What stands in the way: refusals, and changes that the session's role may not make. */
export const refusalsOf = ({ changes, refusals }: Difference): readonly Refusal[] => [
  ...refusals,
  ...changes.flatMap(({ why, needs }) =>
    needs === undefined
      ? []
      : [{ code: 'denied/admin-option' as const, message: `${why}, and the admin may not give it: ${needs}` }]
  )
]

/** Only a clone is ever made, and only beside its base. */
export function canCreate(roles: RoleCatalog, name: string, halves: Halves): boolean {
  return halves.mode === 'clone' && name === halves.names[1] && !roles.roles.some((role) => role.name === name)
}

/**
 * In mode pair the owner named both logins. In mode clone one of them was only derived from the other's name, so a role without
 * our mark is taken as ours only if it is a member of the base, or a previous version of the secret names it. (AWS
 * takes whatever has the name, and locks out its owner.)
 */
export async function checkAdopted(
  roles: RoleCatalog,
  name: string,
  halves: Halves,
  known: () => Promise<readonly string[]>
): Promise<void> {
  const role = roles.roles.find((candidate) => candidate.name === name)
  if (!role || halves.mode !== 'clone' || standingOf(role.comment, halves) !== 'unmarked') return
  const [base = '', clone = ''] = halves.names
  if (reach(roles, clone, () => true).has(base) || (await known()).includes(name)) return
  throw new KeyturnError(
    'conflict/role-not-ours',
    `${name} exists, is not recorded as ours, and ${clone} is no member of ${base}: name the pair in the secret, or GRANT ${identifier(base)} TO ${identifier(clone)}`
  )
}
