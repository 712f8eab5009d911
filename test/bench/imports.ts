import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { median } from './rotation.ts'

// Not node_modules/.bin/node: that is a link, and following it costs time that is not the bundle's.
const NODE = resolve(import.meta.dirname, '../../node_modules/node/bin/node')
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
  const begin = performance.now()
  const child = spawn(NODE, [LAUNCHER, file], {
    env: { NODE_ENV: 'production', HOME: '/nonexistent', TZ: ':UTC' },
    stdio: ['ignore', 'ignore', 'inherit', 'pipe']
  })
  const ended = once(child, 'exit')
  const pipe = child.stdio[3]
  if (!pipe) throw new Error('no descriptor 3')
  const [chunk] = (await Promise.race([once(pipe, 'data'), ended.then(() => [])])) as readonly Buffer[]
  const ms = performance.now() - begin
  await ended
  if (chunk?.toString() !== 'imported') throw new Error(`${file} was not imported`)
  return ms
}
