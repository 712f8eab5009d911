import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createGzip } from 'node:zlib'
import { build } from 'esbuild'
import { cloudTrailObject, packed, vaultLog } from './audit-logs.ts'
import { median } from './rotation.ts'

/** Of one engine on one log: MB of the unpacked log in a second, and the most memory. */
export interface Speed {
  readonly mbPerSecond: number
  readonly rssBytes: number
}

export interface AuditFigures {
  readonly megabytes: number
  readonly vault: { readonly keyturn: Speed; readonly duckdb: Speed }
  readonly vaultGz: { readonly keyturn: Speed; readonly duckdb: Speed; readonly gunzip: Speed }
  readonly cloudTrailGz: { readonly keyturn: Speed; readonly duckdb: Speed; readonly gunzip: Speed }
  /** Streamed from the generator, not stored. */
  readonly memory: readonly { readonly megabytes: number; readonly rssBytes: number }[]
  /** Wall time of `keyturn audit` with one thread over that with two. */
  readonly twoWorkers: number
}

export interface AuditBench {
  /** Of each log. */
  readonly megabytes: number
  readonly times: number
  /** Streamed, for the memory. */
  readonly streamed: readonly number[]
  readonly folder: string
  /** The command line as it is built. */
  readonly cli: string
  readonly say: (text: string) => void
}

const DUCKDB = fileURLToPath(import.meta.resolve('@duckdb/node-api'))
const NODE = resolve(import.meta.dirname, '../../node_modules/node/bin/node')
/** What a process with little memory is run with, as Lambda does by the size of the function: V8 then collects early. */
const SMALL = ['--max-semi-space-size=2', '--max-old-space-size=192']

interface Run {
  readonly seconds: number
  readonly bytes: number
  readonly events: number
  readonly rssBytes: number
}

/** Measures everything in one run, turn by turn. */
export async function auditFigures({ megabytes, times, streamed, folder, cli, say }: AuditBench): Promise<AuditFigures> {
  const [keyturn, duckdb] = await Promise.all([built(folder, 'audit-subject'), built(folder, 'audit-duckdb')])
  say(`generating logs of ${megabytes} MB`)
  const logs = await generated(folder, megabytes * 1e6)
  const subjects = {
    keyturn: (files: readonly string[]) => run([keyturn, 'keyturn', ...files]),
    gunzip: (files: readonly string[]) => run([keyturn, 'gunzip', ...files]),
    duckdb: (files: readonly string[], format = 'vault') => run([duckdb, format, ...files])
  }
  const of = async (bytes: number, engines: readonly (() => Promise<Run>)[]): Promise<readonly Speed[]> => {
    const all = engines.map((): Run[] => [])
    for (let n = 0; n < times; n++) for (const [at, engine] of engines.entries()) all[at]?.push(await engine())
    return all.map((runs) => ({
      mbPerSecond: bytes / 1e6 / median(runs.map(({ seconds }) => seconds)),
      rssBytes: Math.max(...runs.map(({ rssBytes }) => rssBytes))
    }))
  }
  const none: Speed = { mbPerSecond: 0, rssBytes: 0 }
  say(`${times} times each: Vault, plain`)
  const [k1 = none, d1 = none] = await of(logs.vaultBytes, [
    () => subjects.keyturn([logs.vault]),
    () => subjects.duckdb([logs.vault])
  ])
  say('Vault, gzip')
  const [k2 = none, d2 = none, g2 = none] = await of(logs.vaultBytes, [
    () => subjects.keyturn([logs.vaultGz]),
    () => subjects.duckdb([logs.vaultGz]),
    () => subjects.gunzip([logs.vaultGz])
  ])
  say('CloudTrail, gzip')
  const [k3 = none, d3 = none, g3 = none] = await of(logs.cloudTrailBytes, [
    () => subjects.keyturn(logs.cloudTrail),
    () => subjects.duckdb(logs.cloudTrail, 'cloudtrail'),
    () => subjects.gunzip(logs.cloudTrail)
  ])
  const memory: { megabytes: number; rssBytes: number }[] = []
  for (const megabytes of streamed) {
    say(`memory at ${megabytes} MB, streamed`)
    memory.push({ megabytes, rssBytes: (await run([...SMALL, keyturn, 'keyturn', '-'], vaultLog(megabytes * 1e6))).rssBytes })
  }
  say('two threads beside one')
  const walls: [number[], number[]] = [[], []]
  for (let n = 0; n < times; n++)
    for (const workers of [1, 2] as const)
      walls[workers - 1]?.push(await wall([cli, 'audit', logs.vault, '--json', '--workers', String(workers)]))
  return {
    megabytes,
    vault: { keyturn: k1, duckdb: d1 },
    vaultGz: { keyturn: k2, duckdb: d2, gunzip: g2 },
    cloudTrailGz: { keyturn: k3, duckdb: d3, gunzip: g3 },
    memory,
    twoWorkers: median(walls[0]) / median(walls[1])
  }
}

/** As it ships: one file without types, so that neither compiling nor loading is measured. */
async function built(folder: string, name: string): Promise<string> {
  const outfile = join(folder, `${name}.mjs`)
  await build({
    ...{ entryPoints: [join(import.meta.dirname, `${name}.ts`)], outfile, bundle: true, platform: 'node', format: 'esm' },
    ...{ target: 'node22', minify: true, external: [DUCKDB], alias: { '@duckdb/node-api': DUCKDB }, logLevel: 'warning' }
  })
  return outfile
}

async function generated(folder: string, bytes: number) {
  const [vault, vaultGz] = [join(folder, 'vault.log'), join(folder, 'vault.log.gz')]
  await pipeline(Readable.from(vaultLog(bytes)), createWriteStream(vault))
  await pipeline(Readable.from(vaultLog(bytes)), createGzip(), createWriteStream(vaultGz))
  let vaultBytes = 0
  for await (const chunk of vaultLog(bytes)) vaultBytes += chunk.length
  const cloudTrail: string[] = []
  let cloudTrailBytes = 0
  mkdirSync(join(folder, 'cloudtrail'))
  while (cloudTrailBytes < bytes) {
    const object = cloudTrailObject(cloudTrail.length)
    const file = join(folder, 'cloudtrail', `${cloudTrail.length}.json.gz`)
    writeFileSync(file, packed(object))
    cloudTrail.push(file)
    cloudTrailBytes += object.length
  }
  return { vault, vaultGz, vaultBytes, cloudTrail, cloudTrailBytes }
}

/** One process; its own figures. */
async function run(args: readonly string[], input?: AsyncIterable<Buffer>): Promise<Run> {
  const child = spawn(NODE, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk))
  const ended = once(child, 'exit')
  await pipeline(Readable.from(input ?? []), child.stdin)
  const [code] = await ended
  if (code !== 0) throw new Error(`${args.join(' ').slice(0, 200)} ended with ${code}`)
  return JSON.parse(Buffer.concat(said).toString('utf8')) as Run
}

async function wall(args: readonly string[]): Promise<number> {
  const began = performance.now()
  const child = spawn(NODE, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
  return performance.now() - began
}
