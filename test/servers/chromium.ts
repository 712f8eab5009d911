import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { leaveOut } from '../left-out.ts'

/** Debian's package `chromium`; on macOS and elsewhere KEYTURN_CHROMIUM names one. */
const PLACES = [process.env.KEYTURN_CHROMIUM, '/usr/bin/chromium'].filter((path) => path !== undefined)

/** Where there is none, it says so among what the run left out. */
export function findChromium(): string | undefined {
  const found = PLACES.find((path) => existsSync(path))
  if (found === undefined) leaveOut('Chromium', 'no /usr/bin/chromium (Debian: chromium)')
  return found
}

/** A browser without a window that asks its maker for nothing. */
export const startChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync'
    ]
  })
