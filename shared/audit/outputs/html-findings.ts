import { controlsFor, type Framework } from '../controls.ts'
import { type Finding, SEVERITIES, type Severity } from '../finding.ts'
import { TECHNIQUES, techniqueUrl } from './attack.ts'
import { html, type Markup, type Part } from './html-markup.ts'
import { controlNames } from './html-reports.ts'
import { leftAway, searchBox } from './html-table.ts'
import { countsOf } from './html-verdict.ts'
import { grouped, many, name, spanText, timeMark } from './html-words.ts'

/** The most severe are shown; hundreds are read by nobody. */
const MOST_FINDINGS = 400

/** Critical first, then the newest: the order in which they are worked off. */
const worstFirst = (a: Finding, b: Finding): number =>
  SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) || b.last - a.last

/** Tiles that count and filter, and the list. */
export function findingsSection(findings: readonly Finding[], framework: Framework | undefined): Markup {
  const counts = countsOf(findings)
  const shown = [...findings].sort(worstFirst).slice(0, MOST_FINDINGS)
  const tiles = html`<div class="tiles" role="group" aria-label="Findings by severity">${SEVERITIES.toReversed().map((one) => tile(one, counts[one]))}</div>`
  if (shown.length === 0)
    return html`${tiles}<p class="empty">No signal raised anything. What that rests on is told under Coverage.</p>`
  return html`${tiles}
<div class="tools" id="finding-tools">
  ${searchBox('finding-list', 'Search findings')}
  ${choice('signal', 'Signal', 'every signal', optionsOf(shown.map(({ signal }) => signal)))}
  ${choice('store', 'Store', 'every store', optionsOf(shown.map(({ store }) => store ?? 'none')))}
  ${choice('order', 'Order', undefined, ['most severe', 'newest', 'most events'])}
  <button type="button" class="live" id="open-all" aria-pressed="false">Open all</button>
  <p class="tally"><output data-tally="finding-list" data-noun="finding">${many(shown.length, 'finding')}</output>${leftAway(findings.length - shown.length)}</p>
</div>
<ol id="finding-list" class="findings">${shown.map((one) => item(one, framework))}</ol>
<p class="more"><button type="button" class="live" id="more" hidden></button></p>`
}

const tile = (severity: Severity, count: number): Markup =>
  html`<button type="button" class="tile ${severity}" data-severity="${severity}" aria-pressed="false" disabled>
  ${severityMark(severity)}<b>${grouped(count)}</b><span>${severity}</span></button>`

/** Colour is never all that tells: each has a shape and its word. */
const severityMark = (severity: Severity): Markup =>
  html`<svg class="mark ${severity}" aria-hidden="true" width="12" height="12"><use href="#mark-${severity}"/></svg>`

const optionsOf = (all: readonly string[]): readonly string[] => [...new Set(all)].sort()

const choice = (id: string, label: string, any: string | undefined, options: readonly string[]): Markup =>
  html`<select class="choice live" id="by-${id}" aria-label="${label}">${any && html`<option value="">${any}</option>`}${options.map((one) => html`<option>${one}</option>`)}</select>`

const item = (one: Finding, framework: Framework | undefined): Markup =>
  html`<li class="finding" data-severity="${one.severity}" data-signal="${one.signal}" data-store="${one.store ?? 'none'}" data-last="${one.last}" data-count="${one.count}">
<details><summary><span class="severity ${one.severity}">${severityMark(one.severity)}${one.severity}</span>
<span class="what"><b>${one.title}</b><span class="about">${one.signal}${where(one)} · ${timeMark(one.last)} · ${many(one.count, 'event')}</span></span></summary>
<div class="body"><p>${one.why}</p>${comparison(one)}
<p class="todo"><b>What to do</b> ${one.todo}</p>
<dl class="facts">${factsOf(one, framework).map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>
</div></details></li>
`

const where = ({ store, account }: Finding): Part =>
  store ? html` · ${store}${account ? html` ${name(account)}` : undefined}` : undefined

function factsOf(one: Finding, framework: Framework | undefined): readonly (readonly [string, Part])[] {
  const { subject, first, last, technique, evidence, id } = one
  const named = (label: string, value: string | undefined): (readonly [string, Part])[] =>
    value === undefined || value === '' ? [] : [[label, name(value)]]
  return [
    ...named('Identity', subject.identityName ?? subject.identity),
    ...named('Secret', subject.secretName ?? subject.secret),
    ...named('Address', subject.address),
    ...named('Network', subject.network),
    ...named('Policy', subject.policy),
    ...named('Source', subject.source),
    ['Seen', first === last ? timeMark(first) : html`${timeMark(first)} to ${timeMark(last)}`],
    [
      'MITRE ATT&CK',
      html`${technique} ${TECHNIQUES[technique]} <span class="address">${techniqueUrl(technique).replace('https://', '')}</span>`
    ],
    ['Evidence', html`<ul class="evidence">${evidence.map((one) => html`<li><code>${one}</code></li>`)}</ul>`],
    ['Controls', controlNames(controlsFor(one.signal, framework))],
    ['Finding', html`<code>${id}</code>`]
  ]
}

/** Two bars of one scale, and the numbers beside them. */
function comparison({ observed, usual, unit = '' }: Finding): Markup | undefined {
  if (observed === undefined) return undefined
  const most = Math.max(observed, usual ?? 0) || 1
  const wide = (value: number): number => (value === most ? 100 : Math.round((100 * value) / most) || 0)
  const said = (value: number): string => (unit === 's' ? spanText(value) : `${grouped(value)} ${unit}`)
  const bar = (label: string, value: number | undefined): Markup => html`<div class="${label}"><dt>${label}</dt>
<dd><svg aria-hidden="true" width="100%" height="8"><rect width="${wide(value ?? 0)}%" height="8" rx="2"/></svg><span>${value === undefined ? 'not known yet' : said(value)}</span></dd></div>`
  return html`<dl class="compared">${bar('observed', observed)}${bar('usual', usual)}</dl>`
}
