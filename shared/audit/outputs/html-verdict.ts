import type { BySeverity, Coverage, Summary } from '../summary.ts'
import { grouped, many } from './html-words.ts'

/** `calm` is said only where nothing is missing: little seen is not the same as nothing wrong. */
export type Tone = 'critical' | 'high' | 'medium' | 'thin' | 'calm'

export interface Verdict {
  readonly tone: Tone
  /** One sentence. */
  readonly text: string
  /** Why the answer is thin, each a few words; empty: it is not. */
  readonly thin: readonly string[]
}

export function verdictOf(summary: Summary): Verdict {
  const thin = thinnessOf(summary)
  const counts = countsOf(summary.findings)
  const late = lateOf(summary)
  if (counts.critical > 0) {
    const rest = counts.high > 0 ? `, and ${grouped(counts.high)} of high severity` : ''
    return { tone: 'critical', text: `${many(counts.critical, 'critical finding')} to act on now${rest}.`, thin }
  }
  if (counts.high > 0) return { tone: 'high', text: `${many(counts.high, 'finding')} of high severity to look at today.`, thin }
  if (counts.medium + counts.low > 0)
    return {
      tone: 'medium',
      text: `Nothing urgent: ${many(counts.medium + counts.low, 'finding')} of medium or low severity.`,
      thin
    }
  if (late.length > 0) return { tone: 'medium', text: `Nothing unusual was found, but ${late.join(', ')}.`, thin }
  if (thin.length > 0) return { tone: 'thin', text: 'Nothing was found, and too little was seen to call that good.', thin }
  return { tone: 'calm', text: 'Nothing unusual was found in what was read, and nothing is overdue.', thin }
}

export function countsOf(findings: Summary['findings']): BySeverity {
  const counts = { low: 0, medium: 0, high: 0, critical: 0 }
  for (const { severity } of findings) counts[severity]++
  return counts
}

/** Rows of the reports that somebody has to do something about. */
export const isLate = ({ state }: Summary['rotation'][number]): boolean => ['overdue', 'failing', 'never'].includes(state)
export const isDrift = ({ state }: Summary['drift'][number]): boolean => state === 'changed' || state === 'unreviewed'

function lateOf({ rotation, drift, orphans }: Summary): readonly string[] {
  const late = rotation.filter(isLate).length
  const drifted = drift.filter(isDrift).length
  return [
    ...(late > 0 ? [`${many(late, 'rotation')} ${late === 1 ? 'is' : 'are'} overdue`] : []),
    ...(drifted > 0 ? [`${many(drifted, 'policy', 'policies')} changed without a review`] : []),
    ...(orphans.length > 0 ? [`${many(orphans.length, 'secret')} ${orphans.length === 1 ? 'is' : 'are'} not used`] : [])
  ]
}

function thinnessOf({ coverage }: Summary): readonly string[] {
  const silent = coverage.sources.filter(({ problem }) => problem !== undefined).length
  return [
    ...(coverage.events === 0 ? ['no event was read'] : []),
    ...(coverage.learning.length > 0 ? [learningText(coverage)] : []),
    ...(silent > 0 ? [`${many(silent, 'source')} could not be read in full`] : []),
    ...(coverage.malformed > 0 ? [`${many(coverage.malformed, 'damaged record')}`] : []),
    ...(coverage.gaps.length > 0 ? [`${many(coverage.gaps.length, 'gap')} in the logs`] : [])
  ]
}

const learningText = ({ learning }: Coverage): string =>
  learning.length === 1 ? 'one signal is still learning' : `${learning.length} signals are still learning`
