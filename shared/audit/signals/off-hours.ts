import { finding, minute, plural } from '../findings.ts'
import { HOUR_MS } from '../hours.ts'
import type { Signal } from '../signal.ts'
import { isUsualHour, workCalendar } from '../work-hours.ts'

const SIGNAL = {
  name: 'off-hours',
  question: 'Did a person act outside working hours, and is that not usual for this person?',
  severity: 'low',
  technique: 'T1078',
  todo: 'Ask the person. On call is a reason; a session that somebody else uses is not.'
} as const

export const offHours: Signal = {
  ...SIGNAL,
  judge: ({ all, fresh, settings }) => {
    const calendar = workCalendar(settings)
    return [...fresh.identities.values()].flatMap(({ identity, hours, store }) => {
      const known = all.identities.get(identity.key)
      if (!known) return []
      const odd = hours.hours.flatMap((hour, at) =>
        calendar.isWork(hour) || isUsualHour(known.hours, hour)
          ? []
          : [{ hour, count: hours.counts[at] ?? 0, day: calendar.day(hour) }]
      )
      return [...new Set(odd.map(({ day }) => day))].map((day) => {
        const some = odd.filter((one) => one.day === day)
        const [first, last] = [some[0]?.hour ?? 0, some.at(-1)?.hour ?? 0]
        const count = some.reduce((sum, one) => sum + one.count, 0)
        return finding(SIGNAL, {
          subject: { identity: identity.key, identityName: identity.name },
          store,
          span: { first: first * HOUR_MS, last: (last + 1) * HOUR_MS - 1, count, evidence: [] },
          title: `${identity.name} was at work outside working hours on ${day}`,
          why: `${plural(count, 'call')} in ${plural(some.length, 'hour')} between ${minute(first * HOUR_MS)} and ${minute((last + 1) * HOUR_MS)}; working hours are ${calendar.text}.`,
          when: Date.parse(day)
        })
      })
    })
  }
}
