import { asKeyturnError, KeyturnError } from '../../shared/errors.ts'
import type { Problem, TargetFacts } from '../../shared/ports/target.ts'
import { type Failure, failureOf } from '../../shared/report.ts'
import type { Core, Request } from '../../shared/rotation/core.ts'
import { type Intent, type Observation, phaseOf } from '../../shared/rotation/machine.ts'
import { contextOf, emptyMemory, namedBy, observe } from '../../shared/rotation/observe.ts'
import { type Phase, rowOf, type Step } from '../../shared/rotation/phases.ts'
import { run } from '../../shared/rotation/rotate.ts'
import { type Answer, type Invocation, requestFor } from './command.ts'
import { type Exit, exitOf, worst } from './exit-codes.ts'
import { failureText, type Paint, table } from './output.ts'

/** What a command would do to one secret. Looks at the store, asks the target, changes nothing. */
export interface Forecast {
  readonly secret: string
  readonly phase: Phase
  readonly current: string | null
  readonly steps: readonly { readonly phase: Phase; readonly step: Step; readonly does: string }[]
  /** Where it would stand afterwards, in words; empty where nothing would be done. */
  readonly ends: string
  /** Why nothing would be done. */
  readonly note: string | null
  readonly refusal: Failure | null
  /** What the target would refuse. */
  readonly problems: readonly Problem[]
}

export async function forecast(core: Core, intent: Intent, request: Request): Promise<Forecast> {
  const memory = emptyMemory()
  const o = await observe(core, request, memory)
  const { refusal, note } = await verdict(core, intent, request)
  const { facts, current } = o
  if (!facts || !current) throw refusal ?? new KeyturnError('not-found/secret', `no secret ${request.secretId}`)
  const stays = refusal !== undefined || note !== null
  const target = core.targetFor(current.credential.document)
  const { steps, ends } = stays ? { steps: [], ends: '' } : path(o, intent, target.facts.issue)
  const problems =
    steps.length > 0
      ? await target.preflight(current.credential, { ...contextOf(facts), known: namedBy(o) }, request.deadline.signal)
      : []
  return {
    secret: facts.name,
    phase: phaseOf(o, intent),
    current: current.credential.principal,
    steps,
    ends,
    note,
    refusal: refusal ? failureOf(refusal) : null,
    problems
  }
}

/** What the core itself says to the request. */
async function verdict(core: Core, intent: Intent, request: Request) {
  try {
    const { note = null, phase, secret } = await run(core, intent, { ...request, dryRun: true })
    if (rowOf(phase).step === 'refuse') throw new KeyturnError('busy/claimed', `${secret}: another run claimed it`)
    return { note }
  } catch (e) {
    return { note: null, refusal: asKeyturnError(e) }
  }
}

/** The way through the phase table, with the names for A and B. */
function path(o: Observation, intent: Intent, issue: TargetFacts['issue']): Pick<Forecast, 'steps' | 'ends'> {
  const steps: { phase: Phase; step: Step; does: string }[] = []
  const start = phaseOf(o, intent)
  let phase = start
  for (;;) {
    const { step, does, leads } = rowOf(phase)
    const words = named(issue === 'chosen' ? does.replace('(claim, mint,) ', '') : does, o, start)
    if (step === 'none') return { steps, ends: steps.length > 0 ? `${phase}: ${words}` : '' }
    steps.push({ phase, step, does: words })
    if (leads === undefined) return { steps, ends: phase }
    // A discarded pending leads on only where a rotation is wanted.
    phase = phase === 'spoiled' ? phaseOf({ ...o, pending: undefined }, intent) : leads
  }
}

/** Before a promotion A is current and B its counterpart; after it B is current and A the previous one. */
function named(does: string, o: Observation, start: Phase): string {
  const { current, previous, pending } = o
  const next = pending?.held?.credential.principal ?? current?.credential.counterpart ?? current?.credential.principal
  const [a, b] =
    rowOf(start).readers === 'B'
      ? [previous?.credential.principal, current?.credential.principal]
      : [current?.credential.principal, next]
  return does.replace(/\b[AB]\b/g, (letter) => (letter === 'A' ? a : b) ?? letter)
}

/** The answer of a command's dry run. */
export async function dryRun(
  invocation: Invocation,
  action: string,
  intent: Intent,
  request: Partial<Request> & { secretId: string }
) {
  const { core } = invocation.local
  return forecastAnswer(action, [await forecast(core, intent, requestFor(invocation, request.secretId, request))])
}

export function forecastAnswer(action: string, results: readonly Forecast[]): Answer {
  const exit = worst(results.map(exitOfForecast))
  return {
    exit,
    json: { action, ok: exit === 0, dryRun: true, results },
    text: (paint) => results.map((f) => forecastText(f, paint)).join('\n\n')
  }
}

function exitOfForecast({ refusal, problems }: Forecast): Exit {
  if (refusal) return exitOf(refusal)
  return problems.some((p) => p.fatal) ? 1 : 0
}

function forecastText({ secret, phase, current, steps, ends, note, refusal, problems }: Forecast, paint: Paint): string {
  const lines = [`${paint('bold', secret)}${current === null ? '' : ` is ${phase}, ${current} is current`}`]
  if (refusal) lines.push(`would be refused with ${failureText(refusal, paint)}`)
  else if (steps.length === 0) lines.push(`nothing would be done${note ? `: ${note}` : ''}`)
  else {
    lines.push(
      table(
        ['', 'step', 'what it does'],
        steps.map(({ step, does }, at) => [String(at + 1), step, does]),
        paint
      )
    )
    lines.push(`then it is ${ends}`)
  }
  for (const { fatal, code, message, todo } of problems)
    lines.push(`${fatal ? paint('red', code) : paint('yellow', code)}: ${message}\n${paint('dim', 'what to do')}: ${todo}`)
  return lines.join('\n')
}
