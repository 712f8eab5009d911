import { KeyturnError } from '../../../shared/errors.ts'
import { succeeded } from '../../../shared/report.ts'
import type { Request } from '../../../shared/rotation/core.ts'
import { soakEnds } from '../../../shared/rotation/drain.ts'
import { isAttemptOf } from '../../../shared/rotation/effects.ts'
import { type Observation, phaseOf } from '../../../shared/rotation/machine.ts'
import { contextOf, emptyMemory, observe, seen } from '../../../shared/rotation/observe.ts'
import { run } from '../../../shared/rotation/rotate.ts'
import { type AddCommand, type Answer, type Invocation, requestFor } from '../command.ts'
import { dryRun } from '../forecast.ts'
import { reportsAnswer } from '../reports.ts'

const INTENT = { want: 'rotate', force: true, isRollback: true } as const

export const addRollback: AddCommand = (program, start) => {
  program
    .command('rollback')
    .description('make the previous credential current again, while it still lives')
    .argument('<secret>', 'its name, or ARN')
    .action((secret: string) => start('rollback', (i) => rollback(i, secret)))
}

/**
 * A rotation whose new value is the previous one. Forced, because it is for the time inside the grace: the half that is
 * set is the previous one itself, to the password it has, so that nobody who holds it is cut.
 */
async function rollback(i: Invocation, secretId: string): Promise<Answer> {
  const { core } = i.local
  const request = requestFor(i, secretId, { force: true })
  await refuseDead(i, request)
  if (i.dryRun) return dryRun(i, 'rollback', INTENT, { secretId, force: true })
  i.progress.say(`rolling ${secretId} back`)
  const outcome = await run(core, INTENT, request, alive)
  const others = outcome.done.find((d) => d.step === 'promote' && d.token !== request.token)
  if (others)
    throw new KeyturnError('conflict/pending-other', `${others.principal} was pending and was promoted; nothing was rolled back`)
  return reportsAnswer('rollback', [succeeded(outcome)])
}

/** Before anything is staged. Asked again, without the login, inside the hold: `alive`. */
async function refuseDead(i: Invocation, request: Request): Promise<void> {
  const { core } = i.local
  const o = await observe(core, request, emptyMemory())
  if (!o.facts || !o.current) throw new KeyturnError('not-found/secret', `no secret ${request.secretId}`)
  // A pending value may have been set for the very half that would come back. Our own is this request, repeated.
  if (phaseOf(o, INTENT) === 'staged' && !isAttemptOf(o.pending?.facts.token ?? '', request))
    throw new KeyturnError('conflict/pending-other', `${o.facts.name} has a pending value; sweep finishes it`)
  const previous = alive(o)
  // A key that was disabled is enabled, and verified then.
  if (soakEnds(o, o.facts) !== undefined) return
  const target = core.targetFor(previous.document)
  if ((await target.verify(previous, contextOf(o.facts), i.deadline.signal)) === 'rejected')
    throw new KeyturnError('conflict/previous-dead', `${previous.principal} is refused with the previous password`)
}

function alive(o: Observation) {
  const { facts } = seen(o)
  if (o.previous) return o.previous.credential
  const { retired } = facts.metadata
  const why = retired ? 'the previous credential was retired' : 'there is no previous credential of another login'
  throw new KeyturnError('conflict/previous-dead', `${facts.name}: ${why}`)
}
