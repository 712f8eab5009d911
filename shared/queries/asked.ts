import { isZone } from '../audit/settings.ts'
import { DAY_MS } from '../duration.ts'
import { KeyturnError } from '../errors.ts'
import type { AccessRow, Asked, Question, SignalRow } from '../ports/audit-query.ts'

/** What a query gives, in this order, whatever it is written in. Numbers may come as texts; what is not there is null or empty. */
export const SIGNAL_COLUMNS = [
  ...['account', 'identity', 'identity_name', 'secret', 'secret_name', 'address', 'network', 'source'],
  ...['first_ms', 'last_ms', 'calls', 'observed', 'usual', 'breadth', 'taken_ms']
] as const

export const ACCESS_COLUMNS = [
  ...['account', 'identity', 'identity_name', 'identity_type', 'secret', 'secret_name'],
  ...['first_ms', 'last_ms', 'reads', 'writes', 'denied']
] as const

/** In place of infinity, which JSON has not: a token that never ends. More seconds than any clock counts. */
export const FOREVER = 1e15

export type Cells = readonly unknown[]

export function signalRow(signal: Question, store: SignalRow['store'], cells: Cells): SignalRow {
  const observed = maybe(cells[11])
  return {
    ...{ signal, store, account: text(cells[0]), identity: text(cells[1]), identityName: text(cells[2]) },
    ...{ secret: text(cells[3]), secretName: text(cells[4]), address: text(cells[5]), network: text(cells[6]) },
    ...{ source: text(cells[7]), first: number(cells[8]), last: number(cells[9]), count: number(cells[10]) },
    observed: observed !== undefined && observed >= FOREVER ? Number.POSITIVE_INFINITY : observed,
    ...{ usual: maybe(cells[12]), breadth: maybe(cells[13]), takenAt: maybe(cells[14]) }
  }
}

export const accessRow = (store: AccessRow['store'], cells: Cells): AccessRow => ({
  ...{ store, account: text(cells[0]), identity: text(cells[1]), identityName: text(cells[2]), identityType: typeIn(cells[3]) },
  ...{ secret: text(cells[4]), secretName: text(cells[5]), first: number(cells[6]), last: number(cells[7]) },
  ...{ reads: number(cells[8]), writes: number(cells[9]), denied: number(cells[10]) }
})

const text = (cell: unknown): string => (typeof cell === 'string' ? cell : '')
const maybe = (cell: unknown): number | undefined =>
  cell === null || cell === undefined || cell === '' ? undefined : number(cell)

function number(cell: unknown): number {
  const found = typeof cell === 'string' && cell !== '' ? Number(cell) : cell
  if (typeof found !== 'number' || Number.isNaN(found))
    throw new KeyturnError('unavailable/query', 'an answer has a column that is no number')
  return found
}

const TYPES: readonly AccessRow['identityType'][] = ['person', 'workload', 'service', 'unknown']
const typeIn = (cell: unknown): AccessRow['identityType'] => TYPES.find((type) => type === cell) ?? 'unknown'

const MOST_ROWS = 1_000_000
/** Of what is usual, no signal asks for more than six weeks; more is for networks. */
const MOST_HISTORY_MS = 400 * DAY_MS

/**
 * What comes from settings gets into a query's text: numbers, and texts of a form that nothing can be hidden in. Throws
 * `invalid/query`, which names every one that is wrong.
 */
export function checkedAsked(asked: Asked): Asked {
  const { since, until, historyMs, mostRows, settings } = asked
  const { zone, workHours, workDays, holidays, learnMs, volumeFactor, volumeZ, volumeDays, failedLogins, longTtlSeconds } =
    settings
  const numbers = [learnMs, volumeFactor, volumeZ, volumeDays, failedLogins, ...Object.values(longTtlSeconds)]
  const wrong = [
    isWhole(since, 0, until - 1) && isWhole(until, 0, 8.64e15) ? '' : 'since and until',
    isWhole(historyMs, 0, MOST_HISTORY_MS) ? '' : 'historyMs',
    isWhole(mostRows, 1, MOST_ROWS) ? '' : 'mostRows',
    isNamedZone(zone) ? '' : 'zone',
    workHours.every((hour) => isWhole(hour, 0, 24)) && workHours[0] <= workHours[1] ? '' : 'workHours',
    workDays.every((day) => isWhole(day, 1, 7)) ? '' : 'workDays',
    holidays.every((day) => /^\d{4}-\d\d-\d\d$/.test(day)) ? '' : 'holidays',
    numbers.every((one) => Number.isFinite(one) && one >= 0 && one < 1e15) ? '' : 'a threshold'
  ].filter((name) => name !== '')
  if (wrong.length > 0) throw new KeyturnError('invalid/query', `what is asked cannot be asked: ${wrong.join(', ')}`)
  return asked
}

const isWhole = (value: number, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && value >= least && value <= most

/** A name of the IANA database: the query services know the same. */
const isNamedZone = (zone: string): boolean => /^[A-Za-z][\w+-]{0,31}(\/[A-Za-z][\w+-]{0,31}){0,2}$/.test(zone) && isZone(zone)

/** Names of operations, by what they are. */
export function namesByKind(
  operations: Iterable<readonly [name: string, { readonly kind: string }]>
): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>()
  for (const [name, { kind }] of operations) names.set(kind, [...(names.get(kind) ?? []), name])
  return names
}

/** A name out of the settings that is written into a query. Throws `invalid/query`. */
export function checkedName(name: string, form: RegExp, what: string): string {
  if (!form.test(name)) throw new KeyturnError('invalid/query', `${what} is not one`)
  return name
}
