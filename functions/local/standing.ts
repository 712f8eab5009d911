import { KeyturnError } from '../../shared/errors.ts'
import { periodMsOf } from '../../shared/policy.ts'
import type { Usage } from '../../shared/ports/target.ts'
import { cannotTell } from '../../shared/ports/usage.ts'
import type { Core, Request } from '../../shared/rotation/core.ts'
import { soakEnds } from '../../shared/rotation/drain.ts'
import { type Observation, phaseOf } from '../../shared/rotation/machine.ts'
import { contextOf, emptyMemory, observe } from '../../shared/rotation/observe.ts'
import { type Phase, rowOf } from '../../shared/rotation/phases.ts'
import { dueAt, isHeld, isOpen, promotedAt } from '../../shared/rotation/plan.ts'
import { type Instant, iso } from '../../shared/types.ts'
import { type KeyStanding, keysOf, type Retirement, retirementOf } from './key-standing.ts'

/** Where one secret stands, as `status` says it. Plain JSON; times ISO 8601. */
export interface Standing {
  readonly secret: string
  readonly ok: true
  readonly managed: boolean
  readonly phase: Phase
  readonly current: string
  readonly previous: string | null
  readonly promotedAt: string | null
  readonly graceEnds: string | null
  /** Who is still on the previous credential. Null: not asked, or there is none. */
  readonly usage: Usage | null
  readonly retired: { readonly at: string; readonly refusal: string } | null
  /** Minted keys: what the provider lists; a text says why it could not be asked; null: it was not. */
  readonly keys: readonly KeyStanding[] | string | null
  readonly retirement: Retirement | null
  /** When the previous key was disabled, to be deleted after its soak. */
  readonly disabledAt: string | null
  readonly acknowledged: { readonly by: string; readonly at: string } | null
  /** How the restart of the consumers went. */
  readonly restarted: { readonly outcome: string; readonly at: string } | null
  readonly pending: { readonly token: string; readonly driver: string } | null
  readonly next: { readonly what: string; readonly at: string | null }
  readonly periodMs: number
  readonly window: { readonly text: string; readonly open: boolean } | null
  readonly hold: { readonly reason: string; readonly until: string | null; readonly inForce: boolean } | null
  /** The store's clock at this look. */
  readonly seenAt: string
}

/** @param askUsage take the pair's lock for a moment, and ask the target who still uses the previous credential. */
export async function standingOf(core: Core, request: Request, askUsage: boolean): Promise<Standing> {
  const o = await observe(core, request, emptyMemory())
  const { facts, current, previous, pending } = o
  if (!facts || !current) throw new KeyturnError('not-found/secret', `no secret ${request.secretId}, or it has no current value`)
  const { metadata, seenAt } = facts
  const { disabled, acknowledged, restarted } = metadata
  const keys = askUsage && o.target?.issue === 'minted' ? await keysOf(core, o, request) : null
  const usage = askUsage && previous ? (lastUseIn(keys) ?? (await usageOf(core, o, request))) : undefined
  const promoted = promotedAt(facts, current.createdAt)
  return {
    secret: facts.name,
    ok: true,
    managed: metadata.kind !== undefined,
    phase: phaseOf({ ...o, usage }, { want: 'sweep', force: false }),
    current: current.credential.principal,
    previous: previous?.credential.principal ?? null,
    promotedAt: isoOr(promoted),
    graceEnds: isoOr(o.graceEnds),
    usage: usage ?? null,
    retired: metadata.retired ? { at: iso(metadata.retired.at), refusal: metadata.retired.refusal } : null,
    keys,
    retirement: retirementOf({ ...o, usage }),
    disabledAt: disabled !== undefined && disabled.version === previous?.version ? iso(disabled.at) : null,
    acknowledged:
      acknowledged !== undefined && acknowledged.version === previous?.version
        ? { by: acknowledged.by, at: iso(acknowledged.at) }
        : null,
    restarted: restarted?.version === facts.current && restarted ? { outcome: restarted.outcome, at: iso(restarted.at) } : null,
    pending: pending ? { token: pending.facts.token, driver: pending.facts.driver } : null,
    next: nextOf({ ...o, usage }),
    periodMs: periodMsOf(metadata),
    window: metadata.window === undefined ? null : { text: metadata.window, open: isOpen(metadata.window, seenAt) },
    hold: metadata.hold
      ? { reason: metadata.hold.reason, until: isoOr(metadata.hold.until), inForce: isHeld(metadata, seenAt) }
      : null,
    seenAt: iso(seenAt)
  }
}

/** Of the previous key, where the provider lists it. */
const lastUseIn = (keys: Standing['keys']): Usage | null | undefined =>
  Array.isArray(keys) ? (keys as readonly KeyStanding[]).find(({ role }) => role === 'previous')?.lastUsed : undefined

const isoOr = (at: Instant | undefined): string | null => (at === undefined ? null : iso(at))

/** What the next sweep that may do something does, and from when on. */
function nextOf(o: Observation): Standing['next'] {
  const { facts, current, previous, graceEnds, usage } = o
  const phase = phaseOf(o, { want: 'sweep', force: false })
  const old = previous?.credential.principal
  if (phase === 'soaking' && facts) return { what: `delete ${old}`, at: isoOr(soakEnds(o, facts)) }
  if (phase === 'draining' && o.target?.issue === 'minted')
    return { what: `retire ${old}, when nothing stands in the way`, at: retirementOf(o)?.earliest ?? null }
  if (phase === 'draining' && graceEnds !== undefined && facts) {
    if (facts.seenAt < graceEnds) return { what: `retire ${old}, once nobody uses it`, at: iso(graceEnds) }
    return {
      what: usage?.state === 'used' ? `retire ${old}, when its last session is gone` : `retire ${old}, if nobody uses it`,
      at: null
    }
  }
  if (phase === 'settled' && facts) return { what: 'rotate', at: isoOr(dueAt(facts, current?.createdAt)) }
  if (phase === 'due') return { what: 'rotate', at: null }
  return { what: rowOf(phase).does, at: null }
}

/** The target shows sessions only to the holder of the lock; while a run has it, that run is the answer. */
async function usageOf(core: Core, { facts, current, previous }: Observation, request: Request): Promise<Usage> {
  if (!facts || !current || !previous) return { state: 'unused' }
  const { signal } = request.deadline
  try {
    const hold = await core.targetFor(current.credential.document).hold(current.credential, contextOf(facts), signal)
    try {
      return await hold.usage(previous.credential, signal)
    } finally {
      await hold.release()
    }
  } catch (e) {
    return cannotTell(e)
  }
}
