import pMap from 'p-map'
import { asKeyturnError } from '../../../shared/errors.ts'
import { periodMsOf } from '../../../shared/policy.ts'
import type { SecretFacts } from '../../../shared/ports/secret-store.ts'
import type { Problem } from '../../../shared/ports/target.ts'
import { problem } from '../../../shared/problem.ts'
import type { Request } from '../../../shared/rotation/core.ts'
import { stopped } from '../../../shared/rotation/hold.ts'
import { contextOf, emptyMemory, namedBy, observe } from '../../../shared/rotation/observe.ts'
import { isOpen } from '../../../shared/rotation/plan.ts'
import { type AddCommand, type Answer, type Invocation, requestFor } from '../command.ts'
import { plural } from '../humane.ts'
import { listSecrets, THE_STORE } from '../listing.ts'
import { type Paint, table } from '../output.ts'

interface Checked {
  readonly secret: string
  readonly problems: readonly Problem[]
}

export const addDoctor: AddCommand = (program, start) => {
  program
    .command('doctor')
    .description('find everything that would be refused, before it is; changes nothing')
    .argument('[secret]', 'its name, or ARN; default: every managed secret')
    .action((secret: string | undefined) => start('doctor', (i) => doctor(i, secret)))
}

async function doctor(i: Invocation, secret: string | undefined): Promise<Answer> {
  const { listed, error } = await listSecrets(i)
  const wanted = secret === undefined ? listed.map(({ id }) => id) : [secret]
  i.progress.say(`examining ${plural(wanted.length, 'secret')}`)
  const examine = (id: string): Promise<Checked> => check(i, requestFor(i, id), listed)
  const checked = await pMap(wanted, examine, { concurrency: i.local.config.sweepConcurrency })
  const store = secret === undefined && error ? [{ secret: THE_STORE, problems: [problemOf(error)] }] : []
  return answer([...checked, ...store])
}

async function check(i: Invocation, request: Request, listed: readonly SecretFacts[]): Promise<Checked> {
  const { core } = i.local
  const problems: Problem[] = []
  try {
    const facts = await core.store.describe(request.secretId, request.deadline.signal)
    if (facts) problems.push(...ofMetadata(facts), ...ofStore(facts), ...ofPair(facts, listed))
    const o = await observe(core, request, emptyMemory())
    const { current } = o
    if (!facts || !current)
      return {
        secret: request.secretId,
        problems: [...problems, problem('not-found/secret', 'no such secret, or no current value')]
      }
    const target = core.targetFor(current.credential.document)
    problems.push(
      ...(await target.preflight(current.credential, { ...contextOf(facts), known: namedBy(o) }, request.deadline.signal))
    )
    return { secret: facts.name, problems }
  } catch (e) {
    return { secret: request.secretId, problems: [...problems, problemOf(e)] }
  }
}

function ofMetadata(facts: SecretFacts): readonly Problem[] {
  const held = stopped({ ...facts, metadata: { ...facts.metadata, window: undefined } }, false)
  const unmanaged = problem('invalid/metadata', 'not managed: sweep passes it over; keyturn adopt takes it', false)
  return [
    ...tried(() => periodMsOf(facts.metadata)),
    ...tried(() => isOpen(facts.metadata.window, facts.seenAt)),
    ...(held ? [problem('conflict/held', held.message, false)] : []),
    ...(facts.metadata.kind === undefined ? [unmanaged] : [])
  ]
}

function ofStore({ name, rotationEnabled, managedBy, replicasInSync, pendings }: SecretFacts): readonly Problem[] {
  return [
    ...(managedBy === undefined ? [] : [problem('conflict/managed-elsewhere', `${name} is managed by ${managedBy}`)]),
    ...(rotationEnabled === false ? [problem('disabled/rotation', `the store’s own rotation of ${name} is off`, false)] : []),
    ...(replicasInSync ? [] : [problem('unavailable/replicas', `replicas of ${name} are not in sync`, false)]),
    ...(pendings.length > 1 ? [problem('conflict/pending-other', `${name} has ${pendings.length} pending values`, false)] : [])
  ]
}

/** Two secrets of one pair would change each other's password. */
function ofPair({ id, metadata }: SecretFacts, listed: readonly SecretFacts[]): readonly Problem[] {
  const key = (pair: readonly string[] | undefined): string | undefined => pair && [...pair].sort().join('\0')
  const own = key(metadata.pair)
  const others = listed.filter((other) => other.id !== id && own !== undefined && key(other.metadata.pair) === own)
  return others.map(({ name }) =>
    problem('conflict/pair-shared', `${name} names the same logins; if it is the same server, they cut each other`, false)
  )
}

function answer(secrets: readonly Checked[]): Answer {
  const fatal = secrets.some(({ problems }) => problems.some((p) => p.fatal))
  return {
    exit: fatal ? 1 : 0,
    json: { action: 'doctor', ok: !fatal, secrets },
    text: (paint) =>
      secrets.length === 0 ? 'no managed secrets' : secrets.map((checked) => checkedText(checked, paint)).join('\n')
  }
}

function checkedText({ secret, problems }: Checked, paint: Paint): string {
  if (problems.length === 0) return `${paint('bold', secret)}: ${paint('green', 'nothing would be refused')}`
  const rows = problems.map(({ code, message, todo, fatal }) => [
    `  ${fatal ? paint('red', code) : paint('yellow', code)}`,
    `${message}\n${paint('dim', todo)}`
  ])
  return `${paint('bold', secret)}\n${table([], rows, paint)}`
}

function problemOf(e: unknown): Problem {
  const { code, message } = asKeyturnError(e)
  return problem(code, message)
}

function tried(work: () => unknown): readonly Problem[] {
  try {
    work()
    return []
  } catch (e) {
    return [problemOf(e)]
  }
}
