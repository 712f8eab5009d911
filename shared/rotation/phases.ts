/** Where a rotation stands. Everything here can be looked up: there is no other state, and so no "resume". */
export type Phase =
  | 'absent'
  | 'settled'
  | 'due'
  | 'busy'
  | 'full'
  | 'staged'
  | 'spoiled'
  | 'promoted'
  | 'telling'
  | 'littered'
  | 'draining'
  | 'disabling'
  | 'soaking'
  | 'retiring'
  | 'broken'

/** The one effect that comes next. `issue` = claim (minted only), mint, stage. `promote` = apply, verify, promote. */
export type Step =
  | 'none'
  | 'issue'
  | 'promote'
  | 'discard'
  | 'settle'
  | 'tell'
  | 'clean'
  | 'disable'
  | 'retire'
  | 'heal'
  | 'refuse'

export interface PhaseRow {
  readonly phase: Phase
  readonly readers: string
  readonly target: string
  readonly step: Step
  /** The step in words, for people. */
  readonly does: string
  readonly dying: string
  /** The phase that the step leads to: what a dry run prints. */
  readonly leads: Phase | undefined
}

const row = (
  phase: Phase,
  readers: string,
  target: string,
  step: Step,
  does: string,
  dying: string,
  leads?: Phase
): PhaseRow => ({ phase, readers, target, step, does, dying, leads })

/** Every phase: what readers hold, what the target takes, the one step, and what happens if the process dies in it. */
export const PHASES: readonly PhaseRow[] = [
  row('absent', '–', '?', 'none', 'nothing', 'nothing is lost'),
  row('settled', 'A', 'A', 'none', 'nothing', 'nothing is lost'),
  row(
    'due',
    'A',
    'A',
    'issue',
    '(claim, mint,) stage B',
    'minted: B without a stage is an orphan; chosen: nothing is lost',
    'staged'
  ),
  row('busy', 'A', 'A (B maybe)', 'refuse', 'nothing: somebody’s claim without a value, not outlived yet', 'nothing is lost'),
  row('full', 'A', 'A and a stranger’s', 'refuse', 'nothing: a conflict that names the stranger’s key', 'nothing is lost'),
  row(
    'staged',
    'A',
    'A (B maybe)',
    'promote',
    'apply, verify, promote B',
    'B is in the store: applied and verified again, the same value',
    'promoted'
  ),
  row('spoiled', 'A', 'A', 'discard', 'discard B, at the target first, then the stage', 'discarded next time', 'due'),
  row(
    'promoted',
    'B',
    'A B',
    'settle',
    'record the promotion, then drop the pending',
    'recorded and dropped next time',
    'draining'
  ),
  row(
    'telling',
    'B',
    'A B',
    'tell',
    'ask the consumers to start again, and record how it went',
    'asked again next time',
    'draining'
  ),
  row(
    'littered',
    'B',
    'B, and a key of ours that no stage names',
    'clean',
    'delete keys that a dead run made: older than a run can live, never used',
    'deleted next time',
    'settled'
  ),
  row('draining', 'B', 'A B', 'none', 'nothing, until the grace is over and A is unused', 'nothing is lost'),
  row('disabling', 'B', 'A B', 'disable', 'disable A, record it', 'disabled and recorded next time', 'soaking'),
  row('soaking', 'B', 'B (A can be enabled)', 'none', 'nothing, until A was disabled for the soak', 'nothing is lost'),
  row('retiring', 'B', 'A B', 'retire', 'retire A, prove it once, record it', 'A lives until the next run', 'settled'),
  row('broken', 'A', 'not A', 'heal', 'page; heal where the target has an authority of its own', 'healed next time', 'settled')
]

export function rowOf(phase: Phase): PhaseRow {
  const found = PHASES.find((r) => r.phase === phase)
  if (!found) throw new TypeError(`no row for ${phase}`)
  return found
}
