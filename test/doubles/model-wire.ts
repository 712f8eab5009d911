import { KeyturnError } from '../../shared/errors.ts'
import type { Instant } from '../../shared/types.ts'

/** One remote call, named as a trace prints it. */
export interface RemoteCall {
  readonly to: 'store' | 'target' | 'world'
  readonly name: string
  /** Changes something. A lost answer matters only then. */
  readonly writes: boolean
  /** Its answer may be an older one, where the store says so (facts.convergenceMs). */
  readonly mayBeStale?: boolean
}

/** What the network does to one call. `stale`: an older answer of the store. */
export type Verdict = 'goes' | 'not sent' | 'answer lost' | 'stale'

/**
 * The only way by which a model is reached. Each call is one point where the scheduler decides; then its effect is
 * there at once and whole. One wire belongs to one process: what dies with the process (a session) hangs on it.
 */
export interface Wire {
  readonly owner: string
  readonly now: () => Instant
  /** `effect` is told whether to answer as of a while ago. Of a model it is there at once; a real one takes its time. */
  call<T>(call: RemoteCall, effect: (stale: boolean) => T | Promise<T>): Promise<T>
}

/** Nobody else is there, and nothing goes wrong. */
export const straightWire = (owner: string, now: () => Instant): Wire => ({
  owner,
  now,
  call: async (_, effect) => effect(false)
})

export const noAnswer = ({ to, name }: RemoteCall): KeyturnError =>
  new KeyturnError(to === 'store' ? 'unavailable/store' : 'unavailable/server', `no answer to ${name}`)

/** Does the call as the verdict says. */
export async function transmit<T>(call: RemoteCall, verdict: Verdict, effect: (stale: boolean) => T | Promise<T>): Promise<T> {
  if (verdict === 'not sent') throw noAnswer(call)
  const answer = await effect(verdict === 'stale')
  if (verdict === 'answer lost') throw noAnswer(call)
  return answer
}

export const looks = (name: string): RemoteCall => ({ to: 'store', name, writes: false })
export const writes = (name: string): RemoteCall => ({ to: 'store', name, writes: true })
export const asks = (name: string): RemoteCall => ({ to: 'target', name, writes: false })
export const changes = (name: string): RemoteCall => ({ to: 'target', name, writes: true })

/** A wait that is over before it began sends nothing. */
export async function sent<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (signal.aborted) throw new KeyturnError('unavailable/store', 'the time was over')
  return work()
}

/** Of a target, which says it otherwise than a store. */
export function refuseLate(signal: AbortSignal): void {
  if (signal.aborted) throw new KeyturnError('unavailable/deadline', 'the time was over')
}
