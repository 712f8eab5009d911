import { asKeyturnError, type Code, KeyturnError } from '../../shared/errors.ts'
import type { Request } from '../../shared/rotation/core.ts'
import { type Outcome, run } from '../../shared/rotation/rotate.ts'
import { transmit, type Wire } from '../doubles/model-wire.ts'
import { fourSteps } from './interleave-actors.ts'
import { short } from './interleave-schedule.ts'
import { RUN_LIVES_MS, request, token, type World } from './interleave-world.ts'

/** A request that was not answered "done": it is delivered again. */
export interface Unanswered {
  readonly name: string
  readonly more: Partial<Request>
}

/** What a request may be answered beside "done" when it is delivered again, alone. */
const ANSWERS: readonly Code[] = ['conflict/inside-grace', 'conflict/not-retired', 'conflict/token-spent', 'conflict/full']

interface Alone {
  readonly w: World
  readonly trace: string[]
  violation: string | undefined
}

/**
 * G4: what any schedule leaves converges, alone and with no person: the requests that failed are delivered again, the
 * store's service comes back to its token, sweeps come by, the grace passes, and the next rotations get through.
 */
export async function settleAlone(w: World, unanswered: readonly Unanswered[]) {
  const a: Alone = { w, trace: [], violation: undefined }
  for (const stage of [redelivered, swept, overGrace, rotatesOn, servesOn]) {
    if (a.violation !== undefined || (stage === overGrace && w.observer.isInterrupted())) break
    try {
      await stage(a, unanswered)
    } catch (e) {
      const { code, message } = asKeyturnError(e)
      a.violation ??= `G4: alone, afterwards: ${code}: ${message}${code === 'bug/internal' ? ` ${(e as Error).stack}` : ''}`
    }
  }
  return { trace: a.trace, violation: a.violation }
}

async function redelivered(a: Alone, unanswered: readonly Unanswered[]): Promise<void> {
  const { w } = a
  w.advance(RUN_LIVES_MS + 1)
  for (const { name, more } of unanswered) {
    const error = await goes(a, 'again', 'rotate', name, more).then(
      () => undefined,
      (e: unknown) => asKeyturnError(e)
    )
    const isAnswered = w.store.look(w.id)?.currentToken === token(name)
    if (error && isAnswered) return fail(a, `G6: ${name} made current, and is answered ${error.code}`)
    if (error && !ANSWERS.includes(error.code)) throw error
  }
  const registered = w.store.look(w.id)?.pendings.find((p) => p.driver === 'store' && p.version !== w.store.look(w.id)?.current)
  if (!registered) return
  const error = await fourSteps(w, wireOf(a, 'the service again'), registered.token, 'cold').catch((e: unknown) =>
    asKeyturnError(e)
  )
  if (error instanceof KeyturnError && error.code.startsWith('bug/')) throw error
}

async function swept(a: Alone): Promise<void> {
  a.w.advance(RUN_LIVES_MS + 1)
  await goes(a, 'sweep', 'sweep', 'sweep-1')
  await atRest(a, 'sweep-2')
}

async function atRest(a: Alone, name: string): Promise<Outcome> {
  const outcome = await goes(a, 'sweep again', 'sweep', name)
  if (outcome.done.length > 0) fail(a, `G4: a second sweep still does ${outcome.done.map((d) => d.step)}`)
  const facts = a.w.store.look(a.w.id)
  const left = facts?.pendings.find((p) => p.version !== facts.current)
  // What was forced, or staged from an old look, waits for the grace like everything else.
  if (left && outcome.phase !== 'draining') fail(a, `G4: ${left.token} stays pending`)
  return outcome
}

async function overGrace(a: Alone): Promise<void> {
  const { w } = a
  passes(a, w.overGraceMs)
  let last = await goes(a, 'sweep', 'sweep', 'sweep-3')
  if (last.done.some((d) => d.step === 'promote')) {
    passes(a, w.overGraceMs)
    last = await goes(a, 'sweep', 'sweep', 'sweep-3b')
  }
  await soaked(a, last, 'sweep-3c')
  const outcome = await atRest(a, 'sweep-4')
  if (outcome.phase !== 'settled') fail(a, `G4: ${outcome.phase} after the grace, not settled`)
  const newest = w.store.readable(w.id).at(-1)?.text ?? ''
  const alive = w.observer.given().find((text) => !w.target.isSame(text, newest) && w.target.accepts(text))
  if (alive) fail(a, `G7: ${w.target.principalOf(alive)} was given to readers long ago and still logs in`)
  const current = w.target.principalOf(newest)
  const orphan = w.target.live().find((key) => key !== current)
  if (orphan) fail(a, `G2: the key ${orphan} is ours, lives, and is in no stage`)
}

/** A key that was disabled is deleted when its soak is over. */
async function soaked(a: Alone, { phase }: Outcome, name: string): Promise<void> {
  if (phase !== 'soaking') return
  passes(a, a.w.overGraceMs)
  await goes(a, 'sweep', 'sweep', name)
}

async function rotatesOn(a: Alone): Promise<void> {
  const { w } = a
  const next = await goes(a, 'next', 'rotate', 'next-1').catch((e: unknown) => asKeyturnError(e))
  // Keys that a person made take the room of ours: said, and a person has to act.
  if (next instanceof KeyturnError && next.code === 'conflict/full' && w.target.strangers() > 0) return
  if (next instanceof KeyturnError) throw next
  if (!next.done.some((d) => d.step === 'promote')) fail(a, `G4: the next rotation does not get through: ${next.note}`)
  w.observer.force()
  const forced = await goes(a, 'forced', 'rotate', 'next-2', { force: true })
  if (!forced.done.some((d) => d.step === 'promote')) fail(a, `G4: a forced rotation does not get through: ${forced.note}`)
}

async function servesOn(a: Alone): Promise<void> {
  const { w } = a
  const { service } = w.store
  if (!service || w.target.strangers() > 0) return
  passes(a, w.overGraceMs)
  await soaked(a, await goes(a, 'sweep', 'sweep', 'sweep-5'), 'sweep-6')
  if (!service.rotateSecret(w.id, token('service-1'))) return fail(a, 'G4: RotateSecret is refused, AWSPENDING is left elsewhere')
  await fourSteps(w, wireOf(a, 'the service'), token('service-1'), 'cold')
  if (w.store.look(w.id)?.current !== token('service-1')) fail(a, 'G4: the four steps do not get through')
}

async function goes(
  a: Alone,
  owner: string,
  want: 'rotate' | 'sweep',
  name: string,
  more: Partial<Request> = {}
): Promise<Outcome> {
  const wire = wireOf(a, owner)
  try {
    return await run(a.w.core(wire), { want, force: more.force ?? false }, request(a.w, name, more))
  } finally {
    a.w.target.killed(wire.owner)
  }
}

function passes(a: Alone, ms: number): void {
  a.trace.push('time: the grace passes')
  a.w.advance(ms)
}

function fail(a: Alone, what: string): void {
  a.violation ??= what
}

let made = 0
const wireOf = (a: Alone, name: string): Wire => {
  made += 1
  return {
    owner: `${name} ${made}`,
    now: a.w.now,
    async call(call, effect) {
      try {
        return await transmit(call, 'goes', effect)
      } finally {
        a.trace.push(`alone, ${name}: ${short(call.name)}`)
        a.violation ??= a.w.observer.check()
      }
    }
  }
}
