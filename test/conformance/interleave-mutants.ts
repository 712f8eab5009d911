import { readFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'
import type * as Explore from './interleave-explore.ts'
import type * as Scenarios from './interleave-scenarios.ts'
import type { StoreKind, TargetKind } from './interleave-world.ts'

export interface Patch {
  /** From the repository's root. */
  readonly file: string
  /** Occurs in the file exactly once. */
  readonly find: string
  readonly replace: string
}

export interface Mutation {
  readonly rule: number
  /** What is switched off, as the rule says it. */
  readonly what: string
  readonly patches: readonly Patch[]
  /** Where it shows. The scenario by its beginning. */
  readonly scenario: string
  readonly store: StoreKind
  readonly target: TargetKind
}

const ROOT = resolve(import.meta.dirname, '../..')
const BOUNDS: readonly Explore.Bound[] = [
  { switches: 0, faults: 0 },
  { switches: 1, faults: 0 },
  { switches: 0, faults: 1 },
  { switches: 1, faults: 1 },
  { switches: 2, faults: 1 }
]

/**
 * Builds the core, the models and the suite with the patches, and explores until it goes red, within the narrowest bound
 * that shows it. Undefined: it stays green. Throws when a patch does not fit the source any more.
 */
export async function exploreMutant(mutation: Mutation): Promise<Explore.Explored['violation']> {
  const { SCENARIOS, instance, exploreAll } = await bundled(mutation.patches)
  const scenario = SCENARIOS.find((s) => s.name.startsWith(mutation.scenario))
  if (!scenario?.stores.includes(mutation.store)) throw new Error(`no scenario ${mutation.scenario} on ${mutation.store}`)
  for (const bound of BOUNDS) {
    const { violation } = await exploreAll(() => instance(scenario, mutation.store, mutation.target), bound)
    if (violation) return violation
  }
  return undefined
}

async function bundled(patches: readonly Patch[]): Promise<typeof Scenarios & typeof Explore> {
  const used = new Set<Patch>()
  const contents = ['scenarios', 'explore'].map((part) => `export * from './interleave-${part}.ts'`).join('\n')
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    plugins: [patching(patches, used)]
  })
  const unused = patches.find((p) => !used.has(p))
  if (unused) throw new Error(`${unused.file} is not part of the bundle`)
  const code = Buffer.from(outputFiles[0]?.contents ?? []).toString('base64')
  return import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)
}

const patching = (patches: readonly Patch[], used: Set<Patch>): Plugin => ({
  name: 'patch',
  setup({ onLoad }) {
    // The adapter of a real store is no part of this, and brings an SDK.
    onLoad({ filter: /model-aws\.ts$/ }, () => ({ contents: 'export const awsStore = undefined' }))
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      let contents = await readFile(path, 'utf8')
      for (const patch of patches.filter((p) => p.file === relative(ROOT, path))) {
        if (contents.split(patch.find).length !== 2) throw new Error(`${patch.file} does not have it once: ${patch.find}`)
        contents = contents.replace(patch.find, () => patch.replace)
        used.add(patch)
      }
      return { contents, loader: 'ts' }
    })
  }
})
