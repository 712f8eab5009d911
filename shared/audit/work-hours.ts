import { countIn, HOUR_MS, type Hours } from './hours.ts'
import type { AuditSettings } from './settings.ts'

/** When people work. */
export interface WorkCalendar {
  /** Of an hour since the epoch. */
  isWork(hour: number): boolean
  /** `2026-07-01`, in the zone. */
  day(hour: number): string
  readonly text: string
}

const NAMES = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** Throws RangeError for a zone that is none. */
export function workCalendar({ zone, workHours: [from, to], workDays, holidays }: AuditSettings): WorkCalendar {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    weekday: 'short'
  })
  const known = new Map<number, { readonly day: string; readonly isWork: boolean }>()
  const local = (hour: number) => {
    const kept = known.get(hour)
    if (kept) return kept
    const parts = Object.fromEntries(format.formatToParts(hour * HOUR_MS).map(({ type, value }) => [type, value]))
    const day = `${parts.year}-${parts.month}-${parts.day}`
    const clock = Number(parts.hour)
    const isWorkDay = workDays.includes(NAMES.indexOf(parts.weekday ?? '') + 1) && !holidays.includes(day)
    const made = { day, isWork: isWorkDay && clock >= from && clock < to }
    known.set(hour, made)
    return made
  }
  const days = workDays.map((day) => NAMES[day - 1]).join(', ')
  return {
    isWork: (hour) => local(hour).isWork,
    day: (hour) => local(hour).day,
    text: `${from}:00 to ${to}:00 on ${days} in ${zone}`
  }
}

/** Seen in the same hour of the week in three of the five weeks before: then it is this person's habit. */
export function isUsualHour(hours: Hours, hour: number): boolean {
  const weeks = [1, 2, 3, 4, 5].filter((week) => countIn(hours, hour - week * 168) > 0)
  return weeks.length >= 3
}
