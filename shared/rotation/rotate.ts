import { hasClass, hasCode, KeyturnError } from '../errors.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import type { Target, Usage } from '../ports/target.ts'
import { cannotTell } from '../ports/usage.ts'
import { type Instant, iso } from '../types.ts'
import type { Core, Request } from './core.ts'
import { drainOf, soakEnds } from './drain.ts'
import { type Done, EFFECTS, isAttemptOf, type Run } from './effects.ts'
import { stopped, takeHold } from './hold.ts'
import { type Held, type Intent, inGrace, type Observation, phaseOf } from './machine.ts'
import { contextOf, emptyMemory, type Memory, observe, refuseOthers } from './observe.ts'
import { alarm, page } from './page.ts'
import { type Phase, rowOf } from './phases.ts'

/** What one run did to one secret, and where it left it. */
export interface Outcome {
  readonly secret: string
  readonly phase: Phase
  readonly current: string | undefined
  /** The other half that still lives, and until when readers may hold it. */
  readonly previous: string | undefined
  readonly graceEnds: Instant | undefined
  readonly done: readonly Done[]
  /** Why nothing more was done, where something was asked for: `done already`, `held`, … */
  readonly note: string | undefined
  /** What the previous key's retirement waits for, in words. Empty where there is none. */
  readonly waitsFor: readonly string[]
}

/** More turns than any path through the phase table has: a loop that does not settle is a bug, not a busy machine. */
const MAX_TURNS = 16

/**
 * Runs one secret to where its intent asks, from wherever it stands: look, decide, one effect, look again (or know, where
 * the store's answer told all that a look would). Kill it anywhere; the next run looks and goes on. Everything that is acted
 * on was seen inside one hold of the target's lock.
 * Throws KeyturnError; a refusal has changed nothing.
 */
export async function run(core: Core, asked: Intent, request: Request, proposal?: Run['proposal']): Promise<Outcome> {
  const memory = emptyMemory()
  try {
    return await ran(core, proposal ? { ...asked, isRollback: true } : asked, request, memory, proposal)
  } finally {
    await page(core, request, memory.alarms)
  }
}

async function ran(
  core: Core,
  intent: Intent,
  request: Request,
  memory: Memory,
  proposal: Run['proposal'] | undefined
): Promise<Outcome> {
  const facts = await core.store.describe(request.secretId, request.deadline.signal)
  if (!facts) throw new KeyturnError('not-found/secret', `no secret ${request.secretId}`)
  // Its owner has not asked for it: what rotates it may be something else. Where Secrets Manager drives, the owner has.
  if (facts.current !== undefined && facts.metadata.kind === undefined)
    throw new KeyturnError('conflict/unmanaged', `${facts.name} has no kind`)
  refuseOthers(core, facts)
  const first = await observe(core, request, memory, undefined, facts)
  const { current } = first
  if (!current) throw new KeyturnError('not-found/version', `${facts.name} has no current value`)
  const early = alreadyDone(first, intent, request) ?? refusedByPerson(first, intent)
  if (early) return outcome(first, [], early)
  const target = core.targetFor(current.credential.document)
  await drift(core, target, first, intent, memory, request)
  if (request.dryRun) return ended(first, phaseOf(first, intent), intent, [])
  if (isIdle(first, intent, memory)) return outcome(first, [], undefined, intent)
  const places = [current, first.pending?.held]
  const hold = await takeHold(target, places, contextOf(facts), request.deadline.signal).catch((e: unknown) => {
    // No login opens it any more. Whoever has the lock may be about to make current valid again.
    if (memory.currentRefused && hasClass(e, 'denied')) memory.alarms.push(alarm('broken', facts, current, e))
    throw e
  })
  try {
    // Where the store's claim is the hold, nothing was taken since the look: each write compares with it, or looks.
    const known = target.facts.lock === 'claim' ? facts : undefined
    return await turns({ core, request, target, hold, memory, done: [], proposal }, intent, known)
  } finally {
    await hold.release()
  }
}

async function turns(run: Run, asked: Intent, first: SecretFacts | undefined): Promise<Outcome> {
  const { core, request, done } = run
  let known = first
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    const o = await look(run, asked, known)
    // Asked again inside the hold: another run may have answered the request, or a person stopped it, meanwhile; and
    // after each step but our own promotion, because one that was killed before its record is told only by the record.
    const answered = done.some((d) => d.step === 'promote') ? undefined : alreadyDone(o, asked, request)
    const early = answered ?? (turn === 0 ? refusedByPerson(o, asked) : undefined)
    if (early) return outcome(o, done, early)
    const intent: Intent = isAnswered(o, run) ? { ...asked, want: 'settle' } : asked
    const phase = phaseOf(o, intent)
    const { step } = rowOf(phase)
    if (phase === 'absent') throw new KeyturnError('not-found/secret', `${request.secretId} went away`)
    if (step === 'none') {
      alertOverdue(run, o, phase)
      return ended(o, phase, intent, done)
    }
    request.deadline.ensure(core.stepNeedsMs)
    core.log.info('step', { secret: o.facts?.name, phase, step, token: request.token })
    known = await EFFECTS[step](run, o)
  }
  throw new KeyturnError('bug/internal', `no end after ${MAX_TURNS} turns`)
}

/** This run promoted, or current is this request's own (killed before it could say so): only tidying up is left. */
const isAnswered = (o: Observation, run: Run): boolean =>
  run.done.some((d) => d.step === 'promote') ||
  (o.facts?.currentToken !== undefined && isAttemptOf(o.facts.currentToken, run.request))

/** A look inside the hold, with what only the target can say. */
async function look(run: Run, intent: Intent, told: SecretFacts | undefined): Promise<Observation> {
  const { core, request, hold, memory } = run
  const o = await observe(core, request, memory, run, told)
  const { facts, previous, target } = o
  const isAsked = target?.issue === 'minted' ? intent.want !== 'settle' : intent.want === 'sweep'
  if (!isAsked || !facts || !previous || inGrace(o, facts) || memory.usage) return o
  // What is disabled waits for its soak alone.
  if (soakEnds(o, facts) !== undefined) return o
  memory.usage = isOver(previous, memory)
    ? { state: 'unused' }
    : await hold.usage(previous.credential, request.deadline.signal).catch(notTold)
  return { ...o, usage: memory.usage }
}

/**
 * It is disabled or deleted already: by a person, or by a run that died before it could record that. Nobody uses it, and some
 * providers tell nothing of the last use of such a key; what is left to do is done again, proved and recorded.
 */
function isOver({ credential }: Held, { live }: Memory): boolean {
  if (live === undefined) return false
  return live.find(({ principal }) => principal === credential.principal)?.isDisabled !== false
}

/** Who may not ask cannot tell: a person may, and acknowledges. Every other failure says nothing of the use, and passes. */
function notTold(e: unknown): Usage {
  if (!hasClass(e, 'denied')) throw e
  return cannotTell(e)
}

/** A sweep asks the target whether it still takes current: somebody else may have set it (design: drift). */
async function drift(core: Core, target: Target, o: Observation, intent: Intent, memory: Memory, request: Request) {
  if (intent.want !== 'sweep' || !o.current || !o.facts || request.dryRun) return
  const what = { secret: o.facts.name, principal: o.current.credential.principal }
  try {
    const verdict = await target.verify(o.current.credential, contextOf(o.facts), request.deadline.signal)
    memory.currentRefused = verdict === 'rejected'
    if (memory.currentRefused) core.log.warn('drift', what)
  } catch (e) {
    // It logs in and something else is wrong: said, and no reason to leave the secret unrotated.
    if (!hasClass(e, 'invalid') && !hasCode(e, 'denied/workload-check')) throw e
    core.log.warn('drift', { ...what, code: e.code })
  }
}

/** Nothing to do even if the look were older than it is: no lock is taken, and the next sweep looks again. */
function isIdle(o: Observation, intent: Intent, memory: Memory): boolean {
  if (intent.want !== 'sweep' || memory.currentRefused || !o.facts) return false
  const phase = phaseOf(o, intent)
  // What a dead run left at a provider that mints is seen by its list alone.
  const isAtRest = phase === 'settled' && o.target?.issue !== 'minted'
  return isAtRest || (phase === 'draining' && inGrace(o, o.facts))
}

/** A request that took effect before: delivered again, or older than the last promotion (design rule 10). */
function alreadyDone(o: Observation, intent: Intent, request: Request): string | undefined {
  const { facts } = o
  if (intent.want !== 'rotate' || !facts) return undefined
  if (facts.currentToken !== undefined && isAttemptOf(facts.currentToken, request))
    return phaseOf(o, { ...intent, want: 'settle' }) === 'promoted' ? undefined : 'done already: this request made current'
  if (request.force || request.requestedAt === undefined) return undefined
  const record = facts.metadata.promoted
  const at = record?.version === facts.current ? record?.at : facts.rotatedAt
  return at !== undefined && request.requestedAt <= at ? 'done already: older than the last promotion' : undefined
}

/** A hold stops everything; a window stops what nobody asked for by name. A sweep says so and goes on to the next. */
function refusedByPerson(o: Observation, intent: Intent): string | undefined {
  if (!o.facts) return undefined
  const error = stopped(o.facts, intent.want === 'sweep')
  if (error && intent.want !== 'sweep') throw error
  return error?.message
}

/** The end of a run, or the refusal of a request that the phase does not allow. */
function ended(o: Observation, phase: Phase, intent: Intent, done: readonly Done[]): Outcome {
  const { facts } = o
  const isAsked = intent.want === 'rotate' || intent.want === 'retire'
  if (isAsked && facts && (phase === 'draining' || phase === 'soaking')) throw notYet(o, facts, phase, intent)
  return outcome(o, done, undefined, intent)
}

function outcome(o: Observation, done: readonly Done[], note: string | undefined, intent?: Intent): Outcome {
  return {
    secret: o.facts?.name ?? '',
    phase: phaseOf(o, intent ?? { want: 'settle', force: false }),
    current: o.current?.credential.principal,
    previous: o.previous?.credential.principal,
    graceEnds: o.graceEnds,
    done,
    note,
    waitsFor: waitsFor(o)
  }
}

/** The hard limit: somebody has to look why the old key is still there. It is not cut, unless its owner said so. */
function alertOverdue({ core, memory }: Run, o: Observation, phase: Phase): void {
  const { facts, previous } = o
  if (phase !== 'draining' || !facts || !previous || o.target?.issue !== 'minted' || !drainOf(o, facts).isOverdue) return
  const why = waitsFor(o)
  core.log.error('overdue', { secret: facts.name, principal: previous.credential.principal, waitsFor: why })
  memory.alarms.push(alarm('overdue', facts, previous, `It waits: ${why.join('; ')}.`))
}

/** Why a request is refused while the previous credential lives. */
function notYet(o: Observation, facts: SecretFacts, phase: Phase, { want }: Intent): KeyturnError {
  const old = o.previous?.credential.principal
  if (inGrace(o, facts))
    return new KeyturnError('conflict/inside-grace', `${facts.name}: ${old} is valid until ${iso(o.graceEnds ?? facts.seenAt)}`)
  if (want === 'retire' && !facts.replicasInSync)
    return new KeyturnError('unavailable/replicas', `${facts.name}: replicas are not in sync`)
  const why = waitsFor(o).join('; ')
  if (want === 'rotate') return new KeyturnError('conflict/not-retired', `${facts.name}: ${old} is not retired yet: ${why}`)
  if (phase === 'soaking') return new KeyturnError('conflict/soaking', `${facts.name}: ${old}: ${why}`)
  const isUnknown = drainOf(o, facts).blockers.some(({ what }) => what === 'acknowledgement')
  return new KeyturnError(isUnknown ? 'conflict/unacknowledged' : 'conflict/in-use', `${facts.name}: ${old}: ${why}`)
}

function waitsFor(o: Observation): readonly string[] {
  const { facts, previous, target } = o
  if (!facts || !previous || target?.issue !== 'minted') return []
  const soaked = soakEnds(o, facts)
  if (soaked !== undefined) return [`it is disabled, and is deleted after ${iso(soaked)}`]
  return drainOf(o, facts).blockers.map(({ says }) => says)
}
