import { html, type Markup, type Part } from './html-markup.ts'
import { grouped, many } from './html-words.ts'

/** A column: what a cell shows, and what it is sorted by. */
export interface Column<Row> {
  readonly label: string
  readonly cell: (row: Row) => Part
  /** Default: by the text of the cell. Undefined sorts last. */
  readonly by?: (row: Row) => number | string | undefined
  readonly isNumber?: boolean
}

export interface TableOf<Row> {
  /** Of the element; what filters it points here. */
  readonly id: string
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  /** The most important first: of too many the last are left away. */
  readonly rows: readonly Row[]
  /** What a row is called: `pair`. */
  readonly noun: string
  readonly empty: string
}

/** A page with more rows than this is slow to open and to search; the rest is in the other outputs. */
const MOST_ROWS = 600

/** Small tables need no search. */
const SEARCHED = 10

/** A table that is searched and sorted in the page, and scrolls by itself where it is long or wide. */
export function table<Row>({ id, caption, columns, rows, noun, empty }: TableOf<Row>): Markup {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`
  const shown = rows.slice(0, MOST_ROWS)
  return html`${shown.length >= SEARCHED ? tools(id, caption, many(shown.length, noun), noun, rows.length - shown.length) : undefined}
<div class="scroll" tabindex="0" role="group" aria-label="${caption}">
<table id="${id}" data-sortable>
<caption class="unseen">${caption}</caption>
<thead><tr>${columns.map(head)}</tr></thead>
<tbody>${shown.map((row) => html`<tr>${columns.map((column, at) => cellOf(column, row, at === 0))}</tr>\n`)}</tbody>
</table></div>`
}

const tools = (id: string, caption: string, tally: string, noun: string, left: number): Markup => html`<div class="tools">
  ${searchBox(id, `Search ${caption.toLowerCase()}`)}
  <p class="tally"><output data-tally="${id}" data-noun="${noun}">${tally}</output>${leftAway(left)}</p>
</div>`

export const searchBox = (id: string, label: string): Markup =>
  html`<label class="search live"><span class="unseen">${label}</span>
  <input type="search" data-search="${id}" placeholder="${label}" autocomplete="off" spellcheck="false"></label>`

/** Said wherever less is drawn than there is. */
export const leftAway = (count: number): Markup | undefined =>
  count > 0
    ? html`<span class="left-away">${grouped(count)} more are left away to keep the page quick; the JSON has all.</span>`
    : undefined

const head = <Row>({ label, isNumber }: Column<Row>): Markup =>
  html`<th scope="col"${isNumber ? NUMBER : undefined}><button type="button" class="sort" disabled>${label}</button></th>`

const NUMBER = html` class="number"`

function cellOf<Row>({ cell, by, isNumber }: Column<Row>, row: Row, isFirst: boolean): Markup {
  const sorted = by && html` data-by="${by(row) ?? ''}"`
  return isFirst
    ? html`<th scope="row"${sorted}>${cell(row)}</th>`
    : html`<td${isNumber ? NUMBER : undefined}${sorted}>${cell(row)}</td>`
}
