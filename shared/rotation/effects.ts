import { hasCode, KeyturnError } from '../errors.ts'
import { without } from '../metadata-without.ts'
import type { Attempt, Promoted, SecretFacts, Staged } from '../ports/secret-store.ts'
import type { Credential, Proof, Session, Target, TargetHold } from '../ports/target.ts'
import { iso, type Token } from '../types.ts'
import type { Core, Request } from './core.ts'
import { discard } from './discard.ts'
import { clean, disable, mint, retireKey, retireOld, takeBack } from './keys.ts'
import { afterDrop, afterPromotion, afterStage } from './known.ts'
import { type Held, inGrace, type Observation } from './machine.ts'
import { contextOf, type Memory, namedBy, seen } from './observe.ts'
import { alarm } from './page.ts'
import type { Step } from './phases.ts'
import { promotedAt } from './plan.ts'
import { tell } from './tell.ts'

/** One effect that was done, for the report and the log. */
export interface Done {
  readonly step: Step
  readonly principal: string
  readonly token?: Token | undefined
  readonly proof?: Proof | undefined
  /** Whose kept credential a forced rotation made useless: sessions of the other half, inside its grace. */
  readonly cut?: readonly Session[] | undefined
  /** Without an overlap: how long readers were refused, from before apply to after promote, ms. */
  readonly refusedMs?: number | undefined
  /** Of `tell`: `ok`, or the code of what failed. */
  readonly outcome?: string | undefined
}

/** What the effects of one run share. The hold was taken before the look that they act on. */
export interface Run {
  readonly core: Core
  readonly request: Request
  readonly target: Target
  readonly hold: TargetHold
  readonly memory: Memory
  readonly done: Done[]
  /** Replaces `propose`: a rollback stages the previous document again. */
  readonly proposal?: ((o: Observation) => Credential) | undefined
}

/** Gives the facts that a look would show, where the store's answers told all of them; else the run looks. */
export type Effect = (run: Run, o: Observation) => Promise<SecretFacts | undefined>

function attemptOf(o: Observation): Attempt {
  const facts = o.pending?.facts
  if (!facts || facts.base === undefined) throw new KeyturnError('bug/internal', 'a pending without a base')
  return { token: facts.token, base: facts.base, driver: facts.driver }
}

/** Claim (minted only: a chosen value's stage is its claim), make the value once, stage it. */
const issue: Effect = async (run, o) => {
  const { core, request, target } = run
  const { facts, current } = seen(o)
  const { refused, wasOvertaken, endedClaims } = run.memory
  const token = attemptToken(request.token, refused.length + (wasOvertaken ? 1 : 0) + endedClaims)
  const attempt: Attempt = { token, base: current.version, driver: 'keyturn' }
  const { signal } = request.deadline
  const isMinted = target.facts.issue === 'minted'
  const next = isMinted
    ? await mint(run, o, attempt).catch((e: unknown) => overtaken(run, e))
    : (run.proposal?.(o) ?? (await target.propose(current.credential, contextOf(facts), token, signal)))
  if (next === undefined) return undefined
  let staged: Staged | undefined
  try {
    staged = await core.store.stage(facts.id, attempt, next.document, signal)
  } catch (e) {
    // A run died between value and label, or another driver was faster: the next look shows what is pending now.
    if (isMinted) await takeBack(run, next, e)
    if (!hasCode(e, 'conflict/pending-other') || isMinted || run.memory.wasBeaten) throw e
    run.memory.wasBeaten = true
    return undefined
  }
  run.done.push({ step: 'issue', principal: next.principal, token })
  return staged && afterStage(run, facts, attempt, staged, next.document)
}

/** Another rotation was faster than this one's look: it looks again, and no more than once. */
function overtaken({ memory }: Run, e: unknown): undefined {
  if (!hasCode(e, 'conflict/current-moved') || memory.wasOvertaken) throw e
  memory.wasOvertaken = true
}

/** A request's first attempt has its token; one after an attempt that was given up has a name of its own (a token names one value). */
const attemptToken = (token: Token, givenUp: number): Token => (givenUp === 0 ? token : `${token}-${givenUp + 1}`)

/** Whether an attempt was made for this request. */
export const isAttemptOf = (token: Token, request: Request): boolean =>
  token === request.token || token.startsWith(`${request.token}-`)

/** How many values a target may refuse by policy before a person has to look. */
const MAX_REFUSALS = 3

/** Apply, verify, promote: three calls and one effect that readers see, the last. */
const promote: Effect = async (run, o) => {
  const { core, request, target, hold } = run
  const { facts, current } = seen(o)
  const next = o.pending?.held?.credential
  if (!next) throw new KeyturnError('bug/internal', 'a staged pending without a value')
  refuseSameHalf(next, current)
  const { signal } = request.deadline
  const cut = await cutBy(run, o, next)
  const began = performance.now()
  try {
    await hold.apply(next, async () => namedBy(o), signal)
  } catch (e) {
    // The target refuses this very value; another is made, instead of the same being tried for ever.
    if (!hasCode(e, 'invalid/password') || !o.pending || run.memory.refused.length >= MAX_REFUSALS) throw e
    run.memory.refused.push(o.pending.facts.version)
    return undefined
  }
  try {
    if ((await target.verify(next, { ...contextOf(facts), applied: true }, signal)) === 'rejected')
      throw new KeyturnError('denied/login', `${next.principal} is refused although its password was just set`)
  } catch (e) {
    // Old enough to be taken, and refused: its value was made anew or ended behind our back, and nothing makes it valid again.
    if (!hasCode(e, 'unavailable/not-active-yet') || !isSettled(o, target.facts.settlesMs)) throw e
    run.memory.refused.push(o.pending?.facts.version ?? '')
    return undefined
  }
  request.deadline.ensure(core.stepNeedsMs)
  await hold.check(signal)
  const attempt = attemptOf(o)
  let promoted: Promoted | undefined
  try {
    promoted = await core.store.promote(facts.id, attempt, signal)
  } catch (e) {
    // A person wrote current anew after the look: what was applied may be the half that it names now, and is undone at once.
    if (!hasCode(e, 'conflict/current-moved') || run.memory.wasOvertaken) throw e
    run.memory.wasOvertaken = true
    return undefined
  }
  run.done.push({ step: 'promote', principal: next.principal, token: attempt.token, cut, refusedMs: refusedSince(began, next) })
  return promoted && afterPromotion(run, facts, attempt, promoted, next)
}

/** The pending key is older than the provider takes to know a new one, by the store's clock. */
function isSettled({ facts, pending }: Observation, settlesMs: number): boolean {
  const madeAt = pending?.held?.createdAt
  return facts !== undefined && madeAt !== undefined && facts.seenAt - madeAt > settlesMs
}

/** The declared exception to G1 is measured and said (design, mode single). */
export const refusedSince = (began: number, next: Credential): number | undefined =>
  next.overlap ? undefined : Math.round(performance.now() - began)

/** `force` is an exception to G1, and the report names who was cut (design rule 7). */
async function cutBy(run: Run, o: Observation, next: Credential): Promise<readonly Session[] | undefined> {
  const { facts } = seen(o)
  if (!inGrace(o, facts) || o.previous?.credential.principal !== next.principal) return undefined
  const usage = await run.hold.usage(o.previous.credential, run.request.deadline.signal)
  return usage.state === 'used' ? usage.sessions : []
}

/** The half that current names is never set (design rule 3), unless the target has no second one. */
function refuseSameHalf(next: Credential, current: Held): void {
  if (next.overlap && next.principal === current.credential.principal)
    throw new KeyturnError('conflict/current-moved', `the pending names ${next.principal}, which current uses`)
}

/** Record (previous, time), then drop the pending: dropping first would lose what the grace is counted from. */
const settle: Effect = async (run, o) => {
  const { core, request } = run
  const { facts, current } = seen(o)
  const { signal } = request.deadline
  const base = o.pending?.facts.base ?? o.previous?.version
  if (facts.metadata.promoted?.version !== current.version && base !== undefined && base !== current.version) {
    const at = promotedAt(facts, current.createdAt) ?? facts.seenAt
    const promoted = { version: current.version, previous: base, at }
    // What was said of the one that was replaced before is no news; a key that was made current again is enabled.
    const patch = { promoted, ...without(facts.metadata, 'retired', 'disabled', 'acknowledged') }
    await core.store.annotate(facts.id, patch, facts.revision, signal)
    run.done.push({ step: 'settle', principal: current.credential.principal })
    return undefined
  }
  const left = o.pending && (await core.store.drop(facts.id, o.pending.facts.token, signal))
  run.done.push({ step: 'settle', principal: current.credential.principal })
  return left && afterDrop(facts)
}

const retire: Effect = async (run, o) => {
  if (run.target.facts.lock === 'claim') return retireKey(run, o)
  await retireOld(run, o)
  return undefined
}

const heal: Effect = async (run, o) => {
  const { facts, current } = seen(o)
  const what = { secret: facts.name, code: 'bug/broken', principal: current.credential.principal, at: iso(facts.seenAt) }
  run.core.log.error('broken', what)
  const { alarms } = run.memory
  try {
    await healed(run, facts, current)
  } catch (e) {
    alarms.push(alarm('broken', facts, current, e))
    throw e
  }
  alarms.push(alarm('healed', facts, current, 'The target takes it again, now that its own value was set anew.'))
  run.memory.currentRefused = false
  run.done.push({ step: 'heal', principal: current.credential.principal })
  return undefined
}

async function healed({ hold, target, request }: Run, facts: SecretFacts, { credential }: Held): Promise<void> {
  const { signal } = request.deadline
  await hold.heal(credential, signal)
  if ((await target.verify(credential, contextOf(facts), signal)) === 'rejected')
    throw new KeyturnError('bug/broken', `${facts.name}: current was set again and is still refused`)
}

const refuse: Effect = async (_run, o) => {
  const { facts } = seen(o)
  if (o.strangers.length > 0)
    throw new KeyturnError('conflict/full', `${facts.name}: no room for a new key beside ${o.strangers.join(', ')}`)
  throw new KeyturnError('busy/claimed', `${facts.name}: another run claimed it`)
}

/** The one effect of each step. */
export const EFFECTS: Readonly<Record<Exclude<Step, 'none'>, Effect>> = {
  issue,
  promote,
  discard,
  settle,
  tell,
  clean,
  disable,
  retire,
  heal,
  refuse
}
