import { asKeyturnError, type Code, type KeyturnError } from './errors.ts'
import type { Log, LogFields } from './log.ts'
import type { Session } from './ports/target.ts'
import type { Done } from './rotation/effects.ts'
import type { Page } from './rotation/page.ts'
import type { Outcome } from './rotation/rotate.ts'
import { iso } from './types.ts'

/** What a host answers and a command prints for one secret. Plain JSON; never a value. */
export type SecretReport =
  | ({
      readonly secret: string
      readonly ok: true
      readonly phase: string
      readonly current: string | null
      readonly previous: string | null
      /** ISO 8601. Until then clients may still hold the previous credential. */
      readonly graceEnds: string | null
      readonly done: readonly DoneReport[]
      readonly note: string | null
      /** What the previous key's retirement waits for, in words. */
      readonly waitsFor: readonly string[]
    } & Paged)
  | ({ readonly secret: string; readonly ok: false } & Failure & Paged)

/** What people were told, and whom it did not get through to. Not there where nothing was to be told. */
interface Paged {
  readonly pages?: readonly Page[]
}

export interface DoneReport {
  readonly step: string
  readonly principal: string
  readonly proof: {
    readonly at: string
    readonly refusal: string
    readonly endpoint: string
    readonly sessionsEnded: number
  } | null
  /** Who was cut by a forced rotation inside the grace; null where nobody could be. */
  readonly cut: readonly Session[] | null
  /** How long readers were refused, of a secret without overlap; null where both credentials were valid. */
  readonly refusedMs: number | null
  /** Of `tell`: `ok`, or the code of what failed; null for other steps. */
  readonly outcome: string | null
}

export interface Failure {
  readonly code: Code
  readonly message: string
  readonly retryable: boolean
  readonly todo: string
}

export const failureOf = (error: KeyturnError): Failure => ({
  code: error.code,
  message: error.message,
  retryable: error.retryable,
  todo: error.todo
})

export const failed = (secret: string, e: unknown, pages: readonly Page[] = []): SecretReport => ({
  ...{ secret, ok: false, ...failureOf(asKeyturnError(e)) },
  ...(pages.length > 0 && { pages })
})

const doneReport = ({ step, principal, proof, cut, refusedMs, outcome }: Done): DoneReport => ({
  step,
  principal,
  cut: cut ?? null,
  refusedMs: refusedMs ?? null,
  outcome: outcome ?? null,
  proof: proof
    ? { at: iso(proof.at), refusal: proof.refusal, endpoint: proof.endpoint, sessionsEnded: proof.sessionsEnded }
    : null
})

export const succeeded = (o: Outcome, pages: readonly Page[] = []): SecretReport => ({
  secret: o.secret,
  ok: true,
  phase: o.phase,
  current: o.current ?? null,
  previous: o.previous ?? null,
  graceEnds: o.graceEnds === undefined ? null : iso(o.graceEnds),
  done: o.done.map(doneReport),
  note: o.note ?? null,
  waitsFor: o.waitsFor,
  ...(pages.length > 0 && { pages })
})

/** Nobody reads what a timer, a queue or a topic is answered: what was done is said here. The core says what failed. */
export function logResult(log: Log, report: SecretReport): void {
  if (!report.ok || (report.done.length === 0 && report.note === null)) return
  const { secret, phase, note, done } = report
  log.info('done', { secret, phase, note, steps: done.map(({ step, principal }) => `${step} ${principal}`) })
}

export const logFailure = (log: Log, { code, message, retryable, todo, vendor }: KeyturnError, more: LogFields = {}): void =>
  log.error('failed', { ...more, code, message, retryable, todo, vendor })
