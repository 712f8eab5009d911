import { type Config, readCa, readConfig } from '../../shared/config.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { type Leave, nothingToEnd } from '../../shared/last-out.ts'
import { jsonLog, type Log } from '../../shared/log.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { secretsManagerClient } from '../../shared/stores/aws-client.ts'
import { awsSecretsManager } from '../../shared/stores/aws-secrets-manager.ts'
import { type PostgresSettings, postgres } from '../../shared/targets/postgres.ts'
import type { SecretText } from '../../shared/types.ts'
import { awsAdmin } from './admin.ts'
import { amazonAuthorities } from './authorities.ts'

/** Everything a function on AWS works with. */
export interface Aws {
  readonly config: Config
  readonly log: Log
  readonly admin: NonNullable<PostgresSettings['admin']>
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

type Environment = Readonly<Record<string, string | undefined>>

/** A store, and the admin logins that lie in it. */
export interface Place extends Pick<Aws, 'admin' | 'takesSteps' | 'enter'> {
  readonly store: (rotationToken?: SecretText) => Core['store']
}

/** Builds the adapters, once a process. Throws `invalid/config` with every problem of the environment. */
export async function composeAws(environment: Environment): Promise<Aws> {
  const config = readConfig(environment)
  const log = jsonLog(config.logLevel)
  const { store, ...place } = await placeOf(environment, config)
  const target = postgres({
    ...config,
    ca: readCa(config),
    authorities: amazonAuthorities,
    passwordPolicy: config.password,
    admin: place.admin
  })
  return {
    config,
    log,
    core: (rotationToken) => ({
      store: store(rotationToken),
      targetFor: () => target,
      log,
      runLivesMs: RUN_LIVES_MS,
      stepNeedsMs: STEP_NEEDS_MS
    }),
    ...place
  }
}

async function placeOf(environment: Environment, config: Config): Promise<Place> {
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
    admin: awsAdmin(store),
    takesSteps: true,
    enter: nothingToEnd
  }
}
