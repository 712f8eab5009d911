import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import { expect, test } from 'vitest'
import { buildFunction, FUNCTIONS, type FunctionBuild } from '../infra/build.ts'
import { compareImports } from './bench/imports.ts'

/** Every function that draws, with a library of charts that ends the process when it is run. */
const DRAWING = FUNCTIONS.filter(({ name }) => name.endsWith('/summarize-audit'))

async function isImported({ name, entry, format }: FunctionBuild, line: string): Promise<boolean> {
  const plugin: Plugin = {
    name: 'no-charts',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^(planted|d3-scale)$/ }, ({ path }) => ({ path, namespace: 'planted' }))
      onLoad({ filter: /^planted$/, namespace: 'planted' }, () => ({
        contents: `import './${entry}'\n${line}`,
        resolveDir: process.cwd()
      }))
      onLoad({ filter: /^d3-scale$/, namespace: 'planted' }, () => ({ contents: 'process.exit(1)\nmodule.exports = {}' }))
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-charts-'))
  try {
    await buildFunction({ name, entry: 'planted', ...(format && { format }) }, folder, { plugins: [plugin] })
    const file = join(folder, name, format === 'cjs' ? 'index.cjs' : 'index.mjs')
    return await compareImports([file], 1).then(
      () => true,
      () => false
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test.each(DRAWING)('$name runs the charts’ library when it writes a report, and not at its start', async (fn) => {
  expect(await isImported(fn, '')).toBe(true)
  expect(await isImported(fn, "import './shared/audit/write-reports.ts'")).toBe(false)
})
