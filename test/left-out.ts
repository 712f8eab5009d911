import { appendFileSync } from 'node:fs'

/**
 * Says that tests were not registered because something is not installed. With KEYTURN_REQUIRE_ALL=1, as in CI, that is
 * a failure. The lines are printed when the run ends (global-setup.ts).
 */
export function leaveOut(what: string, why: string): void {
  if (process.env.KEYTURN_REQUIRE_ALL === '1') throw new Error(`required but missing: ${what}: ${why}`)
  const file = process.env.KEYTURN_LEFT_OUT
  if (file) appendFileSync(file, `${what}: ${why}\n`)
}
