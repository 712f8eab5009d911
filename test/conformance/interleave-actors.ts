import { hasCode, KeyturnError } from '../../shared/errors.ts'
import type { Request } from '../../shared/rotation/core.ts'
import { type DrivenSteps, drivenSteps } from '../../shared/rotation/driven/steps.ts'
import type { Token } from '../../shared/types.ts'
import { parse } from '../doubles/model-target.ts'
import type { RemoteCall, Wire } from '../doubles/model-wire.ts'
import type { Actor } from './interleave-schedule.ts'
import { endless, request, token, type World } from './interleave-world.ts'
import { runWant, type Want } from './wants.ts'

const event = (name: string): RemoteCall => ({ to: 'world', name, writes: true })

/** A run of ours, by whatever started it. */
export const runs = (w: World, name: string, want: Want, asked: string, more: Partial<Request> = {}): Actor => ({
  name,
  work: (wire) => runWant(w.core(wire), want, request(w, asked, more))
})

/** The store drives: RotateSecret, then the four steps, each asked for once more when it failed. */
export const drives = (w: World, name: string, asked: string, memory: 'warm' | 'cold'): Actor => ({
  name,
  work: async (wire) => {
    const started = await wire.call(
      event(`RotateSecret ${asked}`),
      () => w.store.service?.rotateSecret(w.id, token(asked)) ?? false
    )
    return started ? fourSteps(w, wire, token(asked), memory) : 'refused'
  }
})

/** With these the token is given up in the same call (design rule 5). */
const REFUSALS = ['conflict/inside-grace', 'conflict/current-moved', 'conflict/pending-other'] as const
const STEPS = ['create', 'set', 'test', 'finish'] as const

/** What Secrets Manager does once a token is registered. "If any rotation step fails, it retries the entire rotation." */
export async function fourSteps(w: World, wire: Wire, asked: Token, memory: 'warm' | 'cold'): Promise<string> {
  const core = w.core(wire)
  const warm = drivenSteps()
  const step = { core, secretId: w.id, token: asked, deadline: endless }
  for (const attempt of [1, 2]) {
    try {
      for (const name of STEPS) {
        if (!w.store.service?.goesOn(w.id, asked)) return 'abandoned'
        const steps: DrivenSteps = memory === 'warm' ? warm : drivenSteps()
        await steps[name](step)
      }
      w.store.service?.succeed(w.id, asked)
      return 'succeeded'
    } catch (e) {
      if (hasCode(e, ...REFUSALS) && w.store.service?.isPending(w.id, asked))
        throw new KeyturnError('bug/internal', `${e.code}, and AWSPENDING is left on ${asked}`)
      if (attempt === 2 || hasCode(e, 'bug/internal', 'bug/proof', 'bug/broken')) throw e
    }
  }
  return 'failed'
}

/** Time passes. A run lives no longer than its host lets it. */
export const passes = (w: World, ms: number, what: string): Actor => ({
  name: 'time',
  isTime: true,
  work: (wire) => wire.call(event(what), () => w.advance(ms))
})

/** A person creates a key at the provider, by hand. */
export const createsKey = (w: World): Actor => ({
  name: 'person',
  work: (wire) => wire.call(event('creates a key by hand'), () => w.target.person())
})

/** A person writes the current value again, as a new version with a note in it. */
export const writesVersion = (w: World): Actor => ({
  name: 'person',
  work: (wire) =>
    wire.call(event('writes a new version'), () => {
      const text = w.store.readable(w.id).at(-1)?.text ?? ''
      w.observer.interrupt()
      w.store.overwrite(w.id, JSON.stringify({ ...parse(text), note: 'by hand' }))
    })
})
