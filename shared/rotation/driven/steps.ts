import type { Context } from '../../ports/target.ts'
import type { SecretText, VersionId } from '../../types.ts'
import { create } from './create.ts'
import { finish } from './finish.ts'
import { set } from './set.ts'
import type { DrivenRequest } from './step.ts'
import { test } from './test.ts'

/**
 * A rotation that the store drives: four calls, each maybe in a process of its own, each maybe twice (AWS Secrets
 * Manager user guide, "Rotation by Lambda function"). Between them nothing is held, so each step looks for itself; the
 * store calls are counted, because a rotation has a budget (8 warm, 9 cold).
 *
 * | step | store | logins | what it refuses |
 * |---|---|---|---|
 * | create | describe, read current, stage | 0 | rotation off, foreign, held, window, grace |
 * | set | (cold: read token,) admin, describe inside the hold; nothing for a minted key | 1 | not created, current moved, another pending |
 * | test | read token | 1 | not created, not set |
 * | finish | read token, promote | 0 (cold: 1) | not created, not set, current moved |
 */
export interface DrivenSteps {
  readonly create: (step: DrivenRequest) => Promise<string>
  readonly set: (step: DrivenRequest) => Promise<string>
  readonly test: (step: DrivenRequest) => Promise<string>
  readonly finish: (step: DrivenRequest) => Promise<string>
}

/**
 * What a warm process knows of an attempt from the step before.
 *
 * `value` pays for the look inside set's hold. The design counted one read there; but a value staged late, after an
 * own-driven run had promoted the same half, was then applied to the half that readers hold (test/rotation, the
 * interleave suite finds it). It is what the store acknowledged under this token, so it cannot change; it is used
 * once and forgotten; one that is never used, at the first event after a minute.
 */
export interface Remembered {
  readonly value?: SecretText | undefined
  readonly base?: VersionId | undefined
  readonly context?: Context | undefined
  readonly tested?: boolean | undefined
  /** When set began to apply, by the monotonic clock: from here on readers of a secret without overlap are refused. */
  readonly began?: number | undefined
}

const REMEMBER_MS = 60_000

/** The four steps with the memory of one process. Build it once a process; nothing in it is needed for correctness. */
export function drivenSteps(): DrivenSteps {
  const memory = new Map<string, Remembered & { readonly untilMs: number }>()
  const remembering =
    (work: (step: DrivenRequest, known: Remembered) => Promise<{ said: string; known: Remembered }>) =>
    async (step: DrivenRequest): Promise<string> => {
      const key = `${step.secretId} ${step.token}`
      for (const [old, { untilMs }] of memory) if (untilMs < performance.now()) memory.delete(old)
      const before = memory.get(key) ?? {}
      memory.delete(key)
      const { said, known } = await work(step, before)
      memory.set(key, { ...known, untilMs: performance.now() + REMEMBER_MS })
      return said
    }
  return { create: remembering(create), set: remembering(set), test: remembering(test), finish: remembering(finish) }
}
