import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { PAGE_ASSETS_FILE, pageAssets } from '../../infra/page.ts'
import { htmlReport } from '../../shared/audit/outputs/html.ts'
import { MOST_CHARACTERS } from '../../shared/audit/outputs/html-markup.ts'
import type { Summary } from '../../shared/audit/summary.ts'
import { leaveOut } from '../left-out.ts'
import { bigSummary } from './big-summary.ts'
import { HOSTILE, summaryNamed } from './outputs/hostile.ts'
import { hasRealLogs, realSummary } from './outputs/real-summary.ts'
import { coldSummary, sampleSummary } from './sample-summary.ts'

const about = { title: 'Audit of the shop', version: '0.1.0', generatedAt: Date.UTC(2026, 7, 3, 7) }
const report = (summary: Summary): string => htmlReport(summary, about)

const tagsOf = (page: string): readonly string[] => withoutAssets(page).match(/<[a-z!/][^>]*>/gi) ?? []
const namesOf = (page: string): readonly string[] => [
  ...new Set(tagsOf(page).flatMap((tag) => /^<([a-z][a-z0-9]*)/i.exec(tag)?.[1] ?? []))
]
const attributesOf = (page: string): readonly string[] => [
  ...new Set(
    tagsOf(page).flatMap((tag) => [...tag.replaceAll(/"[^"]*"/g, '""').matchAll(/\s([a-z-]+)=/gi)].map(([, name = '']) => name))
  )
]

/** The style and the script are ours: what is looked for is looked for in the rest. */
const withoutAssets = (page: string): string => page.replaceAll(/(<(style|script)>)[\s\S]*?(<\/\2>)/g, '$1$3')

/** The reader's eye: a part of the page without its tags. */
function partOf(page: string, id: string): string {
  const from = page.indexOf(`id="${id}" aria-labelledby`)
  const to = page.indexOf('<section class="part"', from)
  return page
    .slice(from, to < 0 ? undefined : to)
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
}

describe('the report', () => {
  const page = report(sampleSummary())

  test('has every part, in the order in which it is read', () => {
    expect([...page.matchAll(/<section class="part" id="([a-z]+)"/g)].map(([, id]) => id)).toEqual(
      'findings timeline week matrix inventory rotation drift orphans retention coverage controls'.split(' ')
    )
  })

  test('tells of a finding why, the numbers, the evidence, the technique and what to do', () => {
    const { findings } = sampleSummary()
    const text = partOf(page, 'findings')
    expect(findings).toHaveLength(40)
    for (const { title, evidence } of findings) for (const one of [title, ...evidence]) expect(text).toContain(one)
    expect(text).toContain('read 34 different secrets in 38 calls; in such a time it usually reads 3.')
    expect(text).toMatch(/observed 34 secrets in 10 minutes usual 3 secrets in 10 minutes/)
    expect(text).toContain('T1555.006 Cloud Secrets Management Stores attack.mitre.org/techniques/T1555/006/')
    expect(text).toContain('What to do Unless it is a backup or a migration that you know')
    expect(text).toMatch(/observed without end usual 60 min/)
  })

  test('has the worst finding first', () => {
    const severities = [...page.matchAll(/<li class="finding" data-severity="([a-z]+)"/g)].map(([, severity]) => severity)
    expect([...new Set(severities)]).toEqual(['critical', 'high', 'medium', 'low'])
    expect(severities.join(' ')).toMatch(/^(critical ?)+(high ?)+(medium ?)+(low ?)+$/)
  })

  test('names the secret of a report as people do, where the inventory knows it', () => {
    expect(partOf(page, 'rotation')).toContain('prod/media/cdn')
    expect(partOf(page, 'rotation')).not.toContain('aws:123456789012/prod/media/cdn')
  })

  test('says of due dates that no month shows how many they are', () => {
    const { rotation, period } = sampleSummary()
    const far = rotation.map((row, n) => ({ ...row, due: period.now + (n === 0 ? -400 : n === 1 ? 900 : 2) * 86_400_000 }))
    const text = partOf(report({ ...sampleSummary(), rotation: far }), 'rotation')
    expect(text).toContain('1 was due earlier, 1 is due later')
  })

  test('names the controls of one framework where one is asked for', () => {
    const hipaa = htmlReport(sampleSummary(), { ...about, framework: 'hipaa' })
    expect(hipaa).toContain('HIPAA 164.312(b)')
    expect(hipaa).not.toMatch(/SOC 2 CC|ISO 27001 A/)
    expect(page).toMatch(/SOC 2 CC7.2/)
  })

  test('draws the usual only where it is known, and no hour that has no read', () => {
    const hours = [100, 101, 105].map((hour) => [hour, 4, hour > 100 ? 3 : undefined] as const)
    const lane = { secret: 'vault:root/a', secretName: 'a', hours, flagged: [105] }
    const drawn = report({ ...sampleSummary(), charts: { ...sampleSummary().charts, reads: [lane] } })
    expect(/data-first[^>]*/.exec(drawn)?.[0]).toBe('data-first="16" data-reads="0 4 4 0 0 0 4 0" data-usual="  3    3 "')
    expect(drawn.match(/<path class="band" d="([^"]*)"/)?.[1]?.match(/M/g)).toHaveLength(2)
    expect(drawn.match(/<path class="reads" d="([^"]*)"/)?.[1]?.match(/M/g)).toHaveLength(1)
  })

  test('draws the last six weeks of a log with a date that is far off', () => {
    const hours = [[3, 1, undefined] as const, [500_000, 1, undefined] as const]
    const lane = { secret: 'a', secretName: 'a', hours, flagged: [3] }
    const drawn = report({ ...sampleSummary(), charts: { ...sampleSummary().charts, reads: [lane] } })
    expect(drawn).toContain('data-hours="1008"')
    expect(drawn).not.toContain('class="flag"')
    expect(drawn).toContain('>1 read, peak 1<')
  })

  test('draws a day of a log that has one hour', () => {
    const lane = { secret: 'a', secretName: 'a', hours: [[240, 2, undefined] as const], flagged: [] }
    const drawn = report({ ...sampleSummary(), charts: { ...sampleSummary().charts, reads: [lane] } })
    expect(drawn).toContain('data-hours="24"')
    expect(drawn.match(/<path class="reads" d="([^"]*)"/)?.[1]?.match(/[ML]/g)?.length).toBeGreaterThan(2)
  })

  if (!hasRealLogs) leaveOut('the HTML of a real log', 'the samples of audit logs are not here')
  else
    test('is made of the CloudTrail of a simulated attack', async () => {
      const { findings } = await realSummary()
      expect(findings.length).toBeGreaterThan(3)
      const text = partOf(report(await realSummary()), 'findings')
      for (const { title } of findings) expect(text).toContain(title)
    })
})

describe('the file', () => {
  const page = report(sampleSummary())

  test('has an element for every place that it points to, and each id once', () => {
    const ids = [...withoutAssets(page).matchAll(/\sid="([^"]*)"/g)].map(([, id = '']) => id)
    expect(ids).toEqual([...new Set(ids)])
    const targets = [...page.matchAll(/\shref="#([^"]*)"/g)].map(([, id = '']) => id)
    expect(targets.filter((id) => !ids.includes(id))).toEqual([])
  })

  test('carries the style and the script that its sources make: `npm run docs` writes them', async () => {
    expect(readFileSync(PAGE_ASSETS_FILE, 'utf8')).toBe(await pageAssets())
  })

  test('of a summary of any size stays below 3 MB and counts what it leaves away', () => {
    const big = report(bigSummary())
    expect(big.length).toBeLessThan(3_000_000)
    expect(big.match(/<li class="finding"/g)).toHaveLength(400)
    expect(partOf(big, 'findings')).toContain('4,600 more are left away')
    expect(partOf(big, 'inventory')).toContain('19,400 more are left away')
    expect(partOf(big, 'rotation')).toContain('8,400 more are left away')
    expect(partOf(big, 'timeline')).toContain('84 more are left away')
    expect(partOf(big, 'matrix')).toMatch(/[\d,]+ identities and [\d,]+ secrets more: the table below has them/)
  })

  test('is made of numbers that are none, and of no rows at all', () => {
    const odd = JSON.parse(JSON.stringify(sampleSummary()), (_key, value) => (typeof value === 'number' ? Number.NaN : value))
    expect(report(odd)).toContain('no date')
    const none = { ...sampleSummary(), findings: [], inventory: [], rotation: [], drift: [], orphans: [], retention: [] }
    expect(report({ ...none, charts: { reads: [], week: { zone: 'UTC', people: [], others: [] } } })).toContain(
      'No access was seen.'
    )
  })
})

/** What ends an attribute. */
const BREAKS = ['" onmouseover="alert(1)', "' onmouseover='alert(1)", '`onmouseover=alert(1)']

describe('whatever a log has for a name', () => {
  const plain = [...new Set([...namesOf(report(sampleSummary())), ...namesOf(report(coldSummary()))])]
  const attributes = attributesOf(report(sampleSummary()))
  const start = report(sampleSummary()).split('<title>')[0]

  test.each([...HOSTILE, ...BREAKS].map((text) => [JSON.stringify(text.slice(0, 60)), text] as const))(
    '%s stays text',
    (_name, text) => {
      const page = report(summaryNamed(text))
      expect(namesOf(page).filter((name) => !plain.includes(name))).toEqual([])
      expect(attributesOf(page).filter((name) => !attributes.includes(name))).toEqual([])
      expect(page.slice(0, page.indexOf('<title>'))).toBe(start)
      expect(withoutAssets(page)).not.toMatch(/[\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]|(?!\n)\p{Cc}/u)
    }
  )

  test('a title does too', () => {
    const page = htmlReport(sampleSummary(), { ...about, title: '</title><script>alert(1)</script>' })
    expect(page).toContain('<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;</title>')
  })

  test('what has no shape, or turns the line, is shown as its code point', () => {
    expect(partOf(report(summaryNamed('safe\u202egnp.exe')), 'inventory')).toContain('safe⟨U+202E⟩gnp.exe')
    expect(partOf(report(summaryNamed('a\u0000b\ud800c\u{e0041}')), 'inventory')).toContain('a⟨U+0000⟩b⟨U+D800⟩c⟨U+E0041⟩')
  })

  test('a name that is very long is cut and its length told', () => {
    const text = partOf(report(summaryNamed('x'.repeat(5_000))), 'inventory')
    expect(text).toContain(`${'x'.repeat(MOST_CHARACTERS)}… (5000 characters)`)
    expect(text).not.toContain('x'.repeat(MOST_CHARACTERS + 1))
  })
})
