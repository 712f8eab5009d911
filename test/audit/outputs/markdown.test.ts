import MarkdownIt from 'markdown-it'
import { describe, expect, it } from 'vitest'
import { CONTROLS } from '../../../shared/audit/controls.ts'
import { auditMarkdown } from '../../../shared/audit/outputs/markdown.ts'
import { findingMarkdown } from '../../../shared/audit/outputs/markdown-findings.ts'
import { leaveOut } from '../../left-out.ts'
import { coldSummary, sampleSummary } from '../sample-summary.ts'
import { HOSTILE, summaryNamed } from './hostile.ts'
import { hasRealLogs, realSummary } from './real-summary.ts'

const about = { version: '0.1.0', generatedAt: Date.UTC(2026, 7, 3, 7) }

/** A reader that does all that is asked of it: HTML, tables, links that are only text. Names of hosts alone are no link in GFM. */
const reader = new MarkdownIt({ html: true, linkify: true })
reader.linkify.set({ fuzzyLink: false })

type Token = ReturnType<typeof reader.parse>[number]

const flat = (tokens: readonly Token[]): readonly Token[] => tokens.flatMap((token) => [token, ...flat(token.children ?? [])])
const read = (text: string): readonly Token[] => flat(reader.parse(text, {}))

/** What the page is made of, without its text: a run of text is one however it was written. */
const shapeOf = (text: string): readonly string[] =>
  read(text)
    .map(({ type, tag, attrs }) => `${type} ${tag} ${attrs?.join(' ') ?? ''}`)
    .filter((one) => !/^(text|text_special) /.test(one))

const contentOf = (text: string, type: string): readonly string[] =>
  read(text).flatMap((token) => (token.type === type ? [token.content] : []))

const linksOf = (text: string): readonly string[] =>
  read(text).flatMap((token) => (token.type === 'link_open' ? [String(token.attrGet('href'))] : []))

describe('the Markdown of an audit', () => {
  it('has the findings, the reports, what they rest on and the controls, in this order', () => {
    const headings = auditMarkdown(sampleSummary(), about).match(/^#{1,2} .*$/gm)
    expect(headings).toEqual([
      ...['# Audit of secrets', '## Findings', '## Rotation', '## Policies that changed', '## Secrets that nobody reads'],
      ...['## Who touched what', '## How long events must be kept', '## What this rests on', '## Controls']
    ])
  })

  it('tells of each finding why, what to do, who, how much, which events, the technique and the controls', () => {
    const { findings } = sampleSummary()
    const one = findings.find(({ signal }) => signal === 'mass-retrieval')
    if (!one) throw new Error('the sample has no mass retrieval')
    const html = reader.render(findingMarkdown(one, 'soc2'))
    for (const text of [one.title, one.why, one.todo, one.id, ...one.evidence, String(one.observed), String(one.usual)])
      expect(html.replaceAll('\u2060', '')).toContain(text)
    expect(html).toContain('href="https://attack.mitre.org/techniques/T1555/006/"')
    expect(html).toContain('SOC 2 CC7.2')
    expect(html).not.toContain('HIPAA')
  })

  it('says of a first run that nothing was found and that little was seen', () => {
    const text = auditMarkdown(coldSummary(), about)
    expect(text).toContain('too little was seen')
    expect(text).toContain('still learning')
    expect(text).not.toContain('## Findings')
  })

  it('has every row in its own table row, with as many cells as the head', () => {
    const { rotation } = sampleSummary()
    const tokens = read(auditMarkdown({ ...sampleSummary(), findings: [], drift: [], orphans: [], inventory: [] }, about))
    const cells = tokens.filter(({ type }) => type === 'td_open').length
    const { retention, coverage } = sampleSummary()
    expect(cells).toBe(rotation.length * 7 + retention.length * 8 + coverage.sources.length * 6 + CONTROLS.length * 3)
  })

  it('says how many rows it leaves away', () => {
    const { inventory, findings } = sampleSummary()
    const many = Array.from({ length: 250 }, (_, at) => inventory[at % inventory.length] ?? inventory[0]).flatMap(
      (row) => row ?? []
    )
    const more = Array.from({ length: 120 }, () => findings[0]).flatMap((one) => one ?? [])
    const text = auditMarkdown({ ...sampleSummary(), inventory: many, findings: more }, about)
    expect(text).toContain('150 more are left away')
    expect(text).toContain('20 more are left away')
    expect(text.match(/^### /gm)).toHaveLength(100)
  })

  it.each(HOSTILE)('is the same page whatever a log names: %j', (name) => {
    const [plain, hostile] = [auditMarkdown(summaryNamed('x'), about), auditMarkdown(summaryNamed(name), about)]
    expect(shapeOf(hostile)).toEqual(shapeOf(plain))
    expect(contentOf(hostile, 'html_inline')).toEqual([])
    expect(contentOf(hostile, 'html_block')).toEqual([])
    for (const host of new Set(linksOf(hostile).map((link) => new URL(link).host)))
      expect(['attack.mitre.org', 'www.aicpa-cima.com', 'www.iso.org', 'www.ecfr.gov']).toContain(host)
  })

  it.each(HOSTILE)('has nothing outside of code that is made a link, a mention or a number of an issue later: %j', (name) => {
    const text = contentOf(auditMarkdown(summaryNamed(name), about), 'text').join('\n')
    expect(text.match(/@[\w-]|#\d|https?:\/\/|ftp:\/\/|www\.|:\w+:/gi) ?? []).toEqual([])
  })

  it.each(HOSTILE.filter((name) => /^[\x20-\x7b}~]{2,400}$/.test(name)))('shows a name as the log has it: %j', (name) => {
    const codes = contentOf(auditMarkdown(summaryNamed(name), about), 'code_inline')
    // CommonMark drops one space at both ends, which is why they are written there.
    expect(codes).toContain(name)
  })

  it('shows what has no shape of its own as its code point, and shortens what is very long', () => {
    const codes = (name: string) => contentOf(auditMarkdown(summaryNamed(name), about), 'code_inline')
    expect(codes('safe\u202egnp.exe')).toContain('safe⟨U+202E⟩gnp.exe')
    expect(codes('a|b')).toContain('a⟨U+007C⟩b')
    expect(codes('a\nb')).toContain('a⟨U+000A⟩b')
    expect(codes('x'.repeat(5_000))).toContain(`${'x'.repeat(400)}… (5000 characters)`)
  })

  if (!hasRealLogs) leaveOut('the Markdown of a real log', 'the samples of audit logs are not here')
  else
    it('tells every finding of the CloudTrail of a simulated attack', async () => {
      const summary = await realSummary()
      const text = auditMarkdown(summary, about)
      expect(text.match(/^### /gm)).toHaveLength(Math.min(100, summary.findings.length))
      expect(contentOf(text, 'html_inline')).toEqual([])
    })
})
