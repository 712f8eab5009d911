import { EVIDENCE } from '../finding.ts'
import { finding, minute } from '../findings.ts'
import type { Signal } from '../signal.ts'
import { joined } from '../span.ts'

const SIGNAL = {
  name: 'same-address-two-stores',
  question: 'Did one address read secrets in two stores, and never before?',
  severity: 'medium',
  technique: 'T1555.006',
  todo: 'An office or a build farm does so every day; a new one that does is to be looked at.'
} as const

export const sameAddressTwoStores: Signal = {
  ...SIGNAL,
  judge: ({ all, fresh, settings }) => {
    const began = Math.min(...[...all.accounts.values()].map(({ first }) => first))
    return [...fresh.addresses].flatMap(([address, { reads }]) => {
      const known = all.addresses.get(address)
      const spans = [...(known?.reads ?? [])].sort(([, a], [, b]) => a.first - b.first)
      const [, second] = spans
      const isFresh = second !== undefined && reads.get(second[0])?.first === second[1].first
      if (!isFresh || second[1].first - began < settings.learnMs) return []
      const evidence = spans.flatMap(([, { evidence }]) => evidence.slice(0, 2)).slice(0, EVIDENCE)
      return [
        finding(SIGNAL, {
          subject: { address },
          span: { ...spans.map(([, span]) => span).reduce(joined), evidence },
          title: `${address} read secrets in ${spans.map(([store]) => store).join(' and ')}`,
          why: `It read in ${spans.map(([store, span]) => `${store} ${span.count} times since ${minute(span.first)}`).join(', and in ')}.`,
          when: second[1].first
        })
      ]
    })
  }
}
