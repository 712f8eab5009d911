import { finding, minute } from '../findings.ts'
import { HOUR_MS } from '../hours.ts'
import type { Signal } from '../signal.ts'
import { judgedHours } from '../volume.ts'

const SIGNAL = {
  name: 'read-volume',
  question: 'Was a secret read more than three times as often in an hour as it usually is in such an hour?',
  severity: 'medium',
  technique: 'T1555.006',
  todo: 'Look who read it in that hour. A new release reads more; a thief too. Rotate it if nobody can say.'
} as const

export const readVolume: Signal = {
  ...SIGNAL,
  judge: (view) =>
    [...view.fresh.secrets.values()].flatMap(({ secret, reads }) => {
      const known = view.all.secrets.get(secret.key)
      if (!known) return []
      const fresh = new Set(reads.hours)
      return judgedHours(known, view.all, view.settings)
        .filter(({ hour, isTooMany }) => isTooMany && fresh.has(hour))
        .map(({ hour, count, usual = 0 }) =>
          finding(SIGNAL, {
            subject: { secret: secret.key, secretName: secret.name },
            store: secret.store,
            account: secret.account,
            span: { first: hour * HOUR_MS, last: (hour + 1) * HOUR_MS - 1, count, evidence: [] },
            title: `${secret.name} was read ${count} times in an hour`,
            why: `In the hour from ${minute(hour * HOUR_MS)} it was read ${count} times; in such an hour it is usually read ${round(usual)} times.`,
            severity: count > 10 * Math.max(usual, 1) ? 'high' : 'medium',
            compared: { observed: count, usual, unit: 'reads an hour' }
          })
        )
    })
}

const round = (value: number): number => Math.round(value * 10) / 10
