import { scaleLinear, scaleSqrt, scaleUtc } from 'd3-scale'
import { area, curveLinear, curveStep, line } from 'd3-shape'
import { HOUR_MS, KEPT_HOURS } from '../hours.ts'
import type { Charts } from '../summary.ts'
import { html, type Markup, trusted } from './html-markup.ts'
import { leftAway } from './html-table.ts'
import { grouped, many, minuteOf, name } from './html-words.ts'

type Lane = Charts['reads'][number]

/** Every lane is some 20 kB of path. */
const MOST_LANES = 16

const HEIGHT = 56

interface Span {
  readonly from: number
  /** Excluded. */
  readonly to: number
}

/**
 * Reads hour by hour, one lane a secret over one axis of time. The paths are made here by d3-shape and are stretched to the
 * width of the page; what must keep its form, text and marks, is placed in per cent beside them.
 */
export function timelineSection(lanes: readonly Lane[]): Markup {
  const drawn = lanes.filter(({ hours }) => hours.length > 0)
  const shown = [...drawn]
    .sort((a, b) => b.flagged.length - a.flagged.length || sumOf(b.hours) - sumOf(a.hours))
    .slice(0, MOST_LANES)
  if (shown.length === 0) return html`<p class="empty">No secret was read often enough to draw.</p>`
  const span = spanOf(shown)
  return html`<p class="legend"><span><i class="key reads"></i>reads in an hour</span>
<span><i class="key band"></i>usual in such an hour, give or take two standard deviations of a Poisson count</span>
<span><i class="key flag"></i>an hour with a finding</span>
<span>The height grows with the square root, so that ordinary hours stay visible beside a peak.</span></p>
<div class="timeline" id="lanes" data-from="${span.from}" data-hours="${span.to - span.from}">
<div class="lane axis"><div class="name"><span id="hour" class="live">Point at an hour</span></div>
<div class="plot"><svg width="100%" height="20" aria-hidden="true">${ticks(span)}</svg>
<input type="range" class="live" id="hour-range" min="0" max="${span.to - span.from - 1}" value="${span.to - span.from - 1}" step="1" aria-label="Hour of the timeline"></div></div>
${shown.map((lane) => laneOf(lane, span))}
</div>${leftAway(drawn.length - shown.length)}`
}

const sumOf = (hours: Lane['hours']): number => hours.reduce((sum, [, reads]) => sum + reads, 0)

/**
 * Of a log with a hole, or with a date that is far off, no more than the baseline keeps: the last six weeks. Of a short one
 * a day, because one hour alone is no line.
 */
function spanOf(lanes: readonly Lane[]): Span {
  const all = lanes.flatMap(({ hours }) => hours.map(([hour]) => hour))
  const last = all.reduce((latest, hour) => Math.max(latest, hour), 0)
  const first = all.reduce((earliest, hour) => Math.min(earliest, hour), last)
  const to = last + 1 + (last - first < DAY ? 1 : 0)
  return { from: Math.max(Math.min(first, to - DAY), to - KEPT_HOURS), to }
}

const DAY = 24

const percent = (value: number, { from, to }: Span): string => `${Math.round((10_000 * (value - from)) / (to - from)) / 100}%`

/** No text where it would leave the page. */
function ticks(span: Span): readonly Markup[] {
  const format = axisOf(span).tickFormat(TICKS, span.to - span.from > 2 * DAY ? '%-d %b' : '%H:%M')
  return ticksOf(span)
    .filter((at) => !isAtEnd(at.getTime() / HOUR_MS, span))
    .map((at) => html`<text x="${percent(at.getTime() / HOUR_MS, span)}" y="14">${format(at)}</text>`)
}

const TICKS = 7

const axisOf = ({ from, to }: Span) => scaleUtc().domain([from * HOUR_MS, to * HOUR_MS])

/** Of several days only whole ones. */
const ticksOf = (span: Span): readonly Date[] =>
  axisOf(span)
    .ticks(TICKS)
    .filter((at) => span.to - span.from <= 2 * DAY || at.getUTCHours() === 0)

const isAtEnd = (hour: number, { from, to }: Span): boolean => (hour - from) / (to - from) > 0.92

const gridLines = (span: Span): readonly Markup[] =>
  ticksOf(span)
    .map((at) => percent(at.getTime() / HOUR_MS, span))
    .map((x) => html`<line class="grid" x1="${x}" x2="${x}" y1="0" y2="${HEIGHT}"/>`)

function laneOf(lane: Lane, span: Span): Markup {
  const hours = filled(lane.hours, span)
  const peak = hours.reduce((most, [, reads]) => Math.max(most, reads), 0)
  const told = `${many(sumOf(hours), 'read')}, peak ${grouped(peak)}`
  return html`<div class="lane"><div class="name">${name(lane.secretName)}<span class="about">${told}</span><span class="value"></span></div>
<div class="plot" data-first="${(hours[0]?.[0] ?? span.from) - span.from}" data-reads="${numbers(hours, 1)}" data-usual="${numbers(hours, 2)}">
<svg width="100%" height="${HEIGHT}" role="img" aria-label="Reads of ${lane.secretName}: ${told}. ${flagsText(lane)}">${gridLines(span)}${paths(hours, peak, span)}${flagMarks(lane, span)}</svg>
</div></div>
`
}

/** An hour between the first and the last that is not there had no read; nor, so that a line is seen, had the ones around. */
function filled(hours: Lane['hours'], { from, to }: Span): Lane['hours'] {
  const known = new Map(hours.map((point) => [point[0], point]))
  const first = Math.max(from, (hours[0]?.[0] ?? from) - 1)
  const last = Math.min(to - 1, (hours.at(-1)?.[0] ?? from) + 1)
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => known.get(first + at) ?? [first + at, 0, undefined])
}

function paths(hours: Lane['hours'], peak: number, span: Span): Markup {
  const most = hours.reduce((top, [, , usual = 0]) => Math.max(top, usual), Math.max(peak, 1))
  const y = scaleSqrt()
    .domain([0, most])
    .range([HEIGHT - 1, 6])
  const x = scaleLinear().domain([span.from, span.to]).range([0, 1_000])
  type Point = Lane['hours'][number]
  const band = area<Point>()
    .digits(1)
    .defined(([, , usual]) => usual !== undefined)
    .x(([hour]) => x(hour + 0.5))
    .y0(([, , usual = 0]) => y(Math.max(0, usual - 2 * Math.sqrt(usual))))
    .y1(([, , usual = 0]) => y(Math.min(most, usual + 2 * Math.sqrt(usual))))
  const reads = line<Point>()
    .digits(1)
    .curve(hours.length > 10 * DAY ? curveLinear : curveStep)
    .x(([hour]) => x(hour + 0.5))
    .y(([, count]) => y(count))
  return html`<svg viewBox="0 0 1000 ${HEIGHT}" preserveAspectRatio="none" width="100%" height="${HEIGHT}">
<path class="band" d="${trusted(band(hours) ?? '')}"/><path class="reads" d="${trusted(reads(hours) ?? '')}"/></svg>`
}

function flagMarks({ flagged, hours }: Lane, span: Span): readonly Markup[] {
  const reads = new Map(hours.map(([hour, count]) => [hour, count]))
  const within = flagged.filter((hour) => hour >= span.from && hour < span.to)
  const countIn = (hour: number): number => reads.get(hour) ?? 0
  const highest = within.reduce((most, hour) => (countIn(hour) > countIn(most) ? hour : most), within[0] ?? 0)
  return within.map((hour) => {
    const x = percent(hour + 0.5, span)
    const label = html`<text x="${x}" y="9" ${isAtEnd(hour, span) ? html`dx="-8" text-anchor="end"` : html`dx="8"`}>${grouped(countIn(hour))}</text>`
    return html`<g class="flag"><title>${hourText(hour)}: ${many(countIn(hour), 'read')}</title><line x1="${x}" x2="${x}" y1="4" y2="${HEIGHT}"/><circle cx="${x}" cy="4" r="3.5"/>${hour === highest ? label : undefined}</g>`
  })
}

const hourText = (hour: number): string => `${minuteOf(hour * HOUR_MS)} UTC`

function flagsText({ flagged }: Lane): string {
  if (flagged.length === 0) return 'No hour has a finding.'
  return `${many(flagged.length, 'hour has', 'hours have')} a finding: ${flagged.slice(0, 5).map(hourText).join(', ')}${flagged.length > 5 ? ' …' : ''}.`
}

/** For the pointer: one number an hour, empty where there is none. */
const numbers = (hours: Lane['hours'], member: 1 | 2): Markup => trusted(hours.map((point) => point[member] ?? '').join(' '))
