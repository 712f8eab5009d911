import type { ReadCurrent } from '../../shared/admin.ts'
import type { Config } from '../../shared/config.ts'
import { builtLate } from '../../shared/consumers/late.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { type Leave, nothingToEnd } from '../../shared/last-out.ts'
import type { Log } from '../../shared/log.ts'
import { notifyLate } from '../../shared/notifiers/notifiers.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { gcpSecretManager } from '../../shared/stores/gcp-secret-manager.ts'
import type { TopicSecret } from './events.ts'
import { severityLog } from './log.ts'
import { type CallerCheck, callerCheck } from './oidc.ts'
import { type ServiceAccount, serviceAccount } from './service-account.ts'
import { type GcpSettings, readSettings } from './settings.ts'

/** Everything a function on Google Cloud works with. */
export interface Gcp {
  readonly config: Config
  readonly settings: GcpSettings
  readonly log: Log
  readonly core: Core
  /** Undefined: this function takes no HTTP. */
  readonly callers: CallerCheck | undefined
  /** Why a secret that an event names is none of those that a sweep takes. Throws `unavailable/store`, `invalid/config`. */
  readonly foreign: (secret: TopicSecret) => Promise<string | undefined>
  /** Around each event: what was logged in for it is revoked when the last one leaves. Never throws. */
  readonly enter: () => Leave
}

/** A store, and the ordinary read of what lies in it. */
export interface Place extends Pick<Gcp, 'foreign' | 'enter'> {
  readonly store: Core['store']
  readonly read: ReadCurrent
}

/** What one deployment of the functions is for. */
export interface Purpose {
  readonly targets: (parts: {
    readonly config: Config
    readonly settings: GcpSettings
    readonly place: Place
    readonly account: ServiceAccount
  }) => Core['targetFor']
  /** What the other deployment rotates. */
  readonly othersKinds: readonly string[]
}

type Environment = Readonly<Record<string, string | undefined>>

/** One request to Secret Manager. */
const REQUEST_TIMEOUT_MS = 5_000

/** The longest run of any function that takes these secrets (functions/docs/configuring/timeout: 60 minutes for HTTP). */
const RUN_LIVES_MS = 3_600_000 + REQUEST_TIMEOUT_MS

/** What an effect and the look after it need at most, on a slow day. */
const STEP_NEEDS_MS = 2 * REQUEST_TIMEOUT_MS

/** Builds the adapters, once a process. Throws `invalid/config` with every problem of the environment, `unavailable/store`. */
export async function composeGcp(environment: Environment, { targets, othersKinds }: Purpose): Promise<Gcp> {
  const { config, settings } = readSettings(environment)
  const account = serviceAccount()
  const place = await placeOf(environment, settings, account)
  const log = severityLog(config.logLevel)
  const targetFor = targets({ config, settings, place, account })
  const consumers = builtLate(async () => (await import('./consumers.ts')).gcpConsumers(config, settings, account))
  const build = async () => (await import('./notifiers.ts')).gcpNotifiers(config, settings, account)
  const notify = notifyLate(config.channels, ['pubsub'], build)
  const { store, foreign, enter } = place
  return {
    config,
    settings,
    log,
    core: { store, targetFor, consumers, notify, othersKinds, log, runLivesMs: RUN_LIVES_MS, stepNeedsMs: STEP_NEEDS_MS },
    callers: settings.callers && callerCheck(settings.callers),
    foreign,
    enter
  }
}

async function placeOf(environment: Environment, settings: GcpSettings, account: ServiceAccount): Promise<Place> {
  // Its modules are run only here: most functions have no HashiCorp Vault beside them.
  if (settings.store === 'vault') return (await import('./vault.ts')).vaultPlace(environment, account)
  const { location, endpoint } = settings
  const project = settings.project ?? (await account.projectId())
  const store = gcpSecretManager({
    ...{ project, location, endpoint },
    authorize: account.authorize,
    requestTimeoutMs: REQUEST_TIMEOUT_MS
  })
  return {
    store,
    read: store.readCurrent,
    foreign: async (secret) =>
      secret.location === location && secret.project === (await numberOf(project, account)) ? undefined : ELSEWHERE,
    enter: nothingToEnd
  }
}

const ELSEWHERE = 'in another project or location than the sweep’s'

/** Events name a project by its number, and only its own can be looked up without a right more. */
async function numberOf(project: string, account: ServiceAccount): Promise<string> {
  if (/^\d+$/.test(project)) return project
  if (project === (await account.projectId())) return account.projectNumber()
  throw new KeyturnError('invalid/config', 'GOOGLE_CLOUD_PROJECT must be a number where it is not the function’s own project')
}
