import { asKeyturnError, classOf, hasCode, KeyturnError } from '../errors.ts'
import { markOf } from '../mark.ts'
import { without } from '../metadata-without.ts'
import type { Attempt } from '../ports/secret-store.ts'
import type { Credential, Live } from '../ports/target.ts'
import { instant, type SecretId, type Token } from '../types.ts'
import type { Effect, Run } from './effects.ts'
import type { Observation } from './machine.ts'
import { contextOf, type Memory, namedBy, observe, seen } from './observe.ts'
import { alarm } from './page.ts'

/** Minted keys: what is done to them beside what every credential has. */

/** Creates the next key, claimed before; gives the key, and takes it back where the store certainly does not keep it. */
export async function mint(run: Run, o: Observation, attempt: Attempt): Promise<Credential> {
  const { core, request, target, hold, memory } = run
  const { facts, current } = seen(o)
  const { signal } = request.deadline
  const seenThen = listed(memory).map((l) => l.principal)
  await core.store.claim(facts.id, attempt, seenThen, signal)
  await hold.check(signal)
  if (run.proposal) return revived(run, attempt)
  const next = await target.propose(current.credential, contextOf(facts), attempt.token, signal)
  memory.live = [...listed(memory), newborn(next, facts.id, attempt.token)]
  return next
}

/** A rollback makes no key: it takes the previous one, if nobody ended it before the claim. */
async function revived(run: Run, { token }: Attempt): Promise<Credential> {
  const { core, request, target, memory, proposal } = run
  const { signal } = request.deadline
  try {
    // Listed anew too: a run that died may have deleted it, and not recorded that.
    memory.live = undefined
    const fresh = await observe(core, request, memory, run)
    if (!proposal) throw new KeyturnError('bug/internal', 'a rollback without a proposal')
    const previous = proposal(fresh)
    const found = listed(memory).find((l) => l.principal === previous.principal)
    // A name may have another value by now; a disabled one is enabled, and verified then.
    const context = contextOf(seen(fresh).facts)
    const isDead = !found || (!found.isDisabled && (await target.verify(previous, context, signal)) === 'rejected')
    if (isDead) throw new KeyturnError('conflict/previous-dead', `${previous.principal} is not there any more, or is refused`)
    return previous
  } catch (e) {
    await core.store.drop(request.secretId, token, signal).catch(() => {})
    throw e
  }
}

const forget = (memory: Memory, principal: string): void => {
  memory.live = memory.live?.filter((l) => l.principal !== principal)
}

const listed = (memory: Memory): readonly Live[] => memory.live ?? []

const newborn = ({ principal }: Credential, secret: SecretId, token: Token): Live => ({
  ...{ principal, ours: true, mark: markOf(secret, token), createdAt: undefined },
  ...{ ageMs: 0, used: 'never', isDisabled: false }
})

/** A refusal that says that nothing was kept: no reader can be given the key, and only this process knows its value. */
export async function takeBack(run: Run, key: Credential, e: unknown): Promise<void> {
  const { code } = asKeyturnError(e)
  const isProposal = run.proposal !== undefined
  if (isProposal || !['conflict', 'invalid', 'denied', 'disabled'].includes(classOf(code))) return
  await run.hold.discard(key, run.request.deadline.signal).catch((second: unknown) => {
    // Why it was not kept is what its owner has to know first; the key is found by its mark, or named by `status`.
    run.core.log.warn('key-left', { principal: key.principal, code: asKeyturnError(second).code })
  })
}

/**
 * Keys that a dead claim's run made: ours by their mark, in no stage, not there when the claim was written; and that nobody
 * was ever given, because the claim has no value: its own by the claim's token, others where nobody ever used them. One that
 * is younger than a run can live may still be staged by it.
 */
export function orphansOf(o: Observation, live: readonly Live[], runLivesMs: number): readonly string[] {
  const pending = o.pending?.facts
  const seenThen = pending?.seen
  const { facts } = seen(o)
  if (!pending || !seenThen) return []
  const named = namedBy(o)
  const mark = markOf(facts.id, pending.token)
  const left = live.filter((l) => l.ours && !named.includes(l.principal) && !seenThen.includes(l.principal))
  const certain = left.filter((l) => l.mark === mark || l.used === 'never')
  const young = certain.find((l) => l.ageMs === undefined || l.ageMs <= runLivesMs)
  if (young) throw new KeyturnError('busy/claimed', `${young.principal} was made by a run that may still be alive`)
  return certain.map((l) => l.principal)
}

/** What ends a key is done inside a claim of its own: no rotation and no rollback can begin meanwhile, and none is under way. */
async function inClaim(run: Run, o: Observation, work: (fresh: Observation) => Promise<void>): Promise<void> {
  const { core, request } = run
  const { facts, current } = seen(o)
  const { signal } = request.deadline
  const token = await claimed(run, facts.id, current.version)
  if (token === undefined) return
  try {
    const fresh = await observe(core, request, run.memory, run)
    const isSame = fresh.current?.version === current.version && fresh.previous?.version === o.previous?.version
    const isAlone = fresh.facts?.pendings.every((p) => p.token === token) === true
    if (isSame && isAlone) await work(fresh)
  } catch (e) {
    await core.store.drop(facts.id, token, signal).catch(() => {})
    throw e
  }
  await core.store.drop(facts.id, token, signal)
}

/** A request that is delivered again ended its claims before: each has a name of its own. */
const MOST_CLAIMS = 8

async function claimed({ core, request, memory }: Run, id: SecretId, base: string): Promise<Token | undefined> {
  const live = listed(memory).map((l) => l.principal)
  for (let n = 1; ; n++) {
    const token = `${request.token}-end-${n}`
    try {
      await core.store.claim(id, { token, base, driver: 'keyturn' }, live, request.deadline.signal)
      return token
    } catch (e) {
      // Another rotation was faster than the look: there is nothing to end from it any more.
      if (hasCode(e, 'conflict/current-moved')) return undefined
      if (n === MOST_CLAIMS || !hasCode(e, 'conflict/token-spent')) throw e
    }
  }
}

const oldOf = (o: Observation): NonNullable<Observation['previous']> => {
  const { current } = seen(o)
  if (!o.previous || o.previous.credential.principal === current.credential.principal)
    throw new KeyturnError('bug/internal', 'retire was asked for the half that current names')
  return o.previous
}

/** Switches the old key off; it is deleted when the soak is over, and a rollback switches it on again until then. */
export const disable: Effect = async (run, o) => {
  await inClaim(run, o, async (fresh) => {
    const { facts } = seen(fresh)
    const old = oldOf(fresh)
    const { signal } = run.request.deadline
    const at = await run.hold.disable(old.credential, signal)
    // The soak is counted by the store's clock; later than the truth is safe.
    const disabled = { version: old.version, at: instant(Math.max(at, facts.seenAt)) }
    await run.core.store.annotate(facts.id, { disabled }, facts.revision, signal)
    run.done.push({ step: 'disable', principal: old.credential.principal })
  })
  return undefined
}

export const retireKey: Effect = async (run, o) => {
  await inClaim(run, o, async (fresh) => {
    await retireOld(run, fresh)
  })
  return undefined
}

/** Kills the old credential, proves it, records it. */
export async function retireOld(run: Run, o: Observation): Promise<void> {
  const { facts } = seen(o)
  const old = oldOf(o)
  const { principal } = old.credential
  const { signal } = run.request.deadline
  const proof = await run.hold.retire(old.credential, { endSessions: run.request.endSessions }, signal).catch((e: unknown) => {
    if (hasCode(e, 'bug/proof')) run.memory.alarms.push(alarm('proof', facts, old, e))
    throw e
  })
  const retired = { version: old.version, at: proof.at, refusal: proof.refusal }
  const patch = { retired, ...without(facts.metadata, 'disabled', 'acknowledged') }
  await run.core.store.annotate(facts.id, patch, facts.revision, signal)
  run.memory.usage = undefined
  forget(run.memory, principal)
  run.done.push({ step: 'retire', principal, proof })
}

export const clean: Effect = async (run, o) => {
  const { current } = seen(o)
  for (const principal of o.orphans) {
    await run.hold.discard({ ...current.credential, principal }, run.request.deadline.signal)
    forget(run.memory, principal)
    run.done.push({ step: 'clean', principal })
  }
  return undefined
}
