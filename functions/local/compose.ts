import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Config, readCa, readConfig } from '../../shared/config.ts'
import { parseAdmin } from '../../shared/document.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { jsonLog, type Log } from '../../shared/log.ts'
import type { SecretStore } from '../../shared/ports/secret-store.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { fileStore } from '../../shared/stores/file.ts'
import { type AdminLogin, type PostgresSettings, postgres } from '../../shared/targets/postgres.ts'
import type { SecretId } from '../../shared/types.ts'

export interface LocalSettings {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Default: KEYTURN_STORE, else `file`. */
  readonly store?: string | undefined
  /** Of the file store. Default: KEYTURN_FOLDER, else `~/.keyturn`. */
  readonly folder?: string | undefined
  /** The folder may be missing: something is about to be put in it. */
  readonly mayBeNew?: boolean
  readonly verbose?: boolean
  /** Where log lines go. */
  readonly logTo: { write(line: string): unknown }
}

/** Everything a command works with. */
export interface Local {
  readonly config: Config
  readonly storeName: StoreName
  /** Of the file store. */
  readonly folder: string
  readonly core: Core
  /** For what is done to a database beside rotations. */
  readonly postgres: PostgresSettings
}

/** The longest a command may be given to run (--timeout); no claim is younger than this and dead. */
export const LONGEST_RUN_MS = 15 * 60_000

/** Reads the settings and builds the adapters. Nothing is sent. Throws `invalid/config`. */
export async function composeLocal(settings: LocalSettings): Promise<Local> {
  const { environment, mayBeNew = false } = settings
  const config = readConfig(environment)
  const storeName = storeNameOf(settings.store ?? environment.KEYTURN_STORE ?? 'file')
  const folder = settings.folder ?? environment.KEYTURN_FOLDER ?? join(homedir(), '.keyturn')
  const { postgres, ...adapters } = await STORES[storeName]({ config, environment, folder, mayBeNew })
  const core = { ...adapters, log: logOf(settings, config), runLivesMs: LONGEST_RUN_MS + 30_000, stepNeedsMs: 2_000 }
  return { config, storeName, folder, core, postgres }
}

type Adapters = Pick<Core, 'store' | 'targetFor'> & Pick<Local, 'postgres'>
type Chosen = Required<Pick<LocalSettings, 'environment' | 'mayBeNew'>> & { readonly config: Config; readonly folder: string }

/** Each store with the targets that find their admin secrets in it. SDKs are loaded only for the store that wants one. */
const STORES = {
  file: async ({ config, folder, mayBeNew }: Chosen): Promise<Adapters> => {
    if (!mayBeNew && !existsSync(folder))
      throw new KeyturnError('invalid/config', `there is no folder ${folder}; --folder names it, and keyturn create makes it`)
    const store = fileStore({ folder })
    const settings = postgresSettings(config, store)
    const target = postgres(settings)
    return { store, targetFor: () => target, postgres: settings }
  },
  aws: async ({ environment }: Chosen): Promise<Adapters> => {
    const aws = (await import('../aws/compose.ts')).composeAws(environment)
    return { ...aws.core(), postgres: aws.postgres }
  }
}

export type StoreName = keyof typeof STORES
export const STORE_NAMES = Object.keys(STORES) as readonly StoreName[]

function storeNameOf(text: string): StoreName {
  const name = STORE_NAMES.find((known) => known === text)
  if (!name) throw new KeyturnError('invalid/config', `the store is none of ${STORE_NAMES.join(', ')}`)
  return name
}

const postgresSettings = (config: Config, store: SecretStore): PostgresSettings => ({
  ...config,
  ca: readCa(config),
  passwordPolicy: config.password,
  admin: (reference, _host, signal) => adminOf(store, reference, signal)
})

/** The admin secret lies in the same store. */
async function adminOf(store: SecretStore, reference: SecretId, signal: AbortSignal): Promise<AdminLogin> {
  const found = await store.describe(reference, signal)
  const value = found?.current === undefined ? undefined : await store.read(reference, found.current, signal)
  if (!value) throw new KeyturnError('not-found/admin-secret', `there is no admin secret ${reference}`)
  return parseAdmin(value.text)
}

/** A person is told what was done; the log is for what went wrong, unless it is asked for. */
function logOf({ environment, verbose, logTo }: LocalSettings, { logLevel }: Config): Log {
  return jsonLog(verbose ? 'info' : environment.KEYTURN_LOG_LEVEL ? logLevel : 'warn', {
    write: (line) => void logTo.write(line)
  })
}
