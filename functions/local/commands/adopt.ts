import { randomUUID } from 'node:crypto'
import { KeyturnError } from '../../../shared/errors.ts'
import type { Metadata, MetadataPatch } from '../../../shared/metadata.ts'
import type { Credential } from '../../../shared/ports/target.ts'
import { emptyMemory, observe, seen } from '../../../shared/rotation/observe.ts'
import { type AdoptionPlan, adopt, adoptPlan } from '../../../shared/targets/postgres-adopt.ts'
import { type AddCommand, type Answer, type Invocation, requestFor } from '../command.ts'
import type { Exit } from '../exit-codes.ts'
import { type Paint, table } from '../output.ts'
import { withPair } from '../pair.ts'
import { addPolicyOptions, type PolicyOptions, policyPatch } from '../policy-options.ts'
import { adoptKey } from './adopt-key.ts'

interface Options extends PolicyOptions {
  readonly second?: string
  readonly ownerRole?: string
  readonly admin?: string
  readonly yes?: true
}

export const addAdopt: AddCommand = (program, start) => {
  const command = program
    .command('adopt')
    .description(
      'take an existing secret under management: for a database, make its second login, the owner role and the metadata'
    )
    .argument('<secret>', 'its name, or ARN')
    .option('--second <login>', 'the second login (default: the first one’s name and _b)')
    .option('--owner-role <role>', 'the role that both act as (default: the first one’s name and _owner)')
    .option('--admin <secret>', 'the admin’s secret, where the document names none (masterarn)')
    .option('--yes', 'do not ask')
  addPolicyOptions(command).action((secret: string, options: Options) => start('adopt', (i) => run(i, secret, options)))
}

/** The database first, then the store: a run that dies in between is simply repeated, and finds the logins there. */
async function run(i: Invocation, secretId: string, options: Options): Promise<Answer> {
  const o = await look(i, secretId)
  const { facts, current } = seen(o)
  if (o.target?.issue === 'minted') return adoptKey(i, o, options)
  const before: Metadata = options.admin === undefined ? facts.metadata : { ...facts.metadata, admin: options.admin }
  const policy = policyPatch(options, before)
  i.progress.say(`looking at ${current.credential.principal}`)
  const names = { second: options.second, owner: options.ownerRole }
  const { signal } = i.deadline
  const plan = await adoptPlan(i.local.postgres, current.credential, before, names, signal)
  const answer = answerOf(i, facts.name, plan)
  const [refusal] = plan.refusals
  if (i.dryRun) return answer(refusal ? 1 : 0, 'would be adopted')
  if (refusal) throw new KeyturnError(refusal.code, refusal.message)
  i.progress.end()
  if (options.yes !== true) {
    i.progress.line(`${planText(plan, (_, text) => text)}\n`)
    if (!(await i.ask(`Do this, and take ${facts.name} under management?`))) return answer(4, 'left as it was')
  }
  i.progress.say(`adopting ${facts.name}`)
  if (plan.statements.length > 0) await adopt(i.local.postgres, current.credential, before, plan, signal)
  const admin = options.admin === undefined ? {} : { admin: options.admin }
  const patch = { ...plan.metadata, ...policy, ...admin, managedSince: facts.metadata.managedSince ?? facts.seenAt }
  await record(i, secretId, current.credential, { ...before, pair: plan.pair }, patch)
  return answer(0, `adopted; keyturn rotate gives ${plan.pair[1]} its first password`)
}

async function look(i: Invocation, secretId: string) {
  const o = await observe(i.local.core, requestFor(i, secretId), emptyMemory())
  if (!o.facts || !o.current) throw new KeyturnError('not-found/secret', `no secret ${secretId}, or it has no current value`)
  return o
}

/**
 * The metadata, and the pair in the document itself, so that a function reads it with the value. In the pair's hold, like
 * every write to the store; the value's other fields stay as they are, so no reader notices.
 */
async function record(
  i: Invocation,
  secretId: string,
  credential: Credential,
  as: Metadata & { readonly pair: readonly [string, string] },
  patch: MetadataPatch
): Promise<void> {
  const { core } = i.local
  const { signal } = i.deadline
  const hold = await core.targetFor(credential.document).hold(credential, { ...as, secret: secretId }, signal)
  try {
    const { facts, current } = seen(await look(i, secretId))
    await core.store.annotate(facts.id, patch, facts.revision, signal)
    const document = withPair(current.credential.document, as.pair)
    if (document.equals(current.credential.document)) return
    const attempt = { token: randomUUID(), base: current.version, driver: 'keyturn' } as const
    await core.store.stage(facts.id, attempt, document, signal)
    await core.store.promote(facts.id, attempt, signal)
    await core.store.drop(facts.id, attempt.token, signal)
  } finally {
    await hold.release()
  }
}

const answerOf =
  (i: Invocation, secret: string, plan: AdoptionPlan) =>
  (exit: Exit, said: string): Answer => {
    const { pair, owner, statements, refusals } = plan
    const json = { secret, adopted: exit === 0 && !i.dryRun, pair, owner, statements, refusals }
    return {
      exit,
      json: { action: 'adopt', ok: exit === 0, dryRun: i.dryRun, ...json },
      text: (paint) => `${i.dryRun ? `${planText(plan, paint)}\n` : ''}${paint('bold', secret)}: ${said}`
    }
  }

function planText({ pair, owner, statements, refusals }: AdoptionPlan, paint: Paint): string {
  const lines = statements.map(({ sql, why }) => `${sql};  ${paint('dim', `-- ${why}`)}`)
  const refused = table(
    [],
    refusals.map(({ code, message }) => [paint('red', code), message]),
    paint
  )
  const head = `${pair.join(' and ')} will take turns, both act as ${owner}`
  return [
    head,
    ...(lines.length > 0 ? lines : ['the database is as it should be']),
    ...(refusals.length > 0 ? [refused] : [])
  ].join('\n')
}
