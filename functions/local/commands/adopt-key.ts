import { KeyturnError } from '../../../shared/errors.ts'
import type { Observation } from '../../../shared/rotation/machine.ts'
import { contextOf, namedBy, seen } from '../../../shared/rotation/observe.ts'
import type { Answer, Invocation } from '../command.ts'
import { type PolicyOptions, policyPatch } from '../policy-options.ts'

/** Takes a key's secret under management: nothing is made at the provider, which is asked whether it would let keyturn rotate. */
export async function adoptKey(i: Invocation, o: Observation, options: PolicyOptions & { readonly yes?: true }): Promise<Answer> {
  const { core } = i.local
  const { facts, current } = seen(o)
  const { signal } = i.deadline
  const target = core.targetFor(current.credential.document)
  const { kind } = target.facts
  const patch = {
    kind,
    ...policyPatch(options, { ...facts.metadata, kind }),
    managedSince: facts.metadata.managedSince ?? facts.seenAt
  }
  i.progress.say(`looking at ${current.credential.principal}`)
  const problems = await target.preflight(current.credential, { ...contextOf(facts), known: namedBy(o) }, signal)
  const refusals = problems.filter(({ fatal }) => fatal)
  const answer = (exit: 0 | 1 | 4, said: string): Answer => ({
    exit,
    json: { action: 'adopt', ok: exit === 0, dryRun: i.dryRun, secret: facts.name, kind, problems },
    text: (paint) =>
      [
        `${paint('bold', facts.name)}: ${said}`,
        ...problems.map(({ code, message }) => `${paint('yellow', code)}: ${message}`)
      ].join('\n')
  })
  const [refusal] = refusals
  if (i.dryRun) return answer(refusal ? 1 : 0, `would be adopted as ${kind}`)
  if (refusal) throw new KeyturnError(refusal.code, refusals.map(({ message }) => message).join('; '))
  i.progress.end()
  const question = `Take ${facts.name} under management: keyturn makes and deletes keys of ${kind} for it?`
  if (options.yes !== true && !(await i.ask(question))) return answer(4, 'left as it was')
  await core.store.annotate(facts.id, patch, facts.revision, signal)
  return answer(0, `adopted as ${kind}; keyturn rotate makes its next key`)
}
