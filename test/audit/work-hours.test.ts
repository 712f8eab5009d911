import { describe, expect, test } from 'vitest'
import { HOUR_MS, noHours } from '../../shared/audit/hours.ts'
import { AUDIT_DEFAULTS, type AuditSettings } from '../../shared/audit/settings.ts'
import { isUsualHour, workCalendar } from '../../shared/audit/work-hours.ts'

const hour = (text: string) => Date.parse(text) / HOUR_MS
const calendar = (more: Partial<AuditSettings>) => workCalendar({ ...AUDIT_DEFAULTS, ...more })

describe('when people work', () => {
  test.each([
    ['UTC', '2026-06-01T06:00Z', false],
    ['UTC', '2026-06-01T07:00Z', true],
    ['UTC', '2026-06-01T18:00Z', true],
    ['UTC', '2026-06-01T19:00Z', false],
    ['UTC', '2026-06-06T12:00Z', false],
    // Central Europe: an hour before UTC in winter, two in summer, which begins on 29 March and ends on 25 October 2026.
    ['Europe/Berlin', '2026-03-27T06:00Z', true],
    ['Europe/Berlin', '2026-03-27T05:00Z', false],
    ['Europe/Berlin', '2026-03-30T05:00Z', true],
    ['Europe/Berlin', '2026-03-30T17:00Z', false],
    ['Europe/Berlin', '2026-10-23T05:00Z', true],
    ['Europe/Berlin', '2026-10-26T05:00Z', false],
    ['Europe/Berlin', '2026-10-26T17:00Z', true],
    // Where it is Monday already, or Friday still.
    ['Pacific/Auckland', '2026-05-31T20:00Z', true],
    ['America/Los_Angeles', '2026-06-06T01:00Z', true],
    ['America/Los_Angeles', '2026-06-06T02:00Z', false],
    // Half an hour off: an hour of UTC is judged by its beginning.
    ['Asia/Kolkata', '2026-06-01T02:00Z', true],
    ['Asia/Kolkata', '2026-06-01T01:00Z', false]
  ])('in %s: %s is %s', (zone, time, isWork) => {
    expect(calendar({ zone }).isWork(hour(time))).toBe(isWork)
    expect(calendar({ zone }).isWork(hour(time)), 'asked again').toBe(isWork)
  })

  test('a holiday is none, by the calendar of the zone', () => {
    const inTokyo = calendar({ zone: 'Asia/Tokyo', holidays: ['2026-05-05'] })
    expect(
      ['2026-05-04T03:00Z', '2026-05-04T23:00Z', '2026-05-05T03:00Z', '2026-05-05T23:00Z'].map((time) =>
        inTokyo.isWork(hour(time))
      )
    ).toEqual([true, false, false, true])
    expect(inTokyo.day(hour('2026-05-04T23:00Z'))).toBe('2026-05-05')
  })

  test('days and hours are as they are set, and said in words', () => {
    const shifts = calendar({ workDays: [7, 1], workHours: [0, 24] })
    expect(['2026-06-07T00:00Z', '2026-06-08T23:00Z', '2026-06-09T00:00Z'].map((time) => shifts.isWork(hour(time)))).toEqual([
      true,
      true,
      false
    ])
    expect(shifts.text).toBe('0:00 to 24:00 on Sun, Mon in UTC')
  })

  test('a zone that is none is refused', () => {
    expect(() => calendar({ zone: 'Europe/Nowhere' })).toThrow(RangeError)
  })
})

test('an hour is usual where three of the five weeks before had it', () => {
  const now = hour('2026-06-01T22:00Z')
  const seen = (...weeks: readonly number[]) => {
    const hours = weeks.map((week) => now - week * 168).sort((a, b) => a - b)
    return { ...noHours(), hours, counts: hours.map(() => 1) }
  }
  expect(isUsualHour(seen(1, 2, 3), now)).toBe(true)
  expect(isUsualHour(seen(1, 4, 5), now)).toBe(true)
  expect(isUsualHour(seen(0, 1, 2), now)).toBe(false)
  expect(isUsualHour(seen(1, 2, 6), now)).toBe(false)
  expect(isUsualHour({ hours: [now - 1, now + 1].flatMap((at) => [at - 336, at - 168]), counts: [1, 1, 1, 1] }, now)).toBe(false)
})
