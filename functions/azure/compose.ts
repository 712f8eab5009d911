import type { TokenCredential } from '@azure/core-auth'
import type { ReadCurrent } from '../../shared/admin.ts'
import type { Config } from '../../shared/config.ts'
import { builtLate } from '../../shared/consumers/late.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { type Leave, nothingToEnd } from '../../shared/last-out.ts'
import type { Log } from '../../shared/log.ts'
import { notifyLate } from '../../shared/notifiers/notifiers.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { azureKeyVault } from '../../shared/stores/azure-key-vault.ts'
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

/** A store, and the ordinary read of what lies in it. */
export interface Place extends Pick<Azure, 'enter'> {
  readonly store: Core['store']
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
  const credential = settings.identity && managedIdentity(settings.identity)
  const place = await placeOf(environment, settings, credential)
  const token = tokenOf(credential)
  const targetFor = targets({ config, settings, place, token })
  const consumers = builtLate(async () => (await import('./consumers.ts')).azureConsumers(config, settings, token))
  const build = async () => (await import('./notifiers.ts')).azureNotifiers(config, token)
  const notify = notifyLate(config.channels, ['queue', 'eventgrid'], build)
  return {
    config,
    settings,
    core: (log) => ({
      store: place.store,
      targetFor,
      consumers,
      notify,
      othersKinds,
      log,
      runLivesMs: settings.runLimitMs + REQUEST_TIMEOUT_MS,
      stepNeedsMs: STEP_NEEDS_MS
    }),
    enter: place.enter
  }
}

/** Fails with `invalid/config` where there is no identity. */
export const tokenOf =
  (credential: TokenCredential | undefined): TokenFor =>
  async (resource, abortSignal) => {
    if (!credential) throw new KeyturnError('invalid/config', 'the function app has no managed identity')
    return new SecretText((await credential.getToken(resource, { abortSignal }))?.token ?? '')
  }

async function placeOf(
  environment: Environment,
  { vaultUrl, journalUrl }: AzureSettings,
  credential: TokenCredential | undefined
): Promise<Place> {
  // Its modules are run only here: most function apps have no HashiCorp Vault beside them.
  if (vaultUrl === undefined) return (await import('./vault.ts')).vaultPlace(environment, credential && tokenOf(credential))
  if (journalUrl === undefined || credential === undefined) throw new KeyturnError('bug/internal', 'settings without a journal')
  const store = azureKeyVault({
    vaultUrl,
    credential,
    journal: { containerUrl: journalUrl },
    requestTimeoutMs: REQUEST_TIMEOUT_MS
  })
  return { store, read: store.readCurrent, enter: nothingToEnd }
}
