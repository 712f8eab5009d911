import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { buildFunction, bytesOf, FUNCTIONS } from '../../infra/build.ts'
import { findMoto } from '../doubles/moto.ts'
import type { Cloud } from '../functions/lambda-cloud.ts'
import { auditFigures } from './audit.ts'
import { auditLines } from './audit-figures.ts'
import {
  type CloudFigures,
  cloudLines,
  type Figures,
  type KeyFigures,
  keyLines,
  type Line,
  lines,
  MOST_CALLS,
  storeLines
} from './figures.ts'
import { compareImports } from './imports.ts'
import { countOnAws, countOnAzureKeys, countOnGcpKeys } from './keys.ts'
import { underLoad } from './load.ts'
import type { Subject } from './processes.ts'
import { compareCold, compareWall, count, peakRss } from './rotation.ts'
import { onMoto, onOurDouble, onOurDoubleElsewhere } from './store.ts'
import { countOnAzure, countOnGcp, countOnVault } from './stores.ts'

const NAME = 'aws/rotate-database'

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } }
})
/** How often; `--quick` is for trying the bench itself. */
const TIMES = options.quick
  ? { wall: 3, cold: 3, rss: 1, load: 5, imports: 3, audit: 1 }
  : { wall: 25, cold: 25, rss: 5, load: 100, imports: 25, audit: 5 }
/** Of logs that are read: MB of each, and MB that are streamed. */
const LOGS = options.quick ? { megabytes: 32, streamed: [32, 64] } : { megabytes: 512, streamed: [1_000, 10_000] }
const say = (text: string): void => void process.stderr.write(`${text}\n`)

const subject = (name: Subject['name'], file: string, { env }: Pick<Cloud, 'env'>): Subject => ({ name, file, env })
const here = (file: string): string => join(import.meta.dirname, file)

const subjectsOn = (bundle: string, cloud: Cloud) => ({
  ours: subject('keyturn', bundle, cloud),
  plain: subject('plain', here('plain-handler.mjs'), cloud),
  empty: subject('empty', here('empty-handler.mjs'), cloud)
})

async function counted(bundle: string) {
  const stage = await onOurDouble()
  try {
    say('counting calls and logins')
    const { ours, plain } = subjectsOn(bundle, stage.cloud)
    const version = "SELECT 'PostgreSQL ' || current_setting('server_version') AS version"
    const [database] = await stage.cloud.server.query<{ version: string }>(version)
    return {
      ...{ store: stage.store, database: database?.version ?? '', node: process.version },
      ...(await count(stage, ours)),
      plain: await count(stage, plain)
    }
  } finally {
    await stage.close()
  }
}

async function timed(bundle: string) {
  const stage = await onOurDoubleElsewhere()
  try {
    const { ours, plain, empty } = subjectsOn(bundle, stage.cloud)
    say(`${TIMES.cold} cold starts, turn by turn with the plain and the empty handler’s`)
    const [emptyMs = 0, plainColdMs = 0, coldMs = 0] = await compareCold(stage, [empty, plain, ours], TIMES.cold)
    say(`${TIMES.wall} rotations, turn by turn with the plain handler’s`)
    const [wallMs, plainWallMs] = await compareWall(stage, ours, plain, TIMES.wall)
    say('memory')
    const [rssBytes, plainRssBytes] = [await peakRss(stage, ours, TIMES.rss), await peakRss(stage, plain, TIMES.rss)]
    return { wallMs, plainWallMs, coldMs, emptyMs, plainColdMs, rssBytes, plainRssBytes }
  } finally {
    await stage.close()
  }
}

async function onMotoToo(bundle: string): Promise<Pick<Figures, 'moto'>> {
  const file = findMoto()
  if (file === undefined) {
    say('left out: moto, because moto_server is not installed')
    return {}
  }
  const stage = await onMoto(file)
  try {
    const { ours, plain } = subjectsOn(bundle, stage.cloud)
    say('the same on moto')
    const counts = await count(stage, ours)
    const [wallMs, plainWallMs] = await compareWall(stage, ours, plain, TIMES.wall)
    return { moto: { store: stage.store, ...counts, wallMs, plainWallMs } }
  } finally {
    await stage.close()
  }
}

async function measure(outdir: string): Promise<Figures> {
  const fn = FUNCTIONS.find(({ name }) => name === NAME)
  if (!fn) throw new Error(`infra/build.ts builds no ${NAME}`)
  const metafile = await buildFunction(fn, outdir)
  const bundle = join(outdir, NAME, 'index.mjs')
  const [, index] = Object.entries(metafile.outputs).find(([path]) => path.endsWith('/index.mjs')) ?? []
  const local = { ...(await counted(bundle)), ...(await timed(bundle)) }
  const moto = await onMotoToo(bundle)
  say(`${TIMES.load} rotations under 16 busy clients`)
  const { store: _, ...load } = await underLoad((cloud) => subject('keyturn', bundle, cloud), TIMES.load, 16)
  return { ...local, bundleBytes: bytesOf(metafile), indexBytes: index?.bytes ?? 0, ...load, ...moto }
}

/** A function beside rotate-database on AWS: what its import costs, its size, and the calls of a rotation of its core. */
async function measured<Counted>(
  outdir: string,
  name: string,
  file: string,
  empty: string,
  count: () => Promise<Counted>
): Promise<Counted & Pick<CloudFigures, 'importMs' | 'emptyImportMs' | 'bundleBytes' | 'indexBytes'>> {
  const fn = FUNCTIONS.find((f) => f.name === name)
  if (!fn) throw new Error(`infra/build.ts builds no ${name}`)
  const metafile = await buildFunction(fn, outdir)
  const [, index] = Object.entries(metafile.outputs).find(([path]) => path.endsWith(`/${file}`)) ?? []
  say(`${TIMES.imports} cold imports of ${name}, turn by turn with an empty handler’s`)
  const [emptyImportMs = 0, importMs = 0] = await compareImports([here(empty), join(outdir, name, file)], TIMES.imports)
  say(`the calls of a rotation of ${name}`)
  return { ...(await count()), importMs, emptyImportMs, bundleBytes: bytesOf(metafile), indexBytes: index?.bytes ?? 0 }
}

async function audited(outdir: string) {
  const cli = FUNCTIONS.find(({ name }) => name === 'local/keyturn')
  if (!cli) throw new Error('infra/build.ts builds no local/keyturn')
  await buildFunction(cli, outdir)
  return auditFigures({ ...LOGS, times: TIMES.audit, folder: outdir, cli: join(outdir, cli.name, 'index.mjs'), say })
}

function print(title: string, of: readonly Line[]): void {
  const table = new Table({ head: [title, 'measured', 'wanted', '', 'plain handler', 'store'], style: { head: [], border: [] } })
  for (const { figure, value, target, met, plain, store } of of)
    table.push([figure, value, target, target === '' ? '' : met ? 'met' : 'NOT MET', plain, store])
  console.log(table.toString())
}

const outdir = mkdtempSync(join(tmpdir(), 'keyturn-bench-'))
try {
  const azure = await measured(outdir, 'azure/rotate-database', 'index.cjs', 'empty-handler.cjs', countOnAzure)
  const gcp = await measured(outdir, 'gcp/rotate-database', 'index.mjs', 'empty-handler.mjs', countOnGcp)
  const keys: Readonly<Record<string, KeyFigures>> = {
    'aws/rotate-api-key': await measured(outdir, 'aws/rotate-api-key', 'index.mjs', 'empty-handler.mjs', countOnAws),
    'azure/rotate-api-key': await measured(outdir, 'azure/rotate-api-key', 'index.cjs', 'empty-handler.cjs', countOnAzureKeys),
    'gcp/rotate-api-key': await measured(outdir, 'gcp/rotate-api-key', 'index.mjs', 'empty-handler.mjs', countOnGcpKeys)
  }
  say('the calls of a rotation on Vault')
  const vault = await countOnVault()
  const aws = await measure(outdir)
  const audit = await audited(outdir)
  if (options.json)
    console.log(
      JSON.stringify({
        [NAME]: aws,
        'azure/rotate-database': azure,
        'gcp/rotate-database': gcp,
        'vault-kv': vault,
        ...keys,
        audit
      })
    )
  else {
    print(NAME, lines(aws))
    print('azure/rotate-database', cloudLines(azure, MOST_CALLS.azure))
    print('gcp/rotate-database', cloudLines(gcp, MOST_CALLS.gcp))
    print('vault-kv', storeLines(vault, MOST_CALLS.vault))
    for (const [name, figures] of Object.entries(keys)) print(name, keyLines(figures))
    print('keyturn audit', auditLines(audit))
    console.log(`${aws.database}, TLS; Node ${aws.node}; times are medians, taken turn by turn in one run.`)
  }
} finally {
  rmSync(outdir, { recursive: true, force: true })
}
