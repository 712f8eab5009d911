import type { PendingFacts, SecretFacts } from '../ports/secret-store.ts'
import type { Credential, Usage } from '../ports/target.ts'
import type { Instant, VersionId } from '../types.ts'

/** Where a rotation stands. Everything here can be looked up: there is no other state, and so no "resume". */
export type Phase =
  | 'absent'
  | 'settled'
  | 'due'
  | 'busy'
  | 'full'
  | 'staged'
  | 'spoiled'
  | 'promoted'
  | 'draining'
  | 'retiring'
  | 'broken'

/** The one effect that comes next. `issue` = claim (minted only), mint, stage. `promote` = apply, verify, promote. */
export type Step = 'none' | 'issue' | 'promote' | 'discard' | 'settle' | 'retire' | 'heal' | 'refuse'

export interface PhaseRow {
  readonly phase: Phase
  readonly readers: string
  readonly target: string
  readonly step: Step
  /** The step in words, for people. */
  readonly does: string
  readonly dying: string
  /** The phase that the step leads to: what a dry run prints. */
  readonly leads: Phase | undefined
}

const row = (
  phase: Phase,
  readers: string,
  target: string,
  step: Step,
  does: string,
  dying: string,
  leads?: Phase
): PhaseRow => ({ phase, readers, target, step, does, dying, leads })

/** Every phase: what readers hold, what the target takes, the one step, and what happens if the process dies in it. */
export const PHASES: readonly PhaseRow[] = [
  row('absent', '–', '?', 'none', 'nothing', 'nothing is lost'),
  row('settled', 'A', 'A', 'none', 'nothing', 'nothing is lost'),
  row(
    'due',
    'A',
    'A',
    'issue',
    '(claim, mint,) stage B',
    'minted: B without a stage is an orphan; chosen: nothing is lost',
    'staged'
  ),
  row('busy', 'A', 'A (B maybe)', 'refuse', 'nothing: somebody’s claim without a value, not outlived yet', 'nothing is lost'),
  row('full', 'A', 'A and a stranger’s', 'refuse', 'nothing: a conflict that names the stranger’s key', 'nothing is lost'),
  row(
    'staged',
    'A',
    'A (B maybe)',
    'promote',
    'apply, verify, promote B',
    'B is in the store: applied and verified again, the same value',
    'promoted'
  ),
  row('spoiled', 'A', 'A', 'discard', 'discard B, at the target first, then the stage', 'discarded next time', 'due'),
  row(
    'promoted',
    'B',
    'A B',
    'settle',
    'record the promotion, then drop the pending',
    'recorded and dropped next time',
    'draining'
  ),
  row('draining', 'B', 'A B', 'none', 'nothing, until the grace is over and A is unused', 'nothing is lost'),
  row('retiring', 'B', 'A B', 'retire', 'retire A, prove it once, record it', 'A lives until the next run', 'settled'),
  row('broken', 'A', 'not A', 'heal', 'page; heal where the target has an authority of its own', 'healed next time', 'settled')
]

export function rowOf(phase: Phase): PhaseRow {
  const found = PHASES.find((r) => r.phase === phase)
  if (!found) throw new TypeError(`no row for ${phase}`)
  return found
}

/** A version with its value read and understood. */
export interface Held {
  readonly version: VersionId
  readonly credential: Credential
  readonly createdAt: Instant | undefined
}

/** What one run wants, and what it has learned by asking the target. Everything else comes from the look. */
export interface Intent {
  /** `rotate`: by request. `retire`: by request. `sweep`: whatever is due. `settle`: promoted in this run, only tidy up. */
  readonly want: 'rotate' | 'retire' | 'sweep' | 'settle'
  /** A person accepts that clients inside the grace are cut. */
  readonly force: boolean
}

/** One look, inside the hold. */
export interface Observation {
  readonly facts: SecretFacts | undefined
  readonly current: Held | undefined
  /** The pending that counts (see pendingOf), with its value where it has one that can be read. */
  readonly pending: { readonly facts: PendingFacts; readonly held: Held | undefined; readonly refused: boolean } | undefined
  readonly previous: Held | undefined
  /** A login with current was refused in this run, and nothing healed it since. */
  readonly currentRefused: boolean
  /** Keys that no stage names, where the provider takes no further one. */
  readonly strangers: readonly string[]
  /** The provider takes no further key, so the previous one has to go first. */
  readonly noRoom: boolean
  readonly usage: Usage | undefined
  /** When the grace ends, by the store's clock. Undefined: no reader can hold another half. */
  readonly graceEnds: Instant | undefined
  /** A claim older than this has outlived every run that could have made it. */
  readonly claimOutlivedMs: number
  readonly due: boolean
}

/** Readers may hold the other half, by the store's clock. */
export const inGrace = (o: Observation, facts: SecretFacts): boolean => o.graceEnds !== undefined && facts.seenAt < o.graceEnds

/** A promotion of ours that no record names yet: the grace could not be told from the look alone next time. */
const unrecorded = (o: Observation, facts: SecretFacts): boolean =>
  o.graceEnds !== undefined && facts.metadata.promoted?.version !== facts.current

/** The store's own rotation registered a token a moment ago and is about to write its value. */
const starting = (o: Observation, facts: SecretFacts, pending: PendingFacts): boolean =>
  pending.driver === 'store' && facts.changedAt !== undefined && facts.seenAt - facts.changedAt <= o.claimOutlivedMs

/**
 * Applying the pending would cut who holds the half before current inside its grace: the guard is asked before apply
 * too, because what staged it may have been forced, or may have looked at a store that shows an old state.
 */
const cuts = (o: Observation, facts: SecretFacts): boolean =>
  inGrace(o, facts) && o.pending?.held?.credential.principal === o.previous?.credential.principal

/** The pending names the half that current uses: never applied (design rule 3). An adoption that died leaves such a one. */
const isCurrentsOwn = ({ pending, current }: Observation): boolean =>
  pending?.held?.credential.overlap === true && pending.held.credential.principal === current?.credential.principal

function pendingPhase(o: Observation, intent: Intent, facts: SecretFacts): Phase | undefined {
  const pending = o.pending
  if (!pending) return undefined
  if (pending.facts.version === facts.current || (facts.currentToken !== undefined && pending.facts.token === facts.currentToken))
    return 'promoted'
  if (pending.facts.claimedAt !== undefined)
    return facts.seenAt - pending.facts.claimedAt > o.claimOutlivedMs ? 'spoiled' : 'busy'
  // Without a value it is nobody's. A request takes it off and goes on; a sweep leaves a fresh one to its driver.
  if (!pending.held && intent.want !== 'rotate' && starting(o, facts, pending.facts)) return 'busy'
  if (!pending.held || pending.refused || pending.facts.base !== facts.current || isCurrentsOwn(o)) return 'spoiled'
  return cuts(o, facts) && !intent.force ? 'draining' : 'staged'
}

function overlapPhase(o: Observation, intent: Intent, facts: SecretFacts): Phase | undefined {
  if (o.graceEnds === undefined) return undefined
  if (intent.want === 'settle') return 'draining'
  if (intent.want === 'rotate') {
    if (inGrace(o, facts) && !intent.force) return 'draining'
    return o.noRoom ? 'retiring' : undefined
  }
  if (inGrace(o, facts) && !(intent.want === 'retire' && intent.force)) return 'draining'
  if (!facts.replicasInSync) return 'draining'
  // A person's retire goes on to the target, which ends sessions or names them; a sweep waits until none is left.
  if (intent.want === 'retire' || o.usage?.state === 'unused') return 'retiring'
  return o.due ? undefined : 'draining'
}

/** Where the rotation stands, from one look. Pure. The order of the questions is the order of the rules. */
export function phaseOf(o: Observation, intent: Intent): Phase {
  const { facts } = o
  if (!facts?.current || !o.current) return 'absent'
  const pending = pendingPhase(o, intent, facts)
  if (pending) return pending
  if (o.currentRefused) return 'broken'
  if (unrecorded(o, facts)) return 'promoted'
  const overlap = overlapPhase(o, intent, facts)
  if (overlap) return overlap
  const wanted = intent.want === 'rotate' || (intent.want === 'sweep' && o.due)
  if (!wanted) return 'settled'
  return o.strangers.length > 0 ? 'full' : 'due'
}

/**
 * Of several pendings, the one that counts (design rule 5). Spent ones first, so that they are dropped; then ours
 * before the store's: ours may have been applied by a run that died, the store's cannot have been, because setSecret
 * refuses while ours is there and our run looks again, inside the hold, after it staged. The other one is dropped.
 */
export function pendingOf(facts: SecretFacts): PendingFacts | undefined {
  const spent = (p: PendingFacts): boolean => p.version === facts.current || p.token === facts.currentToken
  const rank = (p: PendingFacts): number => (spent(p) ? 0 : p.driver === 'keyturn' ? 2 : p.base === undefined ? 1 : 3)
  return [...facts.pendings].sort((a, b) => rank(a) - rank(b))[0]
}
