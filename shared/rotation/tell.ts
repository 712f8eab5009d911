import { asKeyturnError } from '../errors.ts'
import type { MetadataPatch } from '../metadata.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import { consumersIn } from '../restart.ts'
import type { SecretId, VersionId } from '../types.ts'
import type { Core } from './core.ts'
import type { Effect } from './effects.ts'
import { seen } from './observe.ts'

/**
 * Asks the consumers to start again, and records how it went. A failure does not undo the rotation: readers are served by
 * both credentials; the old one lives until a sweep gets through to everybody.
 */
export const tell: Effect = async (run, o) => {
  const { core, request, memory } = run
  const { facts, current } = seen(o)
  const { signal } = request.deadline
  memory.isTold = true
  const outcome = await restarted(core, facts.metadata.restart ?? '', facts.id, current.version, signal)
  await core.store.annotate(facts.id, record(facts, outcome), facts.revision, signal)
  if (outcome !== 'ok') core.log.error('restart-failed', { secret: facts.name, code: outcome })
  run.done.push({ step: 'tell', principal: current.credential.principal, outcome })
  return undefined
}

const record = ({ current = '', seenAt }: SecretFacts, outcome: string): MetadataPatch => ({
  restarted: { version: current, at: seenAt, outcome }
})

/** `ok` when every platform accepted it, else the code of the first that did not. All are asked. */
export async function restarted(
  core: Core,
  declared: string,
  secret: SecretId,
  version: VersionId,
  signal: AbortSignal
): Promise<string> {
  const failures: string[] = []
  try {
    for (const consumer of consumersIn(declared)) {
      if (!core.consumers) return 'unsupported/restart'
      await core.consumers.restart(consumer, { secret, version }, signal).catch((e: unknown) => {
        const { code, message } = asKeyturnError(e)
        core.log.warn('not-restarted', { kind: consumer.kind, consumer: consumer.name, code, message })
        failures.push(code)
      })
    }
  } catch (e) {
    failures.push(asKeyturnError(e).code)
  }
  return failures[0] ?? 'ok'
}
