import { KeyturnError } from '../errors.ts'
import { graceMsOf } from '../policy.ts'
import type { PendingFacts, SecretFacts } from '../ports/secret-store.ts'
import type { Context, Credential, Live, Target, TargetFacts, TargetHold, Usage } from '../ports/target.ts'
import { type Instant, instant, type VersionId } from '../types.ts'
import type { Core, Request } from './core.ts'
import { type Held, type Observation, pendingOf } from './machine.ts'
import type { Alarm } from './page.ts'
import { dueAt, promotedAt } from './plan.ts'

/** What a run keeps between two looks: values, which never change under a version id, and what the target answered. */
export interface Memory {
  readonly values: Map<VersionId, Held | undefined>
  currentRefused: boolean
  /** Pendings whose value the target refused by policy, in this run. */
  readonly refused: VersionId[]
  /** Our stage was refused once because another attempt was pending: looked again, and no more than once. */
  wasBeaten: boolean
  /** Our promotion came after a person's write: looked again, and no more than once. */
  wasOvertaken: boolean
  usage: Usage | undefined
  /** What the provider that mints lists: asked once a run, kept up to date by what the run does. */
  live: readonly Live[] | undefined
  maxLive: number
  /** The consumers were asked to start again. */
  isTold: boolean
  /** Claims of this request's own, by deliveries that died, which this run ended. */
  endedClaims: number
  /** What people are told when the run has ended. */
  readonly alarms: Alarm[]
}

export const emptyMemory = (): Memory => ({
  values: new Map(),
  currentRefused: false,
  refused: [],
  wasBeaten: false,
  wasOvertaken: false,
  usage: undefined,
  live: undefined,
  maxLive: 0,
  isTold: false,
  endedClaims: 0,
  alarms: []
})

/** What a target is told of the secret. */
export const contextOf = (facts: SecretFacts): Context => ({ ...facts.metadata, secret: facts.id })

/** Refuses what is never touched: another service's secret, one whose stages a stranger moved. */
export function refuseForeign(facts: SecretFacts): void {
  if (facts.managedBy !== undefined)
    throw new KeyturnError('conflict/managed-elsewhere', `${facts.name} is managed by ${facts.managedBy}`)
}

/** What another function of the deployment rotates: it has other rights, and other targets. */
export function refuseOthers({ othersKinds }: Core, { name, metadata: { kind } }: SecretFacts): void {
  if (kind !== undefined && othersKinds?.includes(kind))
    throw new KeyturnError('conflict/other-function', `${name} is of kind ${kind}`)
}

async function readHeld(core: Core, facts: SecretFacts, version: VersionId, memory: Memory, request: Request) {
  if (memory.values.has(version)) return memory.values.get(version)
  const stored = await core.store.read(facts.id, version, request.deadline.signal)
  const held: Held | undefined = stored && {
    version,
    credential: core.targetFor(stored.text, facts.metadata.kind).inspect(stored.text, contextOf(facts)),
    createdAt: stored.createdAt
  }
  // A value that is not there yet may be there at the next look; one that is there never changes.
  if (held) memory.values.set(version, held)
  return held
}

/**
 * The versions that may name the other half: the record's own `previous` when it names current, else the store's. Where
 * that one names current's principal, a person wrote current anew (another host, a note), and the other half is still
 * what the last recorded promotion replaced.
 */
export function othersOf(facts: SecretFacts): readonly VersionId[] {
  const { promoted, retired } = facts.metadata
  const first = promoted?.version === facts.current ? promoted?.previous : facts.previous
  const known = new Set([first, promoted?.previous])
  return [...known].filter((v) => v !== undefined && v !== facts.current && v !== retired?.version) as VersionId[]
}

/** The other half that readers may still hold. */
async function previousOf(core: Core, facts: SecretFacts, current: Held, memory: Memory, request: Request) {
  for (const version of othersOf(facts)) {
    const held = await readHeld(core, facts, version, memory, request).catch((e: unknown) => {
      // An old document that cannot be understood any more opens nothing that could be retired.
      if (e instanceof KeyturnError && e.code.startsWith('invalid/')) return undefined
      throw e
    })
    if (held && held.credential.principal !== current.credential.principal) return held
  }
  return undefined
}

/**
 * `moved on`: the store's own rotation registered a token without a value, and between the look and this read it was
 * written, or written and ended; what is pending is decided from a look that shows it.
 */
async function pendingHeld(core: Core, facts: SecretFacts, pending: PendingFacts, memory: Memory, request: Request) {
  if (pending.claimedAt !== undefined || pending.version === facts.current) return undefined
  if (pending.base !== undefined) return readHeld(core, facts, pending.version, memory, request)
  const stored = await core.store.read(facts.id, pending.version, request.deadline.signal)
  if (!stored) return undefined
  if (stored.stages && (stored.stages.base !== undefined || !stored.stages.pending)) return 'moved on'
  throw new KeyturnError(
    'conflict/pending-foreign',
    `version ${pending.version} of ${facts.name} is pending, not made by keyturn`
  )
}

/**
 * When the grace of the previous credential ends. There is none where no reader can hold the other half. It begins when
 * the last ordinary reader can have been given that one, which is later than the promotion where a store converges late.
 */
export function graceEnds(core: Core, facts: SecretFacts, current: Held, previous: Held | undefined): Instant | undefined {
  if (!previous) return undefined
  const promoted = promotedAt(facts, current.createdAt) ?? facts.seenAt
  return instant(promoted + core.store.facts.convergenceMs + graceMsOf(facts.metadata))
}

/** Whether the schedule asks for a rotation. */
function isDue(facts: SecretFacts, current: Held): boolean {
  const due = dueAt(facts, current.createdAt)
  return due !== undefined && facts.seenAt >= due
}

/** The target and its hold, once taken: then a look asks also what only they can say. */
export interface Holding {
  readonly target: Target
  readonly hold: TargetHold
}

/** One look: the store's facts (or what its last answer told), the values that they name, by version id, and a minting provider's keys. */
export async function observe(
  core: Core,
  request: Request,
  memory: Memory,
  holding?: Holding,
  known?: SecretFacts
): Promise<Observation> {
  const { signal } = request.deadline
  const facts = known ?? (await core.store.describe(request.secretId, signal))
  const current = facts?.current === undefined ? undefined : await readHeld(core, facts, facts.current, memory, request)
  if (!facts || !current) return { ...NOTHING, facts, claimOutlivedMs: core.runLivesMs }
  refuseForeign(facts)
  const shown = pendingOf(facts)
  const previous = await previousOf(core, facts, current, memory, request)
  const held = shown && (await pendingHeld(core, facts, shown, memory, request))
  if (held === 'moved on') return observe(core, request, memory, holding)
  if (holding?.target.facts.issue === 'minted') await listLive(memory, holding, current.credential, signal)
  const named = [current, previous, held].map((h) => h?.credential.principal)
  const { live = [], maxLive } = memory
  const target = core.targetFor(current.credential.document).facts
  return {
    facts,
    current,
    pending: shown && {
      facts: shown,
      held,
      refused: memory.refused.includes(shown.version) || (held !== undefined && isMissing(held, facts, memory.live, target))
    },
    previous,
    currentRefused: memory.currentRefused,
    strangers: live.length >= maxLive ? live.map((l) => l.principal).filter((p) => !named.includes(p)) : [],
    usage: memory.usage,
    target,
    orphans: shown ? [] : orphansIn(live, named, core.runLivesMs).map((l) => l.principal),
    isTold: memory.isTold,
    graceEnds: graceEnds(core, facts, current, previous),
    claimOutlivedMs: core.runLivesMs,
    due: isDue(facts, current)
  }
}

async function listLive(memory: Memory, { target, hold }: Holding, current: Credential, signal: AbortSignal): Promise<void> {
  if (memory.live !== undefined) return
  const { keys, maxLive } = await hold.live(current, signal)
  memory.live = keys
  memory.maxLive = maxLive ?? target.facts.maxLive
}

/** Somebody deleted the pending key at the provider: nothing will ever make it valid. A young one may not be listed yet. */
const isMissing = (held: Held, { seenAt }: SecretFacts, live: Memory['live'], { settlesMs }: TargetFacts): boolean =>
  live !== undefined &&
  held.createdAt !== undefined &&
  seenAt - held.createdAt > settlesMs &&
  !live.some((l) => l.principal === held.credential.principal)

/**
 * Keys with our mark that no stage names: older, by the provider's clock, than any run that could still stage them, and
 * never used (design rule 4). What cannot be told is left alone.
 */
const orphansIn = (live: readonly Live[], named: readonly (string | undefined)[], runLivesMs: number): readonly Live[] =>
  live.filter(
    (l) => l.ours && !named.includes(l.principal) && l.used === 'never' && l.ageMs !== undefined && l.ageMs > runLivesMs
  )

const NOTHING: Observation = {
  facts: undefined,
  current: undefined,
  pending: undefined,
  previous: undefined,
  currentRefused: false,
  strangers: [],
  usage: undefined,
  target: undefined,
  orphans: [],
  isTold: false,
  graceEnds: undefined,
  claimOutlivedMs: 0,
  due: false
}

/** The principals that the secret's own versions name. */
export const namedBy = (o: Observation): readonly string[] =>
  [o.current, o.previous].flatMap((held) => held?.credential.principal ?? [])

/** The facts that a step needs and that its phase guarantees. */
export function seen(o: Observation): { readonly facts: SecretFacts; readonly current: Held } {
  if (!o.facts || !o.current) throw new KeyturnError('bug/internal', 'a step without a look')
  return { facts: o.facts, current: o.current }
}
