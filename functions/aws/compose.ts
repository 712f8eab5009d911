import type { ReadCurrent } from '../../shared/admin.ts'
import { type Config, readConfig } from '../../shared/config.ts'
import { builtLate } from '../../shared/consumers/late.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { type Leave, nothingToEnd } from '../../shared/last-out.ts'
import { jsonLog, type Log } from '../../shared/log.ts'
import { notifyLate } from '../../shared/notifiers/notifiers.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { secretsManagerClient } from '../../shared/stores/aws-client.ts'
import { type AwsSecretsManager, awsSecretsManager } from '../../shared/stores/aws-secrets-manager.ts'
import type { SecretText } from '../../shared/types.ts'

/** Everything a function on AWS works with. */
export interface Aws {
  readonly config: Config
  readonly log: Log
  /** For one event: Secrets Manager's RotationToken belongs to it alone. */
  readonly core: (rotationToken?: SecretText) => Core
  /** Secrets Manager may drive: its four steps are taken. */
  readonly takesSteps: boolean
  /** Around each event: what was logged in for it is revoked when it leaves. Never throws. */
  readonly enter: () => Leave
}

/** Lambda's longest run (Lambda quotas: 900 s), and one request that was sent at its end. */
const RUN_LIVES_MS = 915_000

/** What an effect and the look after it need at most, on a slow day. */
const STEP_NEEDS_MS = 2_000

/** Kept back where a token has to be revoked before the answer. */
export const VAULT_MARGIN_MS = 2_000

type Environment = Readonly<Record<string, string | undefined>>

/** A store, and the ordinary read of what lies in it. */
export interface Place extends Pick<Aws, 'takesSteps' | 'enter'> {
  readonly store: (rotationToken?: SecretText) => Core['store']
  readonly read: ReadCurrent
  /** Undefined: the secrets are in Vault. */
  readonly secretsManager?: AwsSecretsManager
}

/** What one function of a deployment is for. */
export interface Purpose {
  readonly targets: (config: Config, place: Place, environment: Environment) => Core['targetFor']
  /** What the other function rotates. */
  readonly othersKinds: readonly string[]
}

/** Builds the adapters, once a process. Throws `invalid/config` with every problem of the environment. */
export async function composeAws(environment: Environment, { targets, othersKinds }: Purpose): Promise<Aws> {
  const config = readConfig(environment)
  const log = jsonLog(config.logLevel)
  const place = await awsPlace(environment, config)
  const targetFor = targets(config, place, environment)
  const consumers = builtLate(async () => (await import('./consumers.ts')).awsConsumers(environment, config))
  const build = async () => (await import('./notifiers.ts')).awsNotifiers(environment, config)
  const notify = notifyLate(config.channels, ['sns'], build)
  return {
    config,
    log,
    core: (rotationToken) => ({
      store: place.store(rotationToken),
      targetFor,
      consumers,
      notify,
      othersKinds,
      log,
      runLivesMs: RUN_LIVES_MS,
      stepNeedsMs: STEP_NEEDS_MS
    }),
    ...place
  }
}

/** Throws `invalid/config`. */
export async function awsPlace(environment: Environment, config: Config): Promise<Place> {
  const named = environment.KEYTURN_STORE || 'aws'
  if (named === 'aws') return secretsManager(config)
  // Its modules are run only here: most functions have no Vault beside them, and each millisecond of a cold start counts.
  if (named === 'vault') return (await import('./vault.ts')).vaultPlace(environment)
  throw new KeyturnError('invalid/config', 'KEYTURN_STORE must be aws or vault')
}

function secretsManager({ storeEndpoint }: Config): Place {
  const store = awsSecretsManager({
    client: secretsManagerClient(storeEndpoint === undefined ? {} : { endpoint: storeEndpoint })
  })
  return {
    store: (rotationToken) => (rotationToken ? store.withRotationToken(rotationToken) : store),
    read: store.readCurrent,
    secretsManager: store,
    takesSteps: true,
    enter: nothingToEnd
  }
}
