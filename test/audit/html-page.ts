import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { htmlReport } from '../../shared/audit/outputs/html.ts'
import type { Summary } from '../../shared/audit/summary.ts'
import { startChromium } from '../servers/chromium.ts'

/** A report that a person has opened, and what the browser noticed. */
export interface OpenReport {
  readonly page: Page
  /** Of every request, the file's own included. */
  readonly requests: readonly string[]
  /** What the page or the browser complained about. */
  readonly complaints: readonly string[]
  readonly url: string
}

export interface OpenOptions extends BrowserContextOptions {
  /** Runs before the page, beyond the reach of its policy. */
  readonly before?: string
}

export type Open = (summary: Summary, options?: OpenOptions) => Promise<OpenReport>

/** One browser for the tests of a file; each report is opened from a file, in a context of its own. */
export function reportsIn(executablePath: string | undefined): Open {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-report-'))
  let browser: Browser
  let count = 0
  beforeAll(async () => {
    browser = await startChromium(executablePath ?? '')
  })
  afterAll(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true })
  })
  return async (summary, { before, ...options } = {}) => {
    const file = join(folder, `${count++}.html`)
    writeFileSync(file, htmlReport(summary, { title: 'Audit of the shop', version: '0.1.0', generatedAt: 0 }))
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    if (before) await context.addInitScript({ content: before })
    const page = await context.newPage()
    const noticed = watched(page)
    const url = pathToFileURL(file).href
    await page.goto(url)
    return { page, url, ...noticed }
  }
}

function watched(page: Page): Pick<OpenReport, 'requests' | 'complaints'> {
  const requests: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', ({ message }) => complaints.push(message))
  page.on('dialog', async (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    await dialog.dismiss()
  })
  return { requests, complaints }
}

/** What an expression is in the page; a text, because the page's types are not those of the tests. */
export const inPage = <Value>(page: Page, expression: string): Promise<Value> => page.evaluate<Value>(expression)

export const textIn = async (locator: Locator): Promise<string> => (await locator.textContent()) ?? ''

export const visibleFindings = (page: Page): Promise<number> => page.locator('li.finding:visible').count()
