import { describe, expect, test } from 'vitest'
import { htmlReport } from '../../shared/audit/outputs/html.ts'
import { verdictOf } from '../../shared/audit/outputs/html-verdict.ts'
import type { Coverage, Summary } from '../../shared/audit/summary.ts'
import { coldSummary, sampleSummary } from './sample-summary.ts'

const full: Coverage = { ...sampleSummary().coverage, sources: [], malformed: 0, damage: [], learning: [], gaps: [] }

/** Nothing found, nothing late, nothing missing. */
const quiet: Summary = { ...sampleSummary(), coverage: full, findings: [], rotation: [], drift: [], orphans: [] }

const only = (...severities: readonly string[]): Summary['findings'] =>
  sampleSummary().findings.filter(({ severity }) => severities.includes(severity))

describe('the verdict', () => {
  test('is calm where everything was seen and nothing found', () => {
    expect(verdictOf(quiet)).toEqual({
      tone: 'calm',
      text: 'Nothing unusual was found in what was read, and nothing is overdue.',
      thin: []
    })
  })

  const THIN: readonly (readonly [string, Partial<Coverage>])[] = [
    ['no event was read', { events: 0 }],
    ['one signal is still learning', { learning: [{ signal: 'read-volume', until: 0, why: '' }] }],
    ['1 source could not be read in full', { sources: [{ ...sampleSummary().coverage.sources[0], problem: 'x' }] as never }],
    ['2 damaged records', { malformed: 2 }],
    ['1 gap in the logs', { gaps: [{ code: 'no-reads', text: '' }] }]
  ]
  test.each(THIN)('is never calm where %s', (why, part) => {
    const verdict = verdictOf({ ...quiet, coverage: { ...full, ...part } })
    expect(verdict).toMatchObject({ tone: 'thin', thin: [why] })
    expect(verdict.text).toBe('Nothing was found, and too little was seen to call that good.')
  })

  test('names what is missing beside what was found too', () => {
    expect(verdictOf(sampleSummary()).thin).toEqual([
      '2 signals are still learning',
      '1 source could not be read in full',
      '7 damaged records',
      '4 gaps in the logs'
    ])
  })

  test('is of the worst finding', () => {
    expect(verdictOf({ ...quiet, findings: only('critical', 'high') }).text).toBe(
      '5 critical findings to act on now, and 7 of high severity.'
    )
    expect(verdictOf({ ...quiet, findings: only('critical').slice(0, 1) }).text).toBe('1 critical finding to act on now.')
    expect(verdictOf({ ...quiet, findings: only('high', 'low') }).tone).toBe('high')
    expect(verdictOf({ ...quiet, findings: only('medium', 'low') }).text).toBe(
      'Nothing urgent: 28 findings of medium or low severity.'
    )
  })

  test('is not calm where something is late', () => {
    const { rotation, drift, orphans } = sampleSummary()
    expect(verdictOf({ ...quiet, rotation, drift, orphans })).toMatchObject({
      tone: 'medium',
      text: 'Nothing unusual was found, but 12 rotations are overdue, 4 policies changed without a review, 5 secrets are not used.'
    })
  })

  test('has the colour of calm on no page but a calm one', () => {
    const about = { title: 'x', version: '0', generatedAt: 0 }
    expect(htmlReport(quiet, about)).toContain('class="verdict calm"')
    expect(htmlReport(coldSummary(), about)).toContain('class="verdict thin"')
    expect(htmlReport(coldSummary(), about)).not.toMatch(/class="[^"]*\bcalm\b/)
  })
})
