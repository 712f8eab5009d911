import { createHash } from 'node:crypto'
import { SEVERITIES } from '../finding.ts'
import type { Summary } from '../summary.ts'
import type { About } from './about.ts'
import { PAGE_SCRIPT, PAGE_STYLE } from './html-assets.ts'
import { calendarSection } from './html-calendar.ts'
import { controlsSection } from './html-controls.ts'
import { coverageSection } from './html-coverage.ts'
import { findingsSection } from './html-findings.ts'
import { html, type Markup, type Part, textOf, trusted } from './html-markup.ts'
import { matrixSection } from './html-matrix.ts'
import { driftTable, inventoryTable, namesOf, orphanTable, retentionTable, rotationTable } from './html-reports.ts'
import { timelineSection } from './html-timeline.ts'
import { isDrift, isLate, type Tone, verdictOf } from './html-verdict.ts'
import { weekSection } from './html-week.ts'
import { grouped, longTime, many } from './html-words.ts'

/** What the page says of itself. */
export interface ReportAbout extends About {
  /** In one line: `Audit of shop-prod`. */
  readonly title: string
}

interface Section {
  readonly id: string
  readonly title: string
  /** How many things of it want a person; undefined: it has none to count. */
  readonly open?: number
  readonly note?: string
  readonly body: Part
}

/**
 * The report as one HTML file that asks nobody for anything: style, script, charts and icon are in it, and its own policy
 * (Content Security Policy Level 3) forbids all else. It is whole without the script, which only filters, sorts and points.
 * What is too much for a page is left away and counted: with names of ordinary length it stays below 3 MB. Never throws for
 * what a log had in it.
 */
export function htmlReport(summary: Summary, about: ReportAbout): string {
  const sections = sectionsOf(summary, about)
  return textOf(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="keyturn ${about.version}">
<title>${about.title}</title>
<link rel="icon" href="${ICON}">
<style>${trusted(PAGE_STYLE)}</style>
</head>
<body>
<a class="skip" href="#findings-title">Skip to the findings</a>
${MARKS}
<header class="top">${titleBlock(summary, about)}${themeSwitch()}</header>
<div class="page">
<nav aria-label="Parts of the report"><ol>${sections.map(navItem)}</ol></nav>
<main id="main">${verdictBlock(summary)}${sections.map(sectionBlock)}</main>
</div>
<footer><p>Made by keyturn ${about.version}, ${longTime(about.generatedAt)}. Times are UTC where nothing else is said.</p></footer>
<script>${trusted(PAGE_SCRIPT)}</script>
</body>
</html>
`)
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Nothing is loaded and nothing is sent; `data:` is the icon. No style but ours, so nothing in the page has one of its own. */
const POLICY = [
  "default-src 'none'",
  `style-src ${hashOf(PAGE_STYLE)}`,
  `script-src ${hashOf(PAGE_SCRIPT)}`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'"
].join('; ')

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#28457a"/><path d="M6.5 3.6a3 3 0 1 0 1 5.8V13h2v-1.6h1.4V9.6H9.5V8.7a3 3 0 0 0-3-5.1z" fill="#fff"/></svg>'
)}`

/** A shape for each severity: colour alone is told apart by not everybody. */
const SHAPES = {
  critical: 'M6 0 12 6 6 12 0 6Z',
  high: 'M6 .7 12 11.3H0Z',
  medium: 'M1 1h10v10H1Z',
  low: 'M6 1a5 5 0 1 1 0 10A5 5 0 0 1 6 1Z'
} as const

const MARKS = html`<svg class="unseen" aria-hidden="true" width="0" height="0">${SEVERITIES.map(
  (one) => html`<symbol id="mark-${one}" viewBox="0 0 12 12"><path d="${SHAPES[one]}"/></symbol>`
)}</svg>`

function titleBlock({ period, coverage }: Summary, { title }: ReportAbout): Markup {
  const seen =
    period.first === undefined || period.last === undefined
      ? 'No event was read.'
      : `${longTime(period.first)} to ${longTime(period.last)}`
  return html`<div><p class="brand">keyturn audit</p><h1>${title}</h1>
<p class="period">${seen} <span>${many(coverage.events, 'event')} from ${many(coverage.sources.length, 'source')}</span></p></div>`
}

/** Without the script too: the style asks which one is checked. */
const themeSwitch = (): Markup =>
  html`<fieldset class="theme"><legend class="unseen">Colours</legend>${(
    [
      ['auto', 'System'],
      ['light', 'Light'],
      ['dark', 'Dark']
    ] as const
  ).map(
    ([value, label]) =>
      html`<label><input type="radio" name="theme" id="theme-${value}" value="${value}"${value === 'auto' ? html` checked` : undefined}><span>${label}</span></label>`
  )}</fieldset>`

const TONES: Readonly<Record<Tone, string>> = {
  critical: 'Act now',
  high: 'Look today',
  medium: 'Look when you can',
  thin: 'Cannot tell yet',
  calm: 'Quiet'
}

function verdictBlock(summary: Summary): Markup {
  const { tone, text, thin } = verdictOf(summary)
  const { inventory, rotation, drift, orphans } = summary
  const figures: readonly (readonly [number, string, string])[] = [
    [new Set(inventory.map(({ secret }) => secret)).size, 'secrets used', 'inventory'],
    [new Set(inventory.map(({ identity }) => identity)).size, 'identities', 'matrix'],
    [inventory.reduce((sum, { reads }) => sum + reads, 0), 'reads', 'timeline'],
    [rotation.filter(isLate).length, 'rotations late', 'rotation'],
    [drift.filter(isDrift).length, 'policies to review', 'drift'],
    [orphans.length, 'unused secrets', 'orphans']
  ]
  return html`<section class="verdict ${tone}" aria-label="Verdict"><p class="tone">${TONES[tone]}</p><p class="said">${text}</p>
${thin.length > 0 ? html`<p class="thin"><b>What this does not cover:</b> ${thin.join(', ')}. <a href="#coverage">See the coverage</a>.</p>` : undefined}
<dl class="figures">${figures.map(([count, label, to]) => html`<div><dt>${label}</dt><dd><a href="#${to}">${grouped(count)}</a></dd></div>`)}</dl></section>`
}

function sectionsOf(summary: Summary, { framework }: ReportAbout): readonly Section[] {
  const { findings, inventory, rotation, drift, orphans, retention, coverage, charts, period } = summary
  const names = namesOf(inventory)
  return [
    { id: 'findings', title: 'Findings', open: findings.length, body: findingsSection(findings, framework) },
    { id: 'timeline', title: 'Reads over time', body: timelineSection(charts.reads) },
    { id: 'week', title: 'Hours of the week', body: weekSection(charts.week) },
    { id: 'matrix', title: 'Who reads what', body: matrixSection({ inventory, findings }) },
    {
      id: 'inventory',
      title: 'Access inventory',
      note: 'One row for an identity and a secret.',
      body: inventoryTable(inventory)
    },
    {
      id: 'rotation',
      title: 'Rotation',
      open: rotation.filter(isLate).length,
      body: [calendarSection(rotation, period.now), rotationTable(rotation, names, framework)]
    },
    {
      id: 'drift',
      title: 'Policy drift',
      open: drift.filter(isDrift).length,
      note: 'Policies that changed since somebody last reviewed them.',
      body: driftTable(drift, framework)
    },
    { id: 'orphans', title: 'Unused secrets', open: orphans.length, body: orphanTable(orphans, names, framework) },
    {
      id: 'retention',
      title: 'Retention',
      note: 'How long each kind of event must be kept.',
      body: retentionTable(retention, framework)
    },
    {
      id: 'coverage',
      title: 'Coverage',
      open: coverage.gaps.length,
      note: 'What this report rests on.',
      body: coverageSection(coverage)
    },
    {
      id: 'controls',
      title: 'Controls',
      note: 'What the numbers stand for that findings and rows name, and which signal or report backs each.',
      body: controlsSection(framework)
    }
  ]
}

const navItem = ({ id, title, open = 0 }: Section): Markup =>
  html`<li><a href="#${id}">${title}${open > 0 ? html` <span class="count">${grouped(open)}</span>` : undefined}</a></li>`

const sectionBlock = ({ id, title, note, body }: Section): Markup =>
  html`<section class="part" id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title" tabindex="-1">${title}</h2>
${note && html`<p class="note">${note}</p>`}${body}</section>
`
