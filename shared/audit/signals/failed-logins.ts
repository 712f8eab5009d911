import { isIn, judged } from '../burst.ts'
import { burstThresholds } from '../count.ts'
import { finding, minute, plural } from '../findings.ts'
import { BUCKET_MS } from '../peaks.ts'
import type { Signal } from '../signal.ts'

const SIGNAL = {
  name: 'failed-logins',
  question: 'Did five or more logins from one address fail within ten minutes?',
  severity: 'medium',
  technique: 'T1110',
  todo: 'Block the address if it is not your own; where a login succeeded afterwards, treat that account as taken over.'
} as const

export const failedLogins: Signal = {
  ...SIGNAL,
  judge: ({ all, fresh, settings }) => {
    const threshold = burstThresholds(settings).failures
    return [...fresh.addresses].flatMap(([address, { failures }]) => {
      const known = all.addresses.get(address)
      if (failures.buckets.length === 0 || !known) return []
      return judged(known.failures, threshold)
        .peaks.filter((peak) => isIn(failures, peak))
        .map(({ span, distinct, from }) => {
          const isIn = known.lastLogin >= span.first
          return finding(SIGNAL, {
            subject: { address },
            span,
            title: `${span.count} logins from ${address} failed within ten minutes`,
            why: `${span.count} failed from ${minute(span.first)} on, for ${plural(distinct, 'different account')}${isIn ? `; a login from there was taken at ${minute(known.lastLogin)}` : ''}.`,
            severity: isIn ? 'critical' : distinct >= 5 ? 'high' : 'medium',
            compared: { observed: span.count, usual: undefined, unit: 'failed logins in 10 minutes' },
            when: from * BUCKET_MS
          })
        })
    })
  }
}
