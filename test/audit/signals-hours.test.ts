import { describe, expect, test } from 'vitest'
import { DAY, daily, event, findings, HOUR, MINUTE, MONDAY, many, person } from './events.ts'

describe('off-hours', () => {
  const ann = person('ann')
  const night = MONDAY + DAY + 22 * HOUR + 5 * MINUTE

  test('what a person does outside working hours is told once a day', () => {
    const events = [...many(3, { at: night, who: ann, every: MINUTE }), event({ at: night + HOUR, who: ann })]
    const [one, ...more] = findings('off-hours', events)
    expect(one).toMatchObject({
      severity: 'low',
      title: 'ann was at work outside working hours on 2026-06-02',
      why: '4 calls in 2 hours between 2026-06-02 22:00 UTC and 2026-06-03 00:00 UTC; working hours are 7:00 to 19:00 on Mon, Tue, Wed, Thu, Fri in UTC.',
      subject: { identity: 'aws:ann', identityName: 'ann' },
      count: 4,
      technique: 'T1078',
      todo: expect.stringContaining('Ask the person')
    })
    expect(more).toEqual([])
  })

  test('a night that is read in two runs is one finding, and two nights are two', () => {
    const [first, second, next] = [0, HOUR, DAY].map((ms) => findings('off-hours', [event({ at: night + ms, who: ann })])[0]?.id)
    expect(first).toBe(second)
    expect(first).not.toBe(next)
  })

  test.each([
    ['in the first hour of work', MONDAY + 7 * HOUR, 0],
    ['a moment before it', MONDAY + 7 * HOUR - 1, 1],
    ['in the last moment of work', MONDAY + 19 * HOUR - 1, 0],
    ['after it', MONDAY + 19 * HOUR, 1],
    ['on a Saturday', MONDAY + 5 * DAY + 12 * HOUR, 1]
  ])('%s (%i): %i findings', (_, at, count) => {
    expect(findings('off-hours', [event({ at, who: ann })])).toHaveLength(count)
  })

  test('an hour that is usual for this person is none: three of the five weeks before', () => {
    const at = night + 5 * 7 * DAY
    const weeks = (some: readonly number[]) => some.map((week) => event({ at: at - week * 7 * DAY, who: ann }))
    const fresh = [event({ at, who: ann })]
    expect(findings('off-hours', fresh, { history: weeks([1, 3, 5]) })).toEqual([])
    expect(findings('off-hours', fresh, { history: weeks([1, 3]) })).toHaveLength(1)
    expect(
      findings('off-hours', fresh, { history: weeks([1, 3]).concat(event({ at: at - 14 * DAY, who: person('bob') })) })
    ).toHaveLength(1)
  })

  test('a program has no working hours', () => {
    expect(findings('off-hours', [event({ at: night })])).toEqual([])
  })
})

describe('read-volume', () => {
  /** Weekdays of four weeks, so many reads from noon on. */
  const weeks = (reads: number) =>
    daily(28, MONDAY, (at) => (new Date(at).getUTCDay() % 6 === 0 ? [] : many(reads, { at: at + 12 * HOUR, every: 10_000 })))
  const noon = MONDAY + 28 * DAY + 12 * HOUR

  test('a secret that is read more than three times as often as in the same hour of other weekdays is told', () => {
    expect(findings('read-volume', many(30, { at: noon }), { history: weeks(5) })).toMatchObject([
      {
        severity: 'medium',
        title: 'app/db was read 30 times in an hour',
        why: 'In the hour from 2026-06-29 12:00 UTC it was read 30 times; in such an hour it is usually read 5 times.',
        subject: { secret: 'aws:111122223333/app/db', secretName: 'app/db' },
        account: '111122223333',
        first: noon,
        last: noon + HOUR - 1,
        count: 30,
        observed: 30,
        usual: 5,
        unit: 'reads an hour',
        technique: 'T1555.006',
        todo: expect.stringContaining('Look who read it in that hour')
      }
    ])
    expect(findings('read-volume', many(51, { at: noon }), { history: weeks(5) })).toMatchObject([{ severity: 'high' }])
    expect(findings('read-volume', many(50, { at: noon }), { history: weeks(5) })).toMatchObject([{ severity: 'medium' }])
  })

  test.each([
    ['three times what is usual is not more than three times', 100, 300, 0],
    ['a read more is', 100, 301, 1],
    ['four times of little is chance (Anscombe), z = 2.7', 2, 8, 0],
    ['z = 3.9', 5, 18, 0],
    ['z = 4.1', 5, 19, 1],
    ['nothing is usual, and six reads are chance: z = 3.8', 0, 6, 0],
    ['nothing is usual: z = 4.2', 0, 7, 1]
  ])('%s: usually %i, now %i', (_, usual, now, count) => {
    // One read keeps the secret, and another secret the store, known.
    const known = [event({ at: MONDAY }), ...daily(28, MONDAY, (at) => event({ at, secret: 'other' })), ...weeks(usual)]
    expect(findings('read-volume', many(now, { at: noon }), { history: known })).toHaveLength(count)
  })

  test('as many an hour later than they usually come are too many', () => {
    expect(findings('read-volume', many(20, { at: noon }), { history: weeks(20) })).toEqual([])
    expect(findings('read-volume', many(20, { at: noon + HOUR }), { history: weeks(20) })).toMatchObject([{ usual: 0 }])
  })

  test('before ten days of the same kind were seen it is learned', () => {
    const days = (count: number) => daily(count, MONDAY, (at) => event({ at: at + 12 * HOUR }))
    const at = (day: number) => many(500, { at: MONDAY + day * DAY + 12 * HOUR })
    // Eleven days have nine weekdays, twelve have ten.
    expect(findings('read-volume', at(11), { history: days(11) })).toEqual([])
    expect(findings('read-volume', at(14), { history: days(12) })).toHaveLength(1)
    expect(findings('read-volume', at(12), { history: days(12) })).toEqual([])
  })

  test('hours of an earlier run are not told again', () => {
    const history = [...weeks(5), ...many(30, { at: noon })]
    expect(findings('read-volume', [event({ at: noon + HOUR })], { history })).toEqual([])
  })
})
