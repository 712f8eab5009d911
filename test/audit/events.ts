import { counter } from '../../shared/audit/count.ts'
import { type AuditEvent, auditEvent, type Identity, MARKS, type StoreKind } from '../../shared/audit/event.ts'
import type { Finding } from '../../shared/audit/finding.ts'
import { emptyRead, type ReadLogs } from '../../shared/audit/read.ts'
import { references } from '../../shared/audit/references.ts'
import { AUDIT_DEFAULTS, type AuditSettings } from '../../shared/audit/settings.ts'
import { SIGNALS } from '../../shared/audit/signals.ts'
import { type AuditState, emptyState } from '../../shared/audit/state.ts'
import { type Asked, summarize } from '../../shared/audit/summarize.ts'
import type { SourceRow, Summary } from '../../shared/audit/summary.ts'
import { emptyTally, type Tally } from '../../shared/audit/tally.ts'

export const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000]
/** A Monday's beginning. */
export const MONDAY = Date.UTC(2026, 5, 1)

const refs = references()

/** Made once a key: `aws:app`. */
export const identity = (name: string, made: Partial<Identity> & { readonly store?: StoreKind } = {}): Identity => {
  const { store = 'aws', ...more } = made
  const key = more.key ?? `${store}:${name}`
  return refs.identity(key, () => ({ name, type: 'workload', isRoot: false, isCompute: false, ...more }))
}
export const person = (name: string): Identity => identity(name, { type: 'person' })
export const compute = (name: string): Identity => identity(name, { key: `aws:${name}#compute`, isCompute: true })

export interface Wanted extends Omit<Partial<AuditEvent>, 'identity' | 'secret' | 'marks'> {
  readonly at: number
  /** A workload's name, or who it is. */
  readonly who?: string | Identity
  readonly secret?: string
  readonly marks?: readonly (keyof typeof MARKS)[]
}

let made = 0

/** A read by a program from a private address, but for what is wanted. */
export function event({ who = 'app', secret, marks = [], ...more }: Wanted): AuditEvent {
  const { store = 'aws', account = '111122223333', kind = 'read' } = more
  const named = secret ?? (kind === 'read' || kind === 'write' ? 'app/db' : undefined)
  return auditEvent({
    ...{ id: `event-${++made}`, store, account, kind, operation: OPERATIONS[kind] ?? kind, outcome: 'done' },
    ...{ identity: typeof who === 'string' ? identity(who, { store }) : who, address: '10.1.2.3' },
    ...more,
    secret: named === undefined ? undefined : refs.secret(store, account, named),
    marks: marks.reduce((bits, mark) => bits | MARKS[mark], 0)
  })
}

const OPERATIONS: Readonly<Record<string, string>> = { read: 'GetSecretValue', write: 'PutSecretValue', list: 'ListSecrets' }

/** As many as wanted, one every `every` milliseconds. */
export const many = (count: number, { every = 1_000, ...wanted }: Wanted & { readonly every?: number }): readonly AuditEvent[] =>
  Array.from({ length: count }, (_, n) => event({ ...wanted, at: wanted.at + n * every }))

/** One read of each of so many secrets. */
export const sweepOf = (
  count: number,
  { every = 1_000, ...wanted }: Wanted & { readonly every?: number }
): readonly AuditEvent[] =>
  Array.from({ length: count }, (_, n) => event({ ...wanted, at: wanted.at + n * every, secret: `vault/s${n}` }))

/** The same on each of so many days. */
export const daily = (days: number, from: number, make: (at: number) => AuditEvent | readonly AuditEvent[]) =>
  Array.from({ length: days }, (_, day) => make(from + day * DAY)).flat()

export const idsOf = (events: readonly AuditEvent[], count = 5): readonly string[] => events.slice(0, count).map(({ id }) => id)

export function counted(events: readonly AuditEvent[], settings: AuditSettings = AUDIT_DEFAULTS): Tally {
  const tally = emptyTally()
  const count = counter(tally, settings, SIGNALS)
  for (const one of events) count(one)
  return tally
}

/** As reading a log with these events gives. */
export function readOf(events: readonly AuditEvent[], settings?: AuditSettings, sources: readonly SourceRow[] = []): ReadLogs {
  const times = events.map(({ at }) => at)
  const [first, last] = [Math.min(Number.POSITIVE_INFINITY, ...times), Math.max(0, ...times)]
  const counts = { events: events.length, records: events.length, first, last }
  return { ...emptyRead(), ...counts, sources: [...sources], tally: counted(events, settings) }
}

export interface Run extends Partial<Omit<Asked, 'settings'>> {
  readonly state?: AuditState
  readonly settings?: Partial<AuditSettings>
}

/** One run over these events. */
export function run(events: readonly AuditEvent[], { state = emptyState(), settings, ...asked }: Run = {}): Summary {
  const all = { ...AUDIT_DEFAULTS, ...settings }
  const nothing = { since: undefined, until: undefined, now: undefined, listed: undefined }
  return summarize(readOf(events, all), state, { ...nothing, ...asked, settings: all })
}

/** What one signal says of these events; those of the history were read by a run before. */
export function findings(
  signal: string,
  events: readonly AuditEvent[],
  { history = [], ...asked }: Run & { readonly history?: readonly AuditEvent[] } = {}
): readonly Finding[] {
  const state = asked.state ?? emptyState()
  if (history.length > 0) run(history, { ...asked, state })
  return run(events, { ...asked, state }).findings.filter((one) => one.signal === signal)
}
