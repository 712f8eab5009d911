import { LIVES } from '../count-parts.ts'
import { finding } from '../findings.ts'
import type { Signal } from '../signal.ts'
import type { IssuerTally } from '../tally.ts'

const SIGNAL = {
  name: 'long-ttl',
  question: 'Was a token given out that lives unusually long, or for ever?',
  severity: 'medium',
  technique: 'T1550.001',
  todo: 'Revoke it, and give the role or the auth method a shorter maximum; what must live long should be renewed instead.'
} as const

export const longTtl: Signal = {
  ...SIGNAL,
  judge: ({ all, fresh, settings }) =>
    [...fresh.issuers].flatMap(([key, { issuer, store, account, long }]) => {
      const usual = usualSeconds(all.issuers.get(key))
      const ceiling = settings.longTtlSeconds[store]
      return [...long.values()]
        .filter(({ ttlSeconds }) => usual === undefined || ttlSeconds > usual)
        .map(({ identity, span, ttlSeconds }) =>
          finding(SIGNAL, {
            subject: { identity: identity.key, identityName: identity.name, source: issuer },
            store,
            account,
            span,
            title: `${issuer} gave ${identity.name} a token ${ttlSeconds === Number.POSITIVE_INFINITY ? 'that never ends' : `of ${hours(ttlSeconds)}`}`,
            why: `The longest of ${span.count} lives ${ttlSeconds === Number.POSITIVE_INFINITY ? 'until it is revoked' : hours(ttlSeconds)}; more than ${hours(ceiling)} is long${usual === undefined ? '' : `, and 99 of 100 tokens from there live at most ${hours(usual)}`}.`,
            severity: ttlSeconds === Number.POSITIVE_INFINITY ? 'high' : 'medium',
            compared: { observed: ttlSeconds, usual, unit: 's' },
            what: account
          })
        )
    })
}

const hours = (seconds: number): string =>
  seconds < 7_200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3_600)} hours`

/** At most so long live 99 of 100 tokens; undefined: fewer than 50 were seen, or those without end are usual. */
function usualSeconds(issuer: IssuerTally | undefined): number | undefined {
  const lives = issuer?.lives ?? []
  const total = lives.reduce((sum, count) => sum + count, 0)
  if (total < 50) return undefined
  const place = lives.findIndex((_, at) => lives.slice(0, at + 1).reduce((sum, count) => sum + count, 0) >= total * 0.99)
  return place === LIVES - 1 ? undefined : 2 ** place
}
