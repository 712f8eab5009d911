import type { DoneReport, SecretReport } from '../../shared/report.ts'
import type { Page } from '../../shared/rotation/page.ts'
import { instant } from '../../shared/types.ts'
import type { Answer } from './command.ts'
import { type Exit, exitOf, worst } from './exit-codes.ts'
import { clock, plural } from './humane.ts'
import { failureText, type Paint } from './output.ts'

/** What was done to secrets, as a command answers it. */
export function reportsAnswer(action: string, results: readonly SecretReport[]): Answer {
  const exit: Exit = worst(results.map((r) => (r.ok ? 0 : exitOf(r))))
  return {
    exit,
    json: { action, ok: exit === 0, results },
    text: (paint) => results.map((r) => reportText(r, paint)).join('\n')
  }
}

export function reportText(report: SecretReport, paint: Paint): string {
  const name = paint('bold', report.secret)
  const paged = (report.pages ?? []).map(({ notTold }) => pageText(notTold)).join('')
  if (!report.ok) return `${name}: ${failureText(report, paint)}${paged}`
  const { current, previous, graceEnds, note } = report
  const grace = previous && graceEnds ? `; ${previous} stays valid at least until ${clock(instant(Date.parse(graceEnds)))}` : ''
  return `${name}: ${doneText(report.done, note, paint)}; ${current} is current${grace}${paged}`
}

const pageText = (notTold: Page['notTold']): string =>
  notTold.length === 0
    ? '; people were told'
    : `; not told: ${notTold.map(({ channel, code }) => `${channel} (${code})`).join(', ')}`

function doneText(done: readonly DoneReport[], note: string | null, paint: Paint): string {
  if (done.length === 0) return `nothing to do${note ? ` (${note})` : ''}`
  const told = done.filter(({ step }) => TOLD[step] !== undefined)
  return told.length > 0 ? told.map((d) => stepText(d, paint)).join(', ') : 'tidied up after an earlier run'
}

function stepText({ step, principal, proof, cut, refusedMs }: DoneReport, paint: Paint): string {
  const did = `${paint('green', TOLD[step] ?? step)} ${principal}`
  if (refusedMs !== null) return `${did} (no overlap: readers were refused for ${refusedMs} ms)`
  if (cut && cut.length > 0) return `${did} (inside the grace: ${cutText(cut)} may not log in again)`
  if (!proof) return did
  const ended = proof.sessionsEnded > 0 ? `, ${plural(proof.sessionsEnded, 'session')} ended` : ''
  return `${did} (a login was refused with ${proof.refusal} at ${proof.endpoint}, ${clock(instant(Date.parse(proof.at)))}${ended})`
}

const cutText = (cut: NonNullable<DoneReport['cut']>): string =>
  cut
    .map(({ count, address, application }) => `${plural(count, 'session')} from ${address} (${application || 'unnamed'})`)
    .join(', ')

/** The others are on the way to these: --verbose and --json show them. */
const TOLD: Readonly<Record<string, string>> = {
  promote: 'promoted',
  discard: 'discarded a pending value of',
  retire: 'retired',
  heal: 'healed'
}
