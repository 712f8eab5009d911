import type { Coverage } from '../summary.ts'
import { html, type Markup } from './html-markup.ts'
import { table } from './html-table.ts'
import { bytesText, dayMark, grouped, name, timeMark } from './html-words.ts'

/** What the answer rests on: counts, sources, what is missing, what is still learned, what was damaged. */
export const coverageSection = (coverage: Coverage): Markup =>
  html`<dl class="figures">${countsOf(coverage).map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>
<div class="holes">${gapsOf(coverage)}${learningOf(coverage)}</div>
<h3>Sources</h3>${sourcesTable(coverage)}
${coverage.damage.length > 0 ? html`<h3>Damage</h3>${damageTable(coverage)}` : undefined}`

const countsOf = (of: Coverage): readonly (readonly [string, string])[] => [
  ['Read', bytesText(of.bytes)],
  ['Records', grouped(of.records)],
  ['About secrets', grouped(of.events)],
  ['About other things', grouped(of.skipped)],
  ['Delivered twice', grouped(of.duplicates)],
  ['Damaged', grouped(of.malformed)]
]

const gapsOf = ({ gaps }: Coverage): Markup =>
  html`<section><h3>Gaps</h3>${
    gaps.length === 0
      ? html`<p class="empty">None is known.</p>`
      : html`<ul>${gaps.map(({ code, text }) => html`<li><code>${code}</code> ${text}</li>`)}</ul>`
  }</section>`

const learningOf = ({ learning }: Coverage): Markup =>
  html`<section><h3>Still learning</h3>${
    learning.length === 0
      ? html`<p class="empty">Every signal knows what is usual.</p>`
      : html`<ul>${learning.map(({ signal, until, why }) => html`<li><code>${signal}</code> until ${dayMark(until)}: ${why}</li>`)}</ul>`
  }</section>`

const sourcesTable = ({ sources }: Coverage): Markup =>
  table({
    id: 'source-rows',
    caption: 'Sources',
    noun: 'source',
    empty: 'No source was read.',
    rows: sources,
    columns: [
      { label: 'Source', cell: (row) => name(row.name) },
      { label: 'Format', cell: ({ format }) => format ?? 'not known' },
      { label: 'Events', isNumber: true, cell: ({ events }) => grouped(events), by: ({ events }) => events },
      { label: 'First', cell: ({ first }) => timeMark(first), by: ({ first }) => first },
      { label: 'Last', cell: ({ last }) => timeMark(last), by: ({ last }) => last },
      { label: 'Problem', cell: ({ problem }) => html`<span class="problem high">${problem}</span>` }
    ]
  })

const damageTable = ({ damage }: Coverage): Markup =>
  table({
    id: 'damage-rows',
    caption: 'Damaged records',
    noun: 'place',
    empty: '',
    rows: damage,
    columns: [
      { label: 'Source', cell: ({ source }) => name(source) },
      { label: 'Byte', isNumber: true, cell: ({ offset }) => grouped(offset), by: ({ offset }) => offset },
      { label: 'Why', cell: ({ why }) => why }
    ]
  })
