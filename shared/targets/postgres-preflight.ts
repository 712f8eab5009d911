import { asKeyturnError, type Code, KeyturnError } from '../errors.ts'
import { generatePassword } from '../password.ts'
import type { Context, Credential, Problem } from '../ports/target.ts'
import { canCreate, checkAdopted, readDifferences, refusalsOf } from './postgres-apply.ts'
import { type Authority, checkOurs, readHalves } from './postgres-authority.ts'
import type { RoleCatalog, RoleFacts } from './postgres-catalog.ts'
import { otherHalf, readCredential } from './postgres-halves.ts'
import { readHints, signalCure } from './postgres-hints.ts'
import { type Opening, openAuthority } from './postgres-open.ts'
import { actingRoles, type Handover, newRole, reach } from './postgres-parity.ts'
import { identifier } from './postgres-sql.ts'
import { verifyCandidate } from './postgres-verify.ts'

/**
 * What a rotation would be refused for, found by asking what apply, verify and retire ask. Logs in as current and as the
 * admin, takes no lock, changes nothing.
 */
export async function preflight(
  opening: Opening,
  current: Credential,
  metadata: Context,
  signal: AbortSignal
): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  const report: Report = (e, fatal = true) => {
    const { code, message, todo } = asKeyturnError(e)
    if (!problems.some((known) => known.code === code && known.message === message)) problems.push({ code, message, todo, fatal })
  }
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (e) {
      // The time is over: what follows would only say so again.
      if (signal.aborted) throw e
      report(e)
    }
  }
  await attempt(async () => {
    generatePassword(opening.passwordPolicy)
    const { document, halves } = readCredential(current.document, metadata)
    await attempt(() => checkCurrent(opening, current, metadata, signal))
    await attempt(async () => {
      const opened = await openAuthority(opening, document, halves, false, signal)
      try {
        await checkRoles({ ...opened, halves }, document.username, metadata.known ?? [], report, signal)
      } finally {
        await opened.session.close()
      }
    })
  })
  return problems
}

type Report = (e: unknown, fatal?: boolean) => void

const notice = (report: Report, code: Code, message: string): void => report(new KeyturnError(code, message), false)

async function checkCurrent(opening: Opening, current: Credential, metadata: Context, signal: AbortSignal): Promise<void> {
  const verdict = await verifyCandidate(opening, current, metadata, { compare: false }, signal)
  if (verdict === 'rejected')
    throw new KeyturnError('denied/login', `the server refuses the current credential of ${current.principal}`)
}

async function checkRoles(
  authority: Authority,
  name: string,
  known: readonly string[],
  report: Report,
  signal: AbortSignal
): Promise<void> {
  const { halves } = authority
  if (halves.mode === 'single') {
    notice(report, 'unsupported/overlap', `${name} changes its own password, without a twin and without an admin`)
    return
  }
  const handover = { from: name, to: otherHalf(halves, name) }
  const found = await readHalves(authority, signal)
  const isNew = canCreate(found, handover.to, halves)
  const roles = isNew ? { ...found, roles: [...found.roles, newRole(handover.to, true)] } : found
  if (isNew) checkMayCreate(found, handover, report)
  try {
    checkOurs(roles, halves, handover.to)
    if (!isNew) await checkAdopted(roles, handover.to, halves, async () => known)
  } catch (e) {
    report(e)
  }
  const difference = await readDifferences(authority, roles, handover, signal)
  for (const { code, message } of refusalsOf(difference)) report(new KeyturnError(code, message))
  await checkWayBack(authority, roles, handover, report, signal)
  await checkHints(authority, roles, handover, report, signal)
}

function checkMayCreate({ me }: RoleCatalog, { to }: Handover, report: Report): void {
  if (me.superuser || me.createrole) return
  const message = `${me.name} may not create ${to}: ALTER ROLE ${identifier(me.name)} CREATEROLE`
  report(new KeyturnError('denied/admin-option', message))
}

/** What would stop the rotation after this one. */
async function checkWayBack(
  authority: Authority,
  roles: RoleCatalog,
  { from, to }: Handover,
  report: Report,
  signal: AbortSignal
): Promise<void> {
  const { halves } = authority
  const twin = roles.roles.find((role) => role.name === to)
  if (halves.mode === 'twin' && twin && !mayAlterBack(roles, twin, from)) {
    const why =
      roles.version >= 160_000
        ? ', and from 16 on no two roles can have ADMIN OPTION on each other: give the secret an admin'
        : ''
    notice(report, 'denied/admin-option', `once ${to} is current it may not alter ${from}${why}`)
  }
  if (!twin) return
  const back = await readDifferences(authority, roles, { from: to, to: from }, signal)
  for (const { code, message } of back.refusals) notice(report, code, `the rotation after the next: ${message}`)
}

function mayAlterBack(roles: RoleCatalog, twin: RoleFacts, other: string): boolean {
  if (twin.superuser) return true
  const isAdmin = roles.edges.some((e) => e.role === other && e.admin && reach(roles, twin.name, () => true).has(e.member))
  return twin.createrole && (roles.version < 160_000 || isAdmin)
}

async function checkHints(
  authority: Authority,
  roles: RoleCatalog,
  handover: Handover,
  report: Report,
  signal: AbortSignal
): Promise<void> {
  const hints = await readHints(authority.session, handover.from, signal)
  const { me } = roles
  if (!hints.maySignal) notice(report, 'denied/privilege', signalCure(me.name, handover.from))
  const acting = actingRoles(roles, handover, authority.halves)
  if (acting.from === acting.to) return
  if (hints.askers.length > 0)
    notice(report, 'invalid/parity', `these ask for the current user, who will be ${handover.to}: ${hints.askers.join(', ')}`)
  if (hints.elsewhere.length > 0) {
    const message = `${handover.from} owns or may something in ${hints.elsewhere.join(', ')} too, which is not compared: the secret names ${roles.database}`
    notice(report, 'invalid/parity', message)
  }
}
