import { adminIn } from '../../shared/admin.ts'
import { type Config, readCa } from '../../shared/config.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { type Leave, nothingToEnd } from '../../shared/last-out.ts'
import type { Log } from '../../shared/log.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { azureKeyVault } from '../../shared/stores/azure-key-vault.ts'
import { type PostgresSettings, postgres } from '../../shared/targets/postgres.ts'
import { managedIdentity } from './credential.ts'
import { type AzureSettings, readSettings } from './settings.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Everything a function on Azure works with. */
export interface Azure {
  readonly config: Config
  readonly settings: AzureSettings
  /** For one invocation: its log is its own. */
  readonly core: (log: Log) => Core
  /** Around each event: what was logged in for it is revoked when the last one leaves. Never throws. */
  readonly enter: () => Leave
}

/** A store, and the admin logins that lie in it. */
export interface Place extends Pick<Azure, 'enter'> {
  readonly store: Core['store']
  readonly admin: NonNullable<PostgresSettings['admin']>
}

/** One request to the vault or to the journal. */
const REQUEST_TIMEOUT_MS = 5_000

/** What an effect and the look after it need at most, on a slow day. */
const STEP_NEEDS_MS = 2 * REQUEST_TIMEOUT_MS

/** Builds the adapters, once a process. Throws `invalid/config` with every problem of the environment. */
export async function composeAzure(environment: Environment): Promise<Azure> {
  const { config, settings } = readSettings(environment)
  const { store, admin, enter } = await placeOf(environment, settings)
  const target = postgres({ ...config, ca: readCa(config), passwordPolicy: config.password, admin })
  return {
    config,
    settings,
    core: (log) => ({
      store,
      targetFor: () => target,
      log,
      runLivesMs: settings.runLimitMs + REQUEST_TIMEOUT_MS,
      stepNeedsMs: STEP_NEEDS_MS
    }),
    enter
  }
}

async function placeOf(environment: Environment, settings: AzureSettings): Promise<Place> {
  const { vaultUrl, journalUrl, identity } = settings
  // Its modules are run only here: most function apps have no HashiCorp Vault beside them.
  if (vaultUrl === undefined) return (await import('./vault.ts')).vaultPlace(environment, identity)
  if (journalUrl === undefined || identity === undefined) throw new KeyturnError('bug/internal', 'settings without a journal')
  const store = azureKeyVault({
    vaultUrl,
    credential: managedIdentity(identity),
    journal: { containerUrl: journalUrl },
    requestTimeoutMs: REQUEST_TIMEOUT_MS
  })
  return { store, admin: adminIn(store.readCurrent), enter: nothingToEnd }
}
