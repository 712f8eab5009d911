import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { htmlReport } from '../../shared/audit/outputs/html.ts'
import { findChromium } from '../servers/chromium.ts'
import { bigSummary } from './big-summary.ts'
import { inPage, type OpenReport, reportsIn, textIn, visibleFindings } from './html-page.ts'
import { HOSTILE, summaryNamed } from './outputs/hostile.ts'
import { coldSummary, sampleSummary } from './sample-summary.ts'

const chromium = findChromium()

/** The style and the script are ours: what is looked for is looked for in the rest. */
const withoutAssets = (page: string): string => page.replaceAll(/(<(style|script)>)[\s\S]*?(<\/\2>)/g, '$1$3')

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const policyOf = (page: string): string =>
  /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]?.replaceAll('&#39;', "'") ?? ''
const contentOf = (page: string, element: string): string => page.split(`<${element}>`)[1]?.split(`</${element}>`)[0] ?? ''

const about = { title: 'Audit of the shop', version: '0.1.0', generatedAt: 0 }

describe('the policy of the report', () => {
  const page = htmlReport(sampleSummary(), about)

  test('forbids by its own policy all but its one style and its one script', () => {
    expect(policyOf(page).split('; ')).toEqual([
      "default-src 'none'",
      `style-src ${hashOf(contentOf(page, 'style'))}`,
      `script-src ${hashOf(contentOf(page, 'script'))}`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'"
    ])
    expect(page.match(/<(style|script)\b/g)).toEqual(['<style', '<script'])
    expect(page.indexOf('Content-Security-Policy')).toBeLessThan(page.indexOf('<style'))
  })

  test('points nowhere but into itself', () => {
    const targets = [...withoutAssets(page).matchAll(/\s(?:href|src|srcset|action|data|poster|formaction)="([^"]*)"/g)].map(
      ([, to = '']) => to
    )
    expect(targets.length).toBeGreaterThan(20)
    expect(targets.filter((to) => !to.startsWith('#') && !to.startsWith('data:image/svg+xml,'))).toEqual([])
    for (const asset of [contentOf(page, 'style'), contentOf(page, 'script')])
      expect(asset).not.toMatch(/https?:|url\(|@import|fetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\(/)
  })
})

function inChromium(): void {
  const open = reportsIn(chromium)
  const tally = (page: Page, list: string): Promise<string> => textIn(page.locator(`output[data-tally="${list}"]`))
  const fresh = (): Promise<OpenReport> => open(sampleSummary())

  test.each([
    ['of the sample', sampleSummary],
    ['of a first run', coldSummary],
    ['of a log that is too big for a page', bigSummary]
  ])('%s opens from a file, asks nobody for anything and complains of nothing', async (_name, summary) => {
    const { page, requests, complaints, url } = await open(summary())
    expect(await textIn(page.locator('h1'))).toBe('Audit of the shop')
    expect(await inPage(page, 'document.documentElement.classList.contains("scripted")')).toBe(true)
    expect(requests).toEqual([url])
    expect(complaints).toEqual([])
  })

  test('could not ask anybody if it wanted to', async () => {
    const asked: string[] = []
    const server = createServer((request, answer) => {
      asked.push(request.url ?? '')
      answer.setHeader('access-control-allow-origin', '*').end('x')
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const ask = `fetch('${at}/x').then(() => 'sent', () => 'refused')`
    const { page, complaints } = await fresh()
    expect(await inPage(page, ask)).toBe('refused')
    await inPage(
      page,
      `new Promise((done) => { const image = new Image(); image.onerror = image.onload = done; image.src = '${at}/y' })`
    )
    expect(complaints.filter((one) => one.includes('Content Security Policy')).length).toBeGreaterThanOrEqual(2)
    expect(asked).toEqual([])
    const other = await open(coldSummary(), { bypassCSP: true })
    expect(await inPage(other.page, ask)).toBe('sent')
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  })

  test('shows every hostile name as text, and runs none', async () => {
    for (const text of HOSTILE.filter((one) => /[<&"\u202e]/.test(one))) {
      const { page, requests, complaints } = await open(summaryNamed(text))
      expect(complaints).toEqual([])
      expect(requests).toHaveLength(1)
      expect(await page.locator('img, iframe, object, embed, link:not([rel=icon]), script:not(:last-child)').count()).toBe(0)
      await page.context().close()
    }
    const script = '<script>alert(1)</script>'
    const { page } = await open(summaryNamed(script))
    expect(await textIn(page.locator('#inventory-rows tbody th bdi').first())).toBe(script)
    expect(await page.locator('#inventory-rows tbody tr').count()).toBe(sampleSummary().inventory.length)
  })

  test('lists the worst twenty findings first, and the rest when they are asked for', async () => {
    const { page } = await fresh()
    expect(await visibleFindings(page)).toBe(20)
    await page.getByRole('button', { name: 'Show 20 more' }).click()
    expect(await visibleFindings(page)).toBe(40)
    expect(await inPage(page, 'document.activeElement === document.querySelectorAll("li.finding summary")[20]')).toBe(true)
  })

  test('filters findings by the severities that are pressed', async () => {
    const { page } = await fresh()
    const critical = page.getByRole('button', { name: /critical/ })
    await critical.click()
    expect(await visibleFindings(page)).toBe(5)
    expect(await tally(page, 'finding-list')).toBe('5 of 40 findings')
    await page.getByRole('button', { name: /high/ }).click()
    expect(await visibleFindings(page)).toBe(12)
    await critical.click()
    expect(await visibleFindings(page)).toBe(7)
    expect(await critical.getAttribute('aria-pressed')).toBe('false')
  })

  test('searches findings for all words, in the details too, within the signal and the store that are chosen', async () => {
    const { page } = await fresh()
    const search = page.getByRole('searchbox', { name: 'Search findings' })
    await search.fill('mika vpn')
    expect(await visibleFindings(page)).toBe(1)
    await search.fill('t1562.008')
    expect(await visibleFindings(page)).toBe(2)
    await search.fill('')
    await page.getByLabel('Signal', { exact: true }).selectOption('read-volume')
    expect(await tally(page, 'finding-list')).toBe('7 of 40 findings')
    await page.getByLabel('Store', { exact: true }).selectOption('azure')
    expect(await tally(page, 'finding-list')).toBe('1 of 40 findings')
    await search.fill('nothing has this')
    expect(await visibleFindings(page)).toBe(0)
  })

  test('orders findings by severity, by time and by how many events they have', async () => {
    const { page } = await fresh()
    const titles = (): Promise<string[]> => page.locator('li.finding .what b').allInnerTexts()
    const before = await titles()
    await page.getByLabel('Order', { exact: true }).selectOption('most events')
    expect((await titles())[0]).toBe('prod/checkout/db was read 214 times in an hour')
    await page.getByLabel('Order', { exact: true }).selectOption('newest')
    expect((await titles())[0]).toBe('ci-deploy deleted ci/signing for good')
    await page.getByLabel('Order', { exact: true }).selectOption('most severe')
    expect(await titles()).toEqual(before)
  })

  test('opens a finding, and all of them', async () => {
    const { page } = await fresh()
    await page.locator('li.finding summary').first().press('Enter')
    expect(await page.locator('li.finding').first().getByText('What to do').isVisible()).toBe(true)
    await page.getByRole('button', { name: 'Open all' }).click()
    expect(await page.locator('li.finding details[open]').count()).toBe(40)
    await page.getByRole('button', { name: 'Close all' }).click()
    expect(await page.locator('li.finding details[open]').count()).toBe(0)
  })

  test('sorts a table by any head, numbers downwards first, with what has no value last both ways', async () => {
    const { page } = await fresh()
    const column = (table: string, nth: number): Promise<string[]> =>
      page.locator(`#${table} tbody tr > :nth-child(${nth})`).allInnerTexts()
    const numbers = async (): Promise<number[]> =>
      (await column('inventory-rows', 3)).map((text) => Number(text.replaceAll(',', '')))
    const reads = page.locator('#inventory-rows').getByRole('button', { name: 'Reads' })
    await reads.click()
    expect(await numbers()).toEqual((await numbers()).toSorted((a, b) => b - a))
    expect(await page.locator('#inventory-rows th[aria-sort]').getAttribute('aria-sort')).toBe('descending')
    await reads.press('Enter')
    expect(await numbers()).toEqual((await numbers()).toSorted((a, b) => a - b))
    const due = page.locator('#rotation-rows').getByRole('button', { name: 'Due' })
    await due.click()
    const down = await column('rotation-rows', 3)
    expect(down.at(-1)).toBe('–')
    await due.click()
    const up = await column('rotation-rows', 3)
    expect(up.at(-1)).toBe('–')
    expect(up.filter((day) => day !== '–')).toEqual(down.filter((day) => day !== '–').toReversed())
  })

  test('searches a table', async () => {
    const { page } = await fresh()
    await page.getByRole('searchbox', { name: 'Search access inventory' }).fill('PERSON vault')
    const rows = await page.locator('#inventory-rows tbody tr:visible').allInnerTexts()
    expect(rows.length).toBeGreaterThan(0)
    for (const row of rows) expect(row).toMatch(/person[\s\S]*vault root/)
    expect(await tally(page, 'inventory-rows')).toBe(`${rows.length} of ${sampleSummary().inventory.length} pairs`)
  })

  test('looks up the rows of a day of the calendar', async () => {
    const { page } = await fresh()
    await page.getByRole('button', { name: '11 July 2026: ×2 due, 2 late' }).click()
    const rows = await page.locator('#rotation-rows tbody tr:visible').allInnerTexts()
    expect(rows).toHaveLength(2)
    for (const row of rows) expect(row).toContain('2026-07-11')
  })

  test('tells the reads of an hour, pointed at by the pointer or by the keyboard', async () => {
    const { page } = await fresh()
    const value = page.locator('.lane .value').nth(0)
    const range = page.getByRole('slider', { name: 'Hour of the timeline' })
    await range.press('Home')
    expect(await textIn(page.locator('#hour'))).toBe('2026-06-22 06:00 UTC')
    expect(await textIn(value)).toMatch(/^\d+ reads$/)
    await range.press('End')
    for (let hour = 0; hour < 30; hour++) await range.press('ArrowLeft')
    expect(await range.getAttribute('aria-valuetext')).toBe('2026-08-01 23:00 UTC')
    expect(await textIn(value)).toMatch(/^214 reads, usual [\d.]+$/)
    await page
      .locator('.plot[data-reads]')
      .nth(1)
      .hover({ position: { x: 2, y: 20 } })
    expect(await textIn(page.locator('#hour'))).toMatch(/^2026-06-2[23] /)
  })
}

if (chromium) describe('in Chromium the report', inChromium)
