import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Config, readConfig } from '../../shared/config.ts'
import { builtLate } from '../../shared/consumers/late.ts'
import { jsonLog, type Log } from '../../shared/log.ts'
import { notifyLate } from '../../shared/notifiers/notifiers.ts'
import type { Core } from '../../shared/rotation/core.ts'
import type { PostgresSettings } from '../../shared/targets/postgres.ts'
import { postgresSettings } from '../../shared/targets/postgres-configured.ts'
import { amazonAuthorities } from '../aws/authorities.ts'
import { signedIn } from './signed-in.ts'
import { openStore, STORE_VARIABLES, type StoreName, storeNameOf } from './stores.ts'
import { localTargets } from './targets.ts'

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
  /** After the command. Never throws. */
  readonly end: () => Promise<void>
}

/** The longest a command may be given to run (--timeout); no claim is younger than this and dead. */
export const LONGEST_RUN_MS = 15 * 60_000

/** Reads the settings and builds the adapters. Nothing is sent. Throws `invalid/config`. */
export async function composeLocal(settings: LocalSettings): Promise<Local> {
  const { environment, mayBeNew = false } = settings
  const config = readConfig(environment, STORE_VARIABLES)
  const storeName = storeNameOf(settings.store ?? (environment.KEYTURN_STORE || 'file'))
  const folder = settings.folder ?? (environment.KEYTURN_FOLDER || undefined) ?? join(homedir(), '.keyturn')
  const stored = await openStore(storeName, { environment, folder, mayBeNew })
  const { store, admin, end = async () => {} } = stored
  const own = postgresSettings(config, { admin, authorities: amazonAuthorities })
  const log = logOf(settings, config)
  const who = signedIn()
  const targetFor = localTargets(environment, config, own, stored, who)
  const consumers = builtLate(async () => (await import('./consumers.ts')).localConsumers(environment, config, who))
  const build = async () => (await import('./notifiers.ts')).localNotifiers(environment, config, who)
  const notify = notifyLate(config.channels, ['sns', 'queue', 'eventgrid', 'pubsub'], build)
  const core: Core = { store, targetFor, consumers, notify, log, runLivesMs: LONGEST_RUN_MS + 30_000, stepNeedsMs: 2_000 }
  return { config, storeName, folder, core, postgres: own, end }
}

/** A person is told what was done; the log is for what went wrong, unless it is asked for. */
function logOf({ environment, verbose, logTo }: LocalSettings, { logLevel }: Config): Log {
  return jsonLog(verbose ? 'info' : environment.KEYTURN_LOG_LEVEL ? logLevel : 'warn', {
    write: (line) => void logTo.write(line)
  })
}
