import { adminIn, type ReadCurrent } from '../../shared/admin.ts'
import type { Config } from '../../shared/config.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { type Leave, nothingToEnd } from '../../shared/last-out.ts'
import type { Log } from '../../shared/log.ts'
import { once } from '../../shared/once.ts'
import type { Consumers } from '../../shared/ports/consumers.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { azureKeyVault } from '../../shared/stores/azure-key-vault.ts'
import type { PostgresSettings } from '../../shared/targets/postgres.ts'
import { SecretText } from '../../shared/types.ts'
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
  readonly read: ReadCurrent
}

/** A token of the app's identity, for a resource. */
export type TokenFor = (resource: string, signal: AbortSignal) => Promise<SecretText>

/** What one function app of a deployment is for. */
export interface Purpose {
  readonly targets: (parts: {
    readonly config: Config
    readonly settings: AzureSettings
    readonly place: Place
    readonly token: TokenFor
  }) => Core['targetFor']
  /** What the other function app rotates. */
  readonly othersKinds: readonly string[]
}

/** One request to the vault or to the journal. */
const REQUEST_TIMEOUT_MS = 5_000

/** What an effect and the look after it need at most, on a slow day. */
const STEP_NEEDS_MS = 2 * REQUEST_TIMEOUT_MS

/** Builds the adapters, once a process. Throws `invalid/config` with every problem of the environment. */
export async function composeAzure(environment: Environment, { targets, othersKinds }: Purpose): Promise<Azure> {
  const { config, settings } = readSettings(environment)
  const place = await placeOf(environment, settings)
  const token = tokenFor(settings)
  const targetFor = targets({ config, settings, place, token })
  const consumers = consumersOf(config, settings, token)
  return {
    config,
    settings,
    core: (log) => ({
      store: place.store,
      targetFor,
      consumers,
      othersKinds,
      log,
      runLivesMs: settings.runLimitMs + REQUEST_TIMEOUT_MS,
      stepNeedsMs: STEP_NEEDS_MS
    }),
    enter: place.enter
  }
}

function tokenFor({ identity }: AzureSettings): TokenFor {
  const credential = identity && managedIdentity(identity)
  return async (resource, abortSignal) => {
    if (!credential) throw new KeyturnError('invalid/config', 'the function app has no managed identity')
    return new SecretText((await credential.getToken(resource, { abortSignal }))?.token ?? '')
  }
}

/** Consumers are restarted once a rotation, and mostly not at all: their modules are run only then. */
function consumersOf(config: Config, settings: AzureSettings, token: TokenFor): Consumers {
  const built = once(async () => (await import('./consumers.ts')).azureConsumers(config, settings, token))
  return { restart: async (...news) => (await built()).restart(...news) }
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
  return { store, admin: adminIn(store.readCurrent), read: store.readCurrent, enter: nothingToEnd }
}
