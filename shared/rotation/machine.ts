import type { PendingFacts, SecretFacts } from '../ports/secret-store.ts'
import type { Credential, TargetFacts, Usage } from '../ports/target.ts'
import type { Instant, VersionId } from '../types.ts'
import { drainOf, ofRestart, soakEnds } from './drain.ts'
import type { Phase } from './phases.ts'

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
  /** A person accepts that whoever still uses the old credential is cut. */
  readonly endSessions?: boolean | undefined
  /** The new value is the previous one: it must not be ended, and no room is needed for it. */
  readonly isRollback?: boolean | undefined
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
  readonly usage: Usage | undefined
  /** What the target that handles current's document says of itself. */
  readonly target: TargetFacts | undefined
  /** Keys of ours that no stage names: old, never used, and so nobody's. */
  readonly orphans: readonly string[]
  /** This run has asked the consumers to start again. */
  readonly isTold: boolean
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

/** What its owner declared to be restarted was not asked to, for what is current now; a sweep asks again what failed. */
function untold(o: Observation, intent: Intent, facts: SecretFacts): boolean {
  const { restart, restarted, promoted } = facts.metadata
  if (restart === undefined || o.isTold || promoted?.version !== facts.current) return false
  if (restarted?.version !== facts.current) return true
  return intent.want === 'sweep' && restarted?.outcome !== 'ok'
}

/**
 * A minted key lives until it is deleted, so that the one before is retired before the next is made: none is ever forgotten.
 * `force` retires it at once; without, what was disabled stays so for the soak, and what was not waits until it is drained.
 */
function keyPhase(o: Observation, intent: Intent, facts: SecretFacts): Phase | undefined {
  if (intent.isRollback) return undefined
  const isCut = intent.force && intent.want !== 'sweep'
  if (isCut) return 'retiring'
  const soaked = soakEnds(o, facts)
  if (soaked !== undefined) return facts.seenAt < soaked ? 'soaking' : 'retiring'
  const isAsked = intent.want === 'retire' && intent.endSessions === true && !inGrace(o, facts) && facts.replicasInSync
  if (!isAsked && !drainOf(o, facts).isOver) return 'draining'
  return o.target?.canDisable ? 'disabling' : 'retiring'
}

function overlapPhase(o: Observation, intent: Intent, facts: SecretFacts): Phase | undefined {
  if (o.graceEnds === undefined) return undefined
  if (intent.want === 'settle') return 'draining'
  if (o.target?.issue === 'minted') return keyPhase(o, intent, facts)
  if (intent.want === 'rotate') {
    return inGrace(o, facts) && !intent.force ? 'draining' : undefined
  }
  if (inGrace(o, facts) && !(intent.want === 'retire' && intent.force)) return 'draining'
  if (!facts.replicasInSync) return 'draining'
  // A person's retire goes on to the target, which ends sessions or names them; a sweep waits until none is left.
  if (intent.want === 'retire' || (o.usage?.state === 'unused' && ofRestart(facts).length === 0)) return 'retiring'
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
  if (untold(o, intent, facts)) return 'telling'
  if (intent.want === 'sweep' && o.orphans.length > 0) return 'littered'
  const overlap = overlapPhase(o, intent, facts)
  if (overlap) return overlap
  const wanted = intent.want === 'rotate' || (intent.want === 'sweep' && o.due)
  if (!wanted) return 'settled'
  return o.strangers.length > 0 && !intent.isRollback ? 'full' : 'due'
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
