import { setTimeout } from 'node:timers/promises'
import { KeyturnError } from '../errors.ts'
import { neverSent, type WireAnswer } from '../wire.ts'
import { type Refusal, refusalOf } from './errors.ts'

/** A growing pause before each repeat, half of it by chance, so that many functions do not come back at once. */
export const PAUSES_MS: readonly number[] = [100, 300, 900]

/** No function's time is well spent on a longer one: the next run comes by itself. */
const LONGEST_PAUSE_MS = 10_000

export interface Attempts {
  /** What is asked, for messages: `Vault GET secret/data/app`. */
  readonly what: string
  /** Whether it may be sent again where it may have had an effect: true for reads. */
  readonly repeatable: boolean
  readonly pausesMs: readonly number[]
}

/**
 * Sends until Vault answers, or refuses for good, or the repeats or the time are used up. What cannot have had an effect is
 * always sent again; what may have had one only where that does no harm.
 */
export async function repeated(attempts: Attempts, send: () => Promise<WireAnswer>, signal: AbortSignal): Promise<WireAnswer> {
  for (let n = 0; ; n++) {
    const outcome = await attempted(attempts.what, send)
    if (!('error' in outcome)) return outcome
    const pauseMs = attempts.pausesMs[n]
    const mayRepeat = outcome.again === 'always' || (outcome.again === 'reads' && attempts.repeatable)
    if (!mayRepeat || pauseMs === undefined || (outcome.afterMs ?? 0) > LONGEST_PAUSE_MS) throw outcome.error
    const jittered = pauseMs * (0.5 + Math.random())
    await setTimeout(Math.max(jittered, outcome.afterMs ?? 0), undefined, { signal }).catch(() => {
      throw outcome.error
    })
  }
}

async function attempted(what: string, send: () => Promise<WireAnswer>): Promise<WireAnswer | Refusal> {
  try {
    const answer = await send()
    return refusalOf(answer, what) ?? answer
  } catch (e) {
    if (!(e instanceof KeyturnError)) throw e
    const error = new KeyturnError(e.code, `${what}: ${e.message}`, e.vendor)
    if (e.code !== 'unavailable/store') return { error, again: 'never', afterMs: undefined }
    return { error, again: neverSent(e) ? 'always' : 'reads', afterMs: undefined }
  }
}
