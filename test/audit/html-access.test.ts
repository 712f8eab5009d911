import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { PAGE_STYLE } from '../../shared/audit/outputs/html-assets.ts'
import { findChromium } from '../servers/chromium.ts'
import { inPage, reportsIn, visibleFindings } from './html-page.ts'
import { summaryNamed } from './outputs/hostile.ts'
import { coldSummary, sampleSummary } from './sample-summary.ts'

const chromium = findChromium()

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const PHONE = { width: 360, height: 740 }

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string }[]
}

describe.each([
  ['light', 0],
  ['dark', 1]
] as const)('of the colours, when it is %s,', (_scheme, nth) => {
  const colours = new Map(
    [...PAGE_STYLE.matchAll(/--([a-z-]+):\s*light-dark\((#[0-9a-f]+),\s*(#[0-9a-f]+)\)/g)].map(([, name = '', ...both]) => [
      name,
      both[nth] ?? ''
    ])
  )
  const onTints = ['critical', 'high', 'medium', 'low', 'calm'].map((tone) => [tone, `${tone}-tint`] as const)

  test.each([
    ...['ink', 'muted', 'accent'].flatMap((text) => ['ground', 'card', 'sunk'].map((paper) => [text, paper] as const)),
    ...onTints,
    ...onTints.map(([tone]) => [tone, 'card'] as const),
    ...onTints.flatMap(([, tint]) => [['ink', tint] as const, ['muted', tint] as const])
  ])('%s is read on %s: WCAG 2.2, 1.4.3', (text, paper) => {
    expect(contrast(colours.get(text) ?? '', colours.get(paper) ?? '')).toBeGreaterThanOrEqual(4.5)
  })

  test.each(['edge', 'reads', 'critical-fill', 'people', 'others'])('%s is seen on a card: WCAG 2.2, 1.4.11', (shape) => {
    expect(contrast(colours.get(shape) ?? '', colours.get('card') ?? '')).toBeGreaterThanOrEqual(3)
  })
})

/** WCAG 2.2, "contrast ratio". */
function contrast(a: string, b: string): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (lighter + 0.05) / (darker + 0.05)
}

function luminance(colour: string): number {
  const wide = colour.length === 4 ? colour.replaceAll(/[0-9a-f]/g, '$&$&') : colour
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(wide.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function inChromium(): void {
  const open = reportsIn(chromium)

  test('begins with a way past the list of parts, and shows where the keyboard is', async () => {
    const { page } = await open(sampleSummary())
    await page.keyboard.press('Tab')
    expect(await inPage(page, 'document.activeElement.textContent')).toBe('Skip to the findings')
    expect((await page.locator('.skip').boundingBox())?.y).toBeGreaterThanOrEqual(0)
    await page.keyboard.press('Enter')
    expect(await inPage(page, 'document.activeElement.id')).toBe('findings-title')
    await page.keyboard.press('Tab')
    expect(await inPage(page, 'document.activeElement.dataset.severity')).toBe('critical')
    expect(await inPage(page, 'getComputedStyle(document.activeElement).outlineStyle')).toBe('solid')
    await page.keyboard.press('Space')
    expect(await visibleFindings(page)).toBe(5)
  })

  const ground = (page: Page): Promise<string> => inPage(page, 'getComputedStyle(document.body).backgroundColor')
  const [LIGHT, DARK] = ['rgb(246, 245, 241)', 'rgb(19, 21, 25)']

  test('is light or dark as the system is, and as the switch says', async () => {
    const { page } = await open(sampleSummary(), { colorScheme: 'dark' })
    expect(await ground(page)).toBe(DARK)
    await page.getByRole('radio', { name: 'Light' }).check({ force: true })
    expect(await ground(page)).toBe(LIGHT)
    await page.emulateMedia({ colorScheme: 'light' })
    await page.getByRole('radio', { name: 'Dark' }).check({ force: true })
    expect(await ground(page)).toBe(DARK)
    await page.getByRole('radio', { name: 'System' }).check({ force: true })
    expect(await ground(page)).toBe(LIGHT)
  })

  test('is printed light, whole and with all findings open', async () => {
    const { page } = await open(sampleSummary(), { colorScheme: 'dark' })
    await page.emulateMedia({ media: 'print' })
    await inPage(page, 'dispatchEvent(new Event("beforeprint"))')
    expect(await ground(page)).toBe('rgb(255, 255, 255)')
    expect(await visibleFindings(page)).toBe(40)
    expect(await page.locator('li.finding details[open]').count()).toBe(40)
    expect(await page.getByRole('searchbox').count()).toBe(0)
    expect(await inPage(page, 'getComputedStyle(document.querySelector(".scroll")).overflowY')).toBe('visible')
    await inPage(page, 'dispatchEvent(new Event("afterprint"))')
    expect(await page.locator('li.finding details[open]').count()).toBe(0)
  })

  test('is whole without its script, and shows no control that would do nothing', async () => {
    const { page } = await open(sampleSummary(), { javaScriptEnabled: false })
    expect(await visibleFindings(page)).toBe(40)
    expect(await page.locator('.live:visible').count()).toBe(0)
    expect(await page.locator('button:enabled:visible:not([data-look])').count()).toBe(0)
  })

  test.each([
    ['the sample', sampleSummary],
    ['names of 5,000 characters', () => summaryNamed('x'.repeat(5_000))]
  ])('is no wider than a phone with %s', async (_name, summary) => {
    const { page } = await open(summary(), { viewport: PHONE })
    expect(await inPage(page, 'document.documentElement.scrollWidth')).toBeLessThanOrEqual(PHONE.width)
  })

  test.each([
    ['light', 'desk', sampleSummary],
    ['dark', 'desk', sampleSummary],
    ['light', 'phone', sampleSummary],
    ['dark', 'phone', coldSummary]
  ] as const)('has nothing that axe objects to: %s, on a %s', async (colorScheme, device, summary) => {
    const { page } = await open(summary(), {
      colorScheme,
      before: axe,
      ...(device === 'phone' && { viewport: PHONE })
    })
    if (summary === sampleSummary) await page.getByRole('button', { name: 'Open all' }).click()
    const { violations, passes } = await inPage<{ violations: Violation[]; passes: Violation[] }>(page, 'axe.run()')
    expect(
      violations.map(
        ({ id, nodes }) =>
          `${id}: ${nodes
            .map(({ html }) => html)
            .slice(0, 3)
            .join(' ')}`
      )
    ).toEqual([])
    expect(passes.map(({ id }) => id)).toEqual(expect.arrayContaining(['color-contrast', 'label', 'region']))
  })

  test('what axe objects to would be found', async () => {
    const { page } = await open(sampleSummary(), { before: axe })
    await inPage(page, 'document.querySelector("main").append(document.createElement("button"))')
    const { violations } = await inPage<{ violations: Violation[] }>(page, 'axe.run({ runOnly: ["button-name"] })')
    expect(violations.map(({ id }) => id)).toEqual(['button-name'])
  })
}

if (chromium) describe('for everybody the report', inChromium)
