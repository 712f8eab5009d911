import { graceMsOf, limitMsOf, quietMsOf, soakMsOf } from '../policy.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import { sessionsText, whereText } from '../ports/usage.ts'
import { type Instant, instant, iso } from '../types.ts'
import type { Observation } from './machine.ts'

/** What keeps the previous key from being retired, in words, and until when where that is known. */
export interface Blocker {
  readonly what: 'grace' | 'replicas' | 'restart' | 'usage' | 'acknowledgement'
  readonly says: string
  readonly until?: Instant | undefined
}

export interface Drain {
  /** Everybody has moved, as far as anybody can tell: it may be retired. */
  readonly isOver: boolean
  readonly blockers: readonly Blocker[]
  /** The first time at which nothing that is known now stands in the way; undefined: that is not known. */
  readonly earliest: Instant | undefined
  /** The hard limit has passed, and it still lives. */
  readonly isOverdue: boolean
}

/** When the soak of the previous key ends. Undefined: it is not recorded as disabled. */
export function soakEnds({ previous }: Observation, { metadata }: SecretFacts): Instant | undefined {
  const { disabled } = metadata
  if (previous === undefined || disabled?.version !== previous.version) return undefined
  return instant(disabled.at + soakMsOf(metadata))
}

/** Whether the previous key may be retired, and what it waits for, from one look. Pure. A disabled one waits for its soak alone. */
export function drainOf(o: Observation, facts: SecretFacts): Drain {
  const blockers = [...ofGrace(o, facts), ...ofReplicas(facts), ...ofRestart(facts), ...ofUsage(o, facts)]
  const isOverdue = blockers.length > 0 && o.graceEnds !== undefined && facts.seenAt >= limitOf(o.graceEnds, facts)
  const isCut = isOverdue && facts.metadata.overLimit === 'cut' && facts.replicasInSync
  const ends = blockers.map(({ until }) => until)
  const earliest = ends.every((at) => at !== undefined) ? instant(Math.max(facts.seenAt, ...ends)) : undefined
  return { isOver: blockers.length === 0 || isCut, blockers, earliest, isOverdue }
}

/** The limit counts from the promotion, as the grace does. */
const limitOf = (graceEnds: Instant, { metadata }: SecretFacts): number => graceEnds - graceMsOf(metadata) + limitMsOf(metadata)

function ofGrace({ graceEnds }: Observation, { seenAt }: SecretFacts): readonly Blocker[] {
  if (graceEnds === undefined || seenAt >= graceEnds) return []
  return [{ what: 'grace', says: `clients may hold it until ${iso(graceEnds)}`, until: graceEnds }]
}

const ofReplicas = ({ replicasInSync }: SecretFacts): readonly Blocker[] =>
  replicasInSync ? [] : [{ what: 'replicas', says: 'copies of the secret in other regions are not in sync' }]

/** Consumers that read the secret at their start alone go on with the old key until they are restarted. */
export function ofRestart({ metadata: { restart, restarted }, current }: SecretFacts): readonly Blocker[] {
  if (restart === undefined || (restarted?.version === current && restarted?.outcome === 'ok')) return []
  const why = restarted?.version === current ? `failed: ${restarted?.outcome}` : 'has not been asked for yet'
  return [{ what: 'restart', says: `the restart of the consumers ${why}` }]
}

function ofUsage(o: Observation, facts: SecretFacts): readonly Blocker[] {
  const { usage, previous, graceEnds } = o
  const isAcknowledged = facts.metadata.acknowledged?.version === previous?.version
  if (usage === undefined) return [{ what: 'usage', says: 'whether it is used was not asked' }]
  if (usage.state === 'unused') return []
  if (usage.state === 'used') return [{ what: 'usage', says: `it has sessions: ${sessionsText(usage.sessions)}` }]
  if (usage.state === 'cannot-tell')
    return isAcknowledged ? [] : [{ what: 'acknowledgement', says: `nobody can tell whether it is used: ${usage.why}` }]
  const quietMs = quietMsOf(facts.metadata, o.target?.telemetryLagMs ?? 0)
  // "Never used" says nothing before the provider had the time to tell: it is counted from the promotion then.
  const promoted = (graceEnds ?? facts.seenAt) - graceMsOf(facts.metadata)
  const quietAt = instant(Math.max(usage.lastUsedAt ?? 0, promoted) + quietMs)
  if (facts.seenAt >= quietAt) return []
  const used = usage.lastUsedAt === undefined ? 'never, so far' : iso(usage.lastUsedAt) + whereText(usage)
  return [{ what: 'usage', says: `it must be quiet for a while; last used ${used}`, until: quietAt }]
}
