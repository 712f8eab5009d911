import { scaleQuantize } from 'd3-scale'
import type { Charts } from '../summary.ts'
import { html, type Markup } from './html-markup.ts'
import { grouped, many, name } from './html-words.ts'

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
const CLOCK = Array.from({ length: 24 }, (_, hour) => hour)

/** Shades above none. */
const SHADES = 6

/** When people and when programs read, each in shades of its own: programs read a hundred times as often. */
export const weekSection = ({ zone, people, others }: Charts['week']): Markup =>
  html`<p class="note">Hours are those of ${name(zone)}. Each map has a scale of its own.</p>
<div class="weeks">${weekMap('people', 'People', people)}${weekMap('others', 'Programs and services', others)}</div>`

function weekMap(kind: string, label: string, counts: readonly number[]): Markup {
  const most = counts.reduce((top, count) => Math.max(top, count), 0)
  const shade = shadeBelow(most)
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0)
    return html`<figure class="week"><figcaption><b>${label}</b></figcaption><p class="empty">No read.</p></figure>`
  return html`<figure class="week ${kind}"><figcaption><b>${label}</b> <span class="about">${many(total, 'read')}</span></figcaption>
<div class="scroll" tabindex="0" role="group" aria-label="${label} by hour of the week">
<table><caption class="unseen">Reads of ${label.toLowerCase()} by hour of the week</caption>
<thead><tr><td></td>${CLOCK.map((hour) => html`<th scope="col"${hour % 3 === 0 ? undefined : html` class="quiet"`}>${twoDigits(hour)}</th>`)}</tr></thead>
<tbody>${DAYS.map((day, at) => html`<tr><th scope="row"><abbr title="${day}">${day.slice(0, 3)}</abbr></th>${CLOCK.map((hour) => cell(day, hour, counts[at * 24 + hour] ?? 0, shade))}</tr>\n`)}</tbody></table></div>
<p class="scale"><span>0</span>${Array.from({ length: SHADES + 1 }, (_, at) => html`<i class="q${at}"></i>`)}<span>${grouped(most)} in an hour</span></p></figure>`
}

const cell = (day: string, hour: number, count: number, shade: (count: number) => number): Markup =>
  html`<td class="q${shade(count)}" title="${day} ${twoDigits(hour)}–${twoDigits((hour + 1) % 24)}: ${many(count, 'read')}"><span class="unseen">${count}</span></td>`

const twoDigits = (hour: number): string => `${hour}`.padStart(2, '0')

/** 0 for none; by the square root, so that few are told from none beside a peak. */
export function shadeBelow(most: number): (count: number) => number {
  const scale = scaleQuantize<number>()
    .domain([0, Math.sqrt(Math.max(most, 1))])
    .range(Array.from({ length: SHADES }, (_, at) => at + 1))
  return (count) => (count <= 0 ? 0 : scale(Math.sqrt(count)))
}
