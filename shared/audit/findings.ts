import { createHash } from 'node:crypto'
import type { StoreKind } from './event.ts'
import type { Finding, Severity, Subject } from './finding.ts'
import type { Signal } from './signal.ts'
import type { Span } from './span.ts'
import type { Noticed } from './tally.ts'

/** What a signal knows of one finding; the rest is the signal's own. */
export interface Found {
  readonly subject: Subject
  readonly store?: StoreKind | undefined
  readonly account?: string | undefined
  readonly span: Span
  readonly title: string
  readonly why: string
  readonly severity?: Severity
  readonly compared?: { readonly observed: number; readonly usual: number | undefined; readonly unit: string }
  /** What tells two findings about one subject apart: an hour, a day. Default: when it was first seen. */
  readonly when?: number
  /** And what does so at the same time: an operation. */
  readonly what?: string
}

type Of = Pick<Signal, 'name' | 'severity' | 'technique' | 'todo'>

export function finding(signal: Of, found: Found): Finding {
  const { subject, span, compared } = found
  // Of an identity's addresses another one may have come first when the log is read in another order.
  const who = subject.identity ?? subject.address
  const key = [signal.name, who, subject.secret, subject.network, subject.policy, subject.source, found.what]
  const when = found.when ?? span.first
  return {
    id: createHash('sha256')
      .update([...key, when].join('\n'))
      .digest('hex')
      .slice(0, 32),
    signal: signal.name,
    severity: found.severity ?? signal.severity,
    title: found.title,
    why: found.why,
    store: found.store,
    account: found.account,
    subject,
    first: span.first,
    last: span.last,
    count: span.count,
    observed: compared?.observed,
    usual: compared?.usual,
    unit: compared?.unit,
    evidence: span.evidence,
    technique: signal.technique,
    todo: signal.todo
  }
}

/** One finding for each thing that was noticed for this signal. */
export const noticedFindings = (
  signal: Of,
  notices: Iterable<Noticed>,
  say: (noticed: Noticed) => Pick<Found, 'title' | 'why' | 'severity'>
): readonly Finding[] =>
  [...notices].flatMap((noticed) =>
    noticed.signal === signal.name
      ? [
          finding(signal, {
            subject: noticed.subject,
            store: noticed.store,
            account: noticed.account,
            span: noticed.span,
            what: `${noticed.operation} ${noticed.outcome === 'done'}`,
            ...say(noticed)
          })
        ]
      : []
  )

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

export const times = (count: number): string => (count === 1 ? 'once' : `${count} times`)

/** `2026-07-01 12:00 UTC`. */
export const minute = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
