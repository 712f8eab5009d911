import { DAY_MS } from '../../duration.ts'
import { finding, minute } from '../findings.ts'
import type { Signal } from '../signal.ts'

const SIGNAL = {
  name: 'source-silent',
  question: 'Did a source that is usually heard fall silent?',
  severity: 'high',
  technique: 'T1562.008',
  todo: 'Look whether the log is still written and delivered: a device, a trail, a diagnostic setting or a sink may be off.'
} as const

export const sourceSilent: Signal = {
  ...SIGNAL,
  judge: ({ all, now, settings }) =>
    [...all.accounts.values()].flatMap(({ store, account, first, last, count, days }) => {
      const silent = now - last
      const pauseMs = longestPauseMs(days)
      const isKnown = last - first >= settings.learnMs
      if (!isKnown || silent <= Math.max(settings.silentMs, 3 * pauseMs)) return []
      return [
        finding(SIGNAL, {
          subject: { source: `${store} ${account}` },
          store,
          account,
          span: { first: last, last: now, count, evidence: [] },
          title: `nothing was heard of ${store} ${account} since ${minute(last)}`,
          why: `Since ${minute(first)} its longest pause was ${inWords(pauseMs)}; now it is silent for ${inWords(silent)}.`,
          compared: { observed: Math.round(silent / 1_000), usual: Math.round(pauseMs / 1_000), unit: 's' }
        })
      ]
    })
}

/** From an event on one day to one on the next day that had any, at the least. */
const longestPauseMs = (heard: readonly number[]): number =>
  heard.reduce((longest, day, at) => Math.max(longest, day - (heard[at - 1] ?? day) - 1), 0) * DAY_MS

const inWords = (ms: number): string =>
  ms < 2 * DAY_MS ? `${Math.round(ms / 3_600_000)} hours` : `${Math.round(ms / DAY_MS)} days`
