import { KeyturnError } from '../../shared/errors.ts'
import type { Credential } from '../../shared/ports/target.ts'
import type { Core, Request } from '../../shared/rotation/core.ts'
import type { Observation } from '../../shared/rotation/machine.ts'
import { type Outcome, run } from '../../shared/rotation/rotate.ts'

/** A rollback: a person makes the previous credential current again, while it lives (functions/local/commands/rollback.ts). */
export type Want = 'rotate' | 'retire' | 'sweep' | 'rollback'

/** Part of the mutants, which are built without an SDK and without a log: what is imported here is to be as light. */
export function runWant(core: Core, want: Want, request: Request): Promise<Outcome> {
  if (want !== 'rollback') return run(core, { want, force: request.force }, request)
  return run(core, { want: 'rotate', force: true }, { ...request, force: true }, thePrevious)
}

function thePrevious({ previous }: Observation): Credential {
  if (previous) return previous.credential
  throw new KeyturnError('conflict/previous-dead', 'there is no previous credential')
}
