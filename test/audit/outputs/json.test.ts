import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { AUDIT_SCHEMA_FILE, auditSchema } from '../../../infra/audit-schema.ts'
import { auditDocument, auditJson } from '../../../shared/audit/outputs/json.ts'
import { leaveOut } from '../../left-out.ts'
import { coldSummary, sampleSummary } from '../sample-summary.ts'
import { HOSTILE, summaryNamed } from './hostile.ts'
import { hasRealLogs, realSummary } from './real-summary.ts'

const about = { version: '0.1.0', generatedAt: Date.UTC(2026, 7, 3, 7) }
const ajv = new Ajv2020({ allErrors: true })
addFormats.default(ajv)
const validate = ajv.compile(JSON.parse(readFileSync(AUDIT_SCHEMA_FILE, 'utf8')))

const wrongIn = (text: string): readonly string[] =>
  validate(JSON.parse(text)) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)

/** The sample's document after a change, as text. */
function changed(path: string, value: unknown): string {
  const document = JSON.parse(auditJson(sampleSummary(), about))
  const parts = path.split('.')
  const last = parts.pop() ?? ''
  const place = parts.reduce((at, part) => at[part], document)
  if (value === undefined) delete place[last]
  else place[last] = value
  return JSON.stringify(document)
}

describe('the JSON of an audit', () => {
  it('has a published schema, and `npm run docs` would not change it', () => {
    expect(readFileSync(AUDIT_SCHEMA_FILE, 'utf8')).toBe(auditSchema())
  })

  it.each([
    ['of six weeks and four stores', sampleSummary],
    ['of the first run of all', coldSummary]
  ])('is what the schema says: %s', (_, summary) => {
    expect(wrongIn(auditJson(summary(), about))).toEqual([])
    for (const framework of ['soc2', 'iso27001', 'hipaa'] as const)
      expect(wrongIn(auditJson(summary(), { ...about, framework }))).toEqual([])
  })

  it('is one line, whatever names a log has, and gives them back as they are', () => {
    for (const name of HOSTILE) {
      const text = auditJson(summaryNamed(name), about)
      expect(text.indexOf('\n')).toBe(text.length - 1)
      expect(wrongIn(text)).toEqual([])
      expect(JSON.parse(text).inventory[0].secretName).toBe(name)
    }
  })

  it('has ISO times, null for what is not known, and `Infinity` for a token that never ends', () => {
    const { findings, period } = sampleSummary()
    const [first] = findings
    if (!first) throw new Error('the sample has no finding')
    const endless = { ...first, observed: Number.POSITIVE_INFINITY, usual: undefined, store: undefined }
    const document = JSON.parse(auditJson({ ...sampleSummary(), findings: [endless] }, about))
    expect(document.period.first).toBe(new Date(period.first ?? 0).toISOString())
    expect(document.period.until).toBeNull()
    expect(document.findings[0]).toMatchObject({ observed: 'Infinity', usual: null, store: null })
    expect(wrongIn(JSON.stringify(document))).toEqual([])
  })

  it('does not say when a signal has learned where nothing was read', () => {
    const { coverage } = coldSummary()
    const learning = [{ signal: 'new-network', until: 0, why: 'nothing was read' }]
    const text = auditJson({ ...coldSummary(), coverage: { ...coverage, learning } }, about)
    expect(JSON.parse(text).coverage.learning[0].until).toBeNull()
    expect(wrongIn(text)).toEqual([])
  })

  it('has the numbers of the summary, and names the controls of each finding', () => {
    const summary = sampleSummary()
    const document = auditDocument(summary, about)
    expect(document.inventory.map(({ reads }) => reads)).toEqual(summary.inventory.map(({ reads }) => reads))
    expect(document.findings.map(({ id }) => id)).toEqual(summary.findings.map(({ id }) => id))
    const known = new Set(document.controls.map(({ name }) => name))
    for (const { controls } of document.findings) {
      expect(controls.length).toBeGreaterThan(2)
      expect(controls.filter((name) => !known.has(name))).toEqual([])
    }
  })

  it('names the controls of one framework where one is asked for', () => {
    const { framework, controls, findings, rotation } = auditDocument(sampleSummary(), { ...about, framework: 'hipaa' })
    const named = [...controls.map(({ name }) => name), ...findings.flatMap((one) => one.controls)]
    expect([framework, ...named.filter((name) => !name.startsWith('HIPAA 164.'))]).toEqual(['hipaa'])
    expect(rotation.flatMap((row) => row.controls).length).toBeGreaterThan(0)
  })

  it.each([
    ['a member that is not known', 'extra', 1],
    ['a member of a finding that is not known', 'findings.0.value', 'x'],
    ['a member of a subject that is not known', 'findings.0.subject.token', 'x'],
    ['a member of a source that is not known', 'coverage.sources.0.extra', 1],
    ['a severity that is none', 'findings.0.severity', 'urgent'],
    ['a time in milliseconds', 'period.now', 1_785_740_400_000],
    ['a text that is no time', 'inventory.0.first', 'yesterday'],
    ['a count below nothing', 'inventory.0.reads', -1],
    ['a count that is not whole', 'coverage.events', 0.5],
    ['a week of six days', 'charts.week.people', Array(144).fill(0)],
    ['a finding without an id', 'findings.0.id', undefined],
    ['another version', 'schema', 'keyturn-audit/2'],
    ['a framework that is none', 'framework', 'pci']
  ])('%s is refused by the schema', (_, path, value) => {
    expect(wrongIn(changed(path, value)).length).toBeGreaterThan(0)
  })

  if (!hasRealLogs) leaveOut('the JSON of a real log', 'the samples of audit logs are not here')
  else
    it('is what the schema says for the CloudTrail of a simulated attack', async () => {
      const summary = await realSummary()
      expect(summary.findings.length).toBeGreaterThan(0)
      expect(wrongIn(auditJson(summary, about))).toEqual([])
    })
})
