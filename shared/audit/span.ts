import { EVIDENCE } from './finding.ts'

/** Of events that are alike: how many, since when, until when, and which were the first. */
export interface Span {
  first: number
  last: number
  count: number
  evidence: string[]
}

/** Of none yet. */
export const noSpan = (): Span => ({
  first: Number.POSITIVE_INFINITY,
  last: Number.NEGATIVE_INFINITY,
  count: 0,
  evidence: []
})

export const spanOf = (at: number, id: string): Span => ({ first: at, last: at, count: 1, evidence: [id] })

export function extend(span: Span, at: number, id: string): void {
  span.count++
  if (at > span.last) span.last = at
  if (at < span.first) {
    span.first = at
    span.evidence.unshift(id)
    if (span.evidence.length > EVIDENCE) span.evidence.pop()
  } else if (span.evidence.length < EVIDENCE) span.evidence.push(id)
}

/** The evidence of the earlier one comes first, whichever is given first. */
export function joined(a: Span, b: Span): Span {
  const [early, late] =
    a.first < b.first || (a.first === b.first && (a.evidence[0] ?? '') <= (b.evidence[0] ?? '')) ? [a, b] : [b, a]
  return {
    first: early.first,
    last: Math.max(a.last, b.last),
    count: a.count + b.count,
    evidence: [...new Set([...early.evidence, ...late.evidence])].slice(0, EVIDENCE)
  }
}
