import { describe, expect, test } from 'vitest'
import { AUDIT_DEFAULTS } from '../../shared/audit/settings.ts'
import type { Tally } from '../../shared/audit/tally.ts'
import { judgedHours } from '../../shared/audit/volume.ts'
import { counted, DAY, daily, event, HOUR, MONDAY, many } from './events.ts'

const WEEKS = 5
const NOON = 12 * HOUR
const SECRET = 'aws:111122223333/app/db'

const judge = (tally: Tally, everyHour = true) => {
  const secret = tally.secrets.get(SECRET)
  if (!secret) throw new Error('there is no such secret')
  return judgedHours(secret, tally, AUDIT_DEFAULTS, everyHour)
}
/** What is said of the hour at a time. */
const at = (tally: Tally, time: number) => judge(tally).find(({ hour }) => hour === Math.floor(time / HOUR))

/** As many reads at noon as `readsOn` says of each day; another secret is read every day. */
const days = (count: number, readsOn: (day: number) => number) =>
  daily(count, MONDAY, (start) => [
    event({ at: start, secret: 'other' }),
    ...many(readsOn((start - MONDAY) / DAY), { at: start + NOON })
  ])
const isWeekend = (day: number) => day % 7 >= 5

describe('what is usual in an hour', () => {
  test('is the median of the same hour of the six weeks before, of weekdays and weekends apart', () => {
    const log = days(7 * WEEKS + 7, (day) => (isWeekend(day) ? 2 : 10 + (day % 5)))
    expect(at(counted(log), MONDAY + 35 * DAY + NOON)?.usual).toBe(12)
    expect(at(counted(log), MONDAY + 40 * DAY + NOON)?.usual).toBe(2)
  })

  test('of an even number is the mean of the middle ones', () => {
    const log = days(15, (day) => (day < 7 ? 4 : 7))
    expect(at(counted(log), MONDAY + 14 * DAY + NOON)?.usual).toBe(5.5)
  })

  test('counts hours without a read as 0, from the day on that the secret is known, and where the store was heard', () => {
    const sparse = days(22, (day) => (day < 4 || day === 21 ? 6 : 0))
    expect(at(counted(sparse), MONDAY + 21 * DAY + NOON)?.usual).toBe(0)
    const late = days(40, (day) => (day < 20 ? 0 : 6))
    expect(at(counted(late), MONDAY + 39 * DAY + NOON)?.usual).toBe(6)
    const unheard = sparse.filter((one) => one.secret?.name === 'app/db' || one.at > MONDAY + 20 * DAY)
    expect(at(counted(unheard), MONDAY + 21 * DAY + NOON)?.usual, 'four days are not enough').toBeUndefined()
  })

  test('is of the store’s own account: days on which only another one was heard do not count', () => {
    const log = days(22, (day) => (day < 4 || day === 21 ? 6 : 0)).map((one) =>
      one.secret?.name === 'other' ? { ...one, account: 'another' } : one
    )
    expect(at(counted(log), MONDAY + 21 * DAY + NOON)?.usual).toBeUndefined()
  })

  test('is not taught by an attack that goes on for longer than was calm before: each of its days is too many', () => {
    const log = days(42, (day) => (day < 14 ? 5 : 100))
    const attack = judge(counted(log)).filter(({ hour }) => hour >= (MONDAY + 14 * DAY) / HOUR)
    const weekdays = attack.filter(({ hour }) => !isWeekend(Math.floor(hour / 24) - MONDAY / DAY))
    expect(weekdays.map(({ usual, isTooMany }) => [usual, isTooMany])).toEqual(Array(20).fill([5, true]))
  })

  test('is not asked of what is older than six weeks', () => {
    const log = days(64, (day) => (day < 20 ? 50 : 5))
    expect(at(counted(log), MONDAY + 63 * DAY + NOON)?.usual).toBe(5)
    const longAgo = days(64, (day) => (day < 20 ? 50 : day === 63 ? 5 : 0)).filter(
      (one) => one.at < MONDAY + 20 * DAY || one.at > MONDAY + 62 * DAY
    )
    expect(at(counted(longAgo), MONDAY + 63 * DAY + NOON)?.usual, 'only one day of the six weeks was heard').toBeUndefined()
  })
})

describe('judging', () => {
  /** How often a list of days is looked into. */
  function watched(tally: Tally): { readonly tally: Tally; readonly looks: () => number } {
    let looks = 0
    const accounts = new Map(
      [...tally.accounts].map(([key, account]) => {
        const days = new Proxy(account.days, {
          get: (days, member) => {
            if (member === 'slice') looks++
            return Reflect.get(days, member)
          }
        })
        return [key, { ...account, days }] as const
      })
    )
    return { tally: { ...tally, accounts }, looks: () => looks }
  }

  test('a thousand hours that cannot be too many looks up nothing; one more read and it is looked up', () => {
    const hours = (reads: number) => counted(many(1_000 * reads, { at: MONDAY, every: HOUR / reads }))
    const [few, more] = [watched(hours(6)), watched(hours(7))]
    expect(judge(few.tally, false).every(({ isTooMany, usual }) => !isTooMany && usual === undefined)).toBe(true)
    expect(few.looks()).toBe(0)
    expect(judge(more.tally, false)).toHaveLength(1_000)
    expect(more.looks()).toBe(1_000)
  })

  test('says the same of what is too many, whether every hour is worked out or not', () => {
    const log = days(42, (day) => (day % 9 === 8 ? 40 : day % 4))
    const tooMany = (everyHour: boolean) =>
      judge(counted(log), everyHour).flatMap(({ hour, isTooMany }) => (isTooMany ? [hour] : []))
    expect(tooMany(false)).toEqual(tooMany(true))
    expect(tooMany(true).length).toBeGreaterThan(1)
  })
})
