import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Once around the whole run. What it puts in the environment reaches every test file. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-tests-'))
  process.env.KEYTURN_LEFT_OUT = join(folder, 'left-out')
  return () => {
    printLeftOut(join(folder, 'left-out'))
    rmSync(folder, { recursive: true, force: true })
  }
}

function printLeftOut(file: string): void {
  if (!existsSync(file)) return
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  for (const line of [...new Set(lines)].sort()) console.log(`left out: ${line}`)
}
