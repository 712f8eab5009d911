import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import type { Metafile } from 'esbuild'

/** Path below the repository → text. */
export type Sources = ReadonlyMap<string, string>
/** Who imports what: a path below the repository, a package, or `node:…`. */
export type Edge = readonly [from: string, to: string]

export const readSources = (): Sources =>
  new Map(globSync('{shared,functions}/**/*.ts').map((path) => [normalize(path), readFileSync(path, 'utf8')]))

/** Text without comments: they may name what the code must not. */
const codeOf = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '')

/** Every import of a file, of types too: what is erased from a bundle is a dependency all the same. */
export const edgesOf = (sources: Sources): readonly Edge[] =>
  [...sources].flatMap(([path, text]) =>
    [...codeOf(text).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map(
      ([, to = '']): Edge => [path, to.startsWith('.') ? normalize(join(dirname(path), to)) : to]
    )
  )

/** What the bundler followed, among our own files. */
export const bundledEdges = ({ inputs }: Metafile): readonly Edge[] =>
  Object.entries(inputs).flatMap(([from, { imports }]) =>
    isOurs(from) ? imports.flatMap(({ path }): Edge[] => (isOurs(path) ? [[from, path]] : [])) : []
  )

const isOurs = (path: string): boolean => /^(shared|functions)\//.test(path)

/** The layers of the design, §3. `base` is what every layer may know: types, errors, metadata, documents … */
type Layer = 'functions' | 'core' | 'adapters' | 'ports' | 'base'

/** Core that is not in a folder of its own: what every host does with a request, and how it reports. */
const CORE_FILES = ['shared/act.ts', 'shared/http.ts', 'shared/report.ts']

/** What the audit calls things, and its tables: questions that are asked elsewhere are asked in the same words. */
const AUDIT_WORDS = /^shared\/audit\/(?:event|settings|members|references|gcp-identity|(?:[a-z]+-)*operations)\.ts$/

function layerOf(path: string): Layer {
  if (path.startsWith('functions/')) return 'functions'
  if (/^shared\/(stores|targets|consumers|objects|notifiers|queries)\//.test(path)) return 'adapters'
  if (path.startsWith('shared/ports/')) return 'ports'
  if (AUDIT_WORDS.test(path)) return 'base'
  // What is declared is read with the port's own words.
  if (path === 'shared/restart.ts') return 'ports'
  return /^shared\/(rotation|audit|incident)\//.test(path) || CORE_FILES.includes(path) ? 'core' : 'base'
}

const ARROWS: Readonly<Record<Layer, readonly Layer[]>> = {
  functions: ['functions', 'core', 'adapters', 'ports', 'base'],
  core: ['core', 'ports', 'base'],
  adapters: ['adapters', 'ports', 'base'],
  ports: ['ports', 'base'],
  base: ['base']
}

/** The product that an adapter is for, by its name: `aws-labels.ts` and `aws-stages.ts` are one. */
const productOf = (path: string): string =>
  /^shared\/(?:stores|targets|consumers|objects|notifiers|queries)\/([^-.]+)/.exec(path)?.[1] ?? ''

/** Not a product: RFC 5802 and nothing else; what all providers of keys, and all objects over the network, have in common. */
const NEUTRAL = ['scram', 'minted', 'by', 'remote', 'asked', 'sql']

const hostOf = (path: string): string => /^functions\/([^/]+)\//.exec(path)?.[1] ?? ''

/** The command line works on a cloud's store too, by that cloud's own composition root. */
const MAY_COMPOSE: readonly Edge[] = [
  ['functions/local/stores.ts', 'functions/aws/compose.ts'],
  ['functions/local/stores.ts', 'functions/aws/databases.ts'],
  // What every host has of them.
  ['shared/consumers/everywhere.ts', 'shared/consumers/consumers.ts'],
  ['shared/consumers/everywhere.ts', 'shared/consumers/http.ts'],
  ['shared/consumers/everywhere.ts', 'shared/consumers/kubernetes.ts'],
  ['functions/local/compose.ts', 'functions/aws/authorities.ts']
]

export function brokenArrows(edges: readonly Edge[]): readonly string[] {
  return edges.flatMap(([from, to]) => {
    if (!isOurs(to) || MAY_COMPOSE.some(([a, b]) => a === from && b === to)) return []
    const wrong =
      !ARROWS[layerOf(from)].includes(layerOf(to)) ||
      (layerOf(from) === 'functions' && layerOf(to) === 'functions' && hostOf(from) !== hostOf(to)) ||
      (layerOf(from) === 'adapters' && isOtherProduct(from, to))
    return wrong ? [`${from} → ${to}`] : []
  })
}

const isOtherProduct = (from: string, to: string): boolean =>
  layerOf(to) === 'adapters' && productOf(from) !== productOf(to) && !NEUTRAL.includes(productOf(to))

const PURE = /^shared\/(rotation|incident|ports)\//

/** The core knows no node, no SDK, no clock of its own and no network; p-map holds promises and nothing else. */
export function impurities(sources: Sources): readonly string[] {
  const imports = edgesOf(sources).flatMap(([from, to]) =>
    PURE.test(from) && !isOurs(to) && to !== 'p-map' ? [`${from} → ${to}`] : []
  )
  const globals = [...sources].flatMap(([path, text]) =>
    PURE.test(path)
      ? [...codeOf(text).matchAll(/(?<![.'\w])(process|Date|fetch|console|Buffer)\b(?!')/g)].map(([n]) => `${path}: ${n}`)
      : []
  )
  return [...imports, ...globals]
}

/** Packages with code in the output, by scope or name. */
export function packagesOf({ outputs }: Metafile): readonly string[] {
  const inputs = Object.values(outputs).flatMap((o) =>
    Object.entries(o.inputs).flatMap(([path, i]) => (i.bytesInOutput > 0 ? [path] : []))
  )
  const names = inputs.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])
  return [...new Set(names)].sort()
}

const SDKS: Readonly<Record<string, RegExp>> = {
  aws: /^(@aws-sdk|@smithy|@aws)\/|^aws-sdk$/,
  azure: /^@azure\//,
  gcp: /^@google-cloud\/|^google-auth-library$|^google-gax$|^googleapis$/
}

/** SDKs of another cloud than the host's own. The command line works on every store. */
export function foreignSdks(host: string, metafile: Metafile): readonly string[] {
  const foreign = Object.entries(SDKS).flatMap(([cloud, sdk]) => (cloud === host || host === 'local' ? [] : [sdk]))
  return packagesOf(metafile).filter((name) => foreign.some((sdk) => sdk.test(name)))
}

/** Bytes that the first call of a process reads, and all. */
export interface Size {
  readonly index: number
  readonly all: number
}

export function sizeOf({ outputs }: Metafile): Size {
  const files = Object.entries(outputs)
  const sum = (some: typeof files) => some.reduce((total, [, { bytes }]) => total + bytes, 0)
  return { index: sum(files.filter(([path]) => /\/index\.[cm]js$/.test(path))), all: sum(files) }
}

/** What moved by more than a twentieth since the budget was written down, up or down. */
export const jumps = (size: Size, budget: Size): readonly string[] =>
  (['index', 'all'] as const).flatMap((part) =>
    Math.abs(size[part] / budget[part] - 1) > 0.05 ? [`${part}: ${size[part]} bytes, the budget is ${budget[part]}`] : []
  )

/** Files that break the rules of form (design §9): their length, default exports, barrels. */
export function malformed(sources: Sources): readonly string[] {
  return [...sources].flatMap(([path, text]) => {
    const code = codeOf(text)
    const lines = text.trimEnd().split('\n').length
    const exported = code.match(/^export\b/gm)?.length ?? 0
    const passedOn = code.match(/^export\s+(?:type\s+)?(?:\*|\{[^}]*\})[^\n]*\bfrom\b/gm)?.length ?? 0
    return [
      ...(lines > 250 ? [`${path}: ${lines} lines`] : []),
      ...(/^export default\b|\bas default\b/m.test(code) ? [`${path}: a default export`] : []),
      ...(/^export\s+\*/m.test(code) || (passedOn > 0 && passedOn === exported) ? [`${path}: a barrel`] : [])
    ]
  })
}
