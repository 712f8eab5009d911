/** Once a day, off the hour. Every secret is looked at; those with a window of their own want a schedule that meets it. */
export const DAILY = '0 17 3 * * *'

/**
 * The schedule to register. Not `%KEYTURN_SCHEDULE%`: the host does not index a function whose setting is missing, nor one
 * whose expression it cannot read, and a sweep that is not there fails for nobody to see. So a missing or a bad one is the
 * daily one here, and a bad one is `invalid/config` at each event.
 */
export function scheduleOf({ KEYTURN_SCHEDULE }: Readonly<Record<string, string | undefined>>): string {
  return KEYTURN_SCHEDULE && isSchedule(KEYTURN_SCHEDULE) ? KEYTURN_SCHEDULE : DAILY
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ')
const DAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ')

/** Second, minute, hour, day, month, day of the week: azure-functions/functions-bindings-timer, "NCRONTAB expressions". */
const FIELDS: readonly (readonly [from: number, to: number, names?: readonly string[]])[] = [
  [0, 59],
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12, MONTHS],
  [0, 6, DAYS]
]

/** Six fields, each a list of `*`, a number or name, or a range, with or without a step. */
export function isSchedule(text: string): boolean {
  const fields = text.trim().split(/\s+/)
  return (
    fields.length === FIELDS.length && FIELDS.every((rule, i) => (fields[i] ?? '').split(',').every((part) => fits(part, rule)))
  )
}

function fits(part: string, [from, to, names = []]: (typeof FIELDS)[number]): boolean {
  const [, first = '', last, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part) ?? []
  if (step !== undefined && Number(step) < 1) return false
  if (first === '*') return last === undefined
  const [low, high] = [first, last ?? first].map((value) => numberOf(value, from, names))
  return low !== undefined && high !== undefined && low >= from && high <= to && low <= high
}

function numberOf(value: string, from: number, names: readonly string[]): number | undefined {
  // A name may be cut, as in NCrontab itself; its shortest form in use has three letters.
  const named = value.length < 3 ? -1 : names.findIndex((name) => name.startsWith(value.toLowerCase()))
  return named >= 0 ? named + from : /^\d+$/.test(value) ? Number(value) : undefined
}
