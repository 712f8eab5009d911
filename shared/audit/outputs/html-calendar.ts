import { DAY_MS } from '../../duration.ts'
import type { RotationRow } from '../summary.ts'
import { html, type Markup } from './html-markup.ts'
import { isLate } from './html-verdict.ts'
import { dayOf, grouped, monthName } from './html-words.ts'

const WEEK = ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su']

/** So many months, of them so many behind today where something there is late; what is due beyond them is counted. */
const [MONTHS, MONTHS_BEHIND] = [5, 2]

type Due = RotationRow & { readonly due: number }

/** Due dates, by day (UTC). A day's button looks its rows up in the table. */
export function calendarSection(rotation: readonly RotationRow[], now: number): Markup | undefined {
  const due = rotation.filter((row): row is Due => row.due !== undefined)
  if (due.length === 0) return undefined
  const earliest = due.reduce((first, row) => Math.min(first, row.due), now)
  const from = Math.max(monthOf(earliest, 0), monthOf(now, -MONTHS_BEHIND))
  const months = Array.from({ length: MONTHS }, (_, at) => monthOf(from, at))
  const before = due.filter((row) => row.due < from).length
  const after = due.filter((row) => row.due >= monthOf(from, MONTHS)).length
  const byDay = dueByDay(due)
  return html`<p class="legend"><span><i class="key late"></i>overdue, failing or never rotated</span> <span><i class="key due"></i>due</span>
<span><i class="key today"></i>${dayOf(now)}, when this was made</span></p>
<div class="months">${months.map((month) => monthTable(month, now, byDay))}</div>${restText(before, after)}`
}

function dueByDay(due: readonly Due[]): ReadonlyMap<string, readonly Due[]> {
  const days = new Map<string, Due[]>()
  for (const row of due) {
    const day = dayOf(row.due)
    days.set(day, [...(days.get(day) ?? []), row])
  }
  return days
}

/** The first of a month, `by` months away. */
function monthOf(at: number, by: number): number {
  const date = new Date(at)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + by)
}

function monthTable(month: number, now: number, byDay: ReadonlyMap<string, readonly Due[]>): Markup {
  const days = Math.round((monthOf(month, 1) - month) / DAY_MS)
  const lead = (new Date(month).getUTCDay() + 6) % 7
  const weeks = Array.from({ length: Math.ceil((lead + days) / 7) }, (_, week) =>
    WEEK.map((_name, at) => week * 7 + at - lead).map((day) =>
      day < 0 || day >= days ? html`<td></td>` : dayCell(month + day * DAY_MS, day + 1, now, byDay)
    )
  )
  return html`<div class="month"><table><caption>${monthName(month)}</caption>
<thead><tr>${WEEK.map((day) => html`<th scope="col">${day}</th>`)}</tr></thead>
<tbody>${weeks.map((week) => html`<tr>${week}</tr>`)}</tbody></table></div>`
}

function dayCell(at: number, day: number, now: number, byDay: ReadonlyMap<string, readonly Due[]>): Markup {
  const rows = byDay.get(dayOf(at)) ?? []
  const today = dayOf(at) === dayOf(now) ? html` class="today" aria-current="date"` : undefined
  if (rows.length === 0) return html`<td${today}>${day}</td>`
  const late = rows.filter(isLate).length
  const names = `${rows
    .slice(0, 4)
    .map(({ secret }) => secret)
    .join(', ')}${rows.length > 4 ? ' …' : ''}`
  return html`<td${today}><button type="button" class="${late > 0 ? 'late' : 'due'}" data-look="rotation-rows" data-for="${dayOf(at)}" title="${names}">${day}<span class="unseen"> ${monthName(at)}: </span>${
    rows.length > 1 ? html`<sub>×${rows.length}</sub>` : undefined
  }<span class="unseen"> due${late > 0 ? `, ${grouped(late)} late` : ''}</span></button></td>`
}

function restText(before: number, after: number): Markup | undefined {
  const parts = [
    ...(before > 0 ? [`${grouped(before)} ${before === 1 ? 'was' : 'were'} due earlier`] : []),
    ...(after > 0 ? [`${grouped(after)} ${after === 1 ? 'is' : 'are'} due later`] : [])
  ]
  return parts.length === 0 ? undefined : html`<p class="left-away">${parts.join(', ')}: the table below has them.</p>`
}
