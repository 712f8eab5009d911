import { join } from 'node:path'
import { untilItSays } from './processes.ts'
import { median } from './rotation.ts'

const LAUNCHER = join(import.meta.dirname, 'import-launcher.mjs')

/** Medians of new processes, ms from their start until the file is imported, turn by turn. Fails when one is not. */
export async function compareImports(files: readonly string[], times: number): Promise<readonly number[]> {
  const ms = files.map((): number[] => [])
  for (let round = -2; round < times; round++) {
    for (const [at, file] of files.entries()) {
      const took = await imported(file)
      if (round >= 0) ms[at]?.push(took)
    }
  }
  return ms.map(median)
}

async function imported(file: string): Promise<number> {
  const { ms, said } = await untilItSays(LAUNCHER, [file], { NODE_ENV: 'production', HOME: '/nonexistent', TZ: ':UTC' })
  if (said !== 'imported') throw new Error(`${file} was not imported`)
  return ms
}
