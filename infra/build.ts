import { rm } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'

/** One function: the folder it is written to below dist, and its entry. */
export interface FunctionBuild {
  readonly name: string
  readonly entry: string
  /** Default: an ES module, index.mjs. */
  readonly format?: 'cjs'
}

export const FUNCTIONS: readonly FunctionBuild[] = [
  { name: 'aws/rotate-database', entry: 'functions/aws/rotate-database.ts' },
  { name: 'aws/rotate-api-key', entry: 'functions/aws/rotate-api-key.ts' },
  { name: 'aws/summarize-audit', entry: 'functions/aws/summarize-audit.ts' },
  // @azure/functions does not load from an ES module that a bundler made.
  { name: 'azure/rotate-database', entry: 'functions/azure/apps/rotate-database.ts', format: 'cjs' },
  { name: 'azure/rotate-api-key', entry: 'functions/azure/apps/rotate-api-key.ts', format: 'cjs' },
  { name: 'azure/summarize-audit', entry: 'functions/azure/apps/summarize-audit.ts', format: 'cjs' },
  { name: 'gcp/rotate-database', entry: 'functions/gcp/rotate-database.ts' },
  { name: 'gcp/rotate-api-key', entry: 'functions/gcp/rotate-api-key.ts' },
  { name: 'gcp/summarize-audit', entry: 'functions/gcp/summarize-audit.ts' },
  { name: 'local/keyturn', entry: 'functions/local/cli.ts' }
]

/**
 * What one function is bundled with. `main` before `module`, esbuild's default for node, would take the SDK's CommonJS,
 * which is not tree-shaken (468 instead of 329 kB), and jsonc-parser's UMD, whose `require` esbuild does not see.
 */
const SHARED = {
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  mainFields: ['module', 'main'],
  minify: true,
  keepNames: false,
  sourcemap: false,
  legalComments: 'none',
  outExtension: { '.js': '.mjs' },
  // pg's native binding is an optional peer that nobody here installs; the Functions host itself answers the other one.
  external: ['pg-native', '@azure/functions-core'],
  logLevel: 'warning'
} as const satisfies BuildOptions

/**
 * Gets node's own modules without an ES module around them. To make one, node reads every property of the module, and
 * reading all of node:http loads undici (its WebSocket): 16 ms of a cold start, wherever the SDK says `import('node:http')`.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^[a-z_:/0-9]+$/ }, ({ path }) => {
      const name = path.replace(/^node:/, '')
      return builtinModules.includes(name) ? { path: name, namespace: 'builtin', sideEffects: false } : null
    })
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}')`
    }))
  }
}

/**
 * What is taken of a package that is imported lazily, where that is little: `import()` keeps everything that a package
 * exports, and the RDS client has 170 commands. test/architecture.test.ts compares it with the sources.
 */
export const TAKEN: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-athena': [
    'AthenaClient',
    'GetQueryExecutionCommand',
    'GetQueryResultsCommand',
    'GetWorkGroupCommand',
    'StartQueryExecutionCommand',
    'StopQueryExecutionCommand'
  ],
  '@aws-sdk/client-iam': [
    'IAMClient',
    'CreateAccessKeyCommand',
    'DeleteAccessKeyCommand',
    'GetAccessKeyLastUsedCommand',
    'ListAccessKeysCommand',
    'UpdateAccessKeyCommand'
  ],
  '@aws-sdk/client-s3': ['S3Client', 'GetObjectCommand', 'HeadObjectCommand', 'ListObjectsV2Command', 'PutObjectCommand'],
  '@aws-sdk/client-rds': ['RDSClient', 'DescribeDBClustersCommand', 'DescribeDBInstancesCommand']
}

/** An entry that passes on no more than what is taken. */
const takenOnly: Plugin = {
  name: 'taken-only',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^taken:/ }, ({ path }) => ({ path: path.slice('taken:'.length), namespace: 'taken' }))
    onLoad({ filter: /.*/, namespace: 'taken' }, ({ path }) => ({
      contents: `export { ${TAKEN[path]?.join(', ')} } from '${path}'`,
      resolveDir: process.cwd()
    }))
  }
}

/**
 * A package that is imported by `import()` becomes a file of its own, `lazy/<package>.mjs`, kept in `found`: what the first
 * call does not need is then neither read nor parsed. The bundler's own splitting does it too, but moves all that the
 * parts share out of index.mjs into many files (6 ms more), and wraps it where it does not split (11 ms more).
 */
const lazyPackages = (found: Map<string, string>): Plugin => ({
  name: 'lazy-packages',
  setup: ({ onResolve, resolve }) =>
    onResolve({ filter: /^[^./]/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
      if (kind !== 'dynamic-import' || pluginData === 'resolving' || isBuiltin(path)) return null
      const resolved = await resolve(path, { kind, importer, resolveDir, pluginData: 'resolving' })
      const name = path.replace(/^@/, '').replaceAll('/', '-')
      const entry = path in TAKEN ? `taken:${path}` : resolved.path
      if ((found.get(name) ?? entry) !== entry) throw new Error(`two versions of ${path} are imported lazily`)
      found.set(name, entry)
      return { path: `./lazy/${name}.mjs`, external: true }
    })
})

const isBuiltin = (path: string): boolean => builtinModules.includes(path.replace(/^node:/, ''))

/** Builds one function: index.mjs (index.cjs), and lazy/ beside it. */
export async function buildFunction(
  { name, entry, format }: FunctionBuild,
  outdir: string,
  more: BuildOptions = {}
): Promise<Metafile> {
  const lazy = new Map<string, string>()
  const folder = `${outdir}/${name}`
  const { metafile: first } = await build({
    ...SHARED,
    ...(format === 'cjs' && { format, outExtension: { '.js': '.cjs' } }),
    ...more,
    entryPoints: { index: entry },
    outdir: folder,
    plugins: [...(more.plugins ?? []), builtins, lazyPackages(lazy)],
    metafile: true
  })
  if (lazy.size === 0) return first
  // Split among themselves: the SDK's credential providers share most of their code.
  const { metafile: later } = await build({
    ...SHARED,
    ...more,
    entryPoints: Object.fromEntries(lazy),
    outdir: `${folder}/lazy`,
    splitting: true,
    plugins: [...(more.plugins ?? []), builtins, takenOnly],
    metafile: true
  })
  return { inputs: { ...first.inputs, ...later.inputs }, outputs: { ...first.outputs, ...later.outputs } }
}

/** Builds every function. Returns each metafile, for the tests of what ships. */
export async function buildAll(outdir: string): Promise<ReadonlyMap<string, Metafile>> {
  const built = new Map<string, Metafile>()
  for (const fn of FUNCTIONS) built.set(fn.name, await buildFunction(fn, outdir))
  return built
}

export const bytesOf = ({ outputs }: Metafile): number => Object.values(outputs).reduce((sum, { bytes }) => sum + bytes, 0)

if (import.meta.main) {
  await rm('dist', { recursive: true, force: true })
  for (const [name, metafile] of await buildAll('dist')) {
    console.log(`dist/${name}  ${(bytesOf(metafile) / 1024).toFixed(0)} KiB`)
  }
}
