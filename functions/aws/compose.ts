import { type Config, readCa, readConfig } from '../../shared/config.ts'
import { jsonLog, type Log } from '../../shared/log.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { secretsManagerClient } from '../../shared/stores/aws-client.ts'
import { awsSecretsManager } from '../../shared/stores/aws-secrets-manager.ts'
import { type PostgresSettings, postgres } from '../../shared/targets/postgres.ts'
import type { SecretText } from '../../shared/types.ts'
import { awsAdmin } from './admin.ts'

/** Everything a function on AWS works with. */
export interface Aws {
  readonly config: Config
  readonly log: Log
  /** What the target was built with, for what is done to a database beside rotations. */
  readonly postgres: PostgresSettings
  /** For one event: Secrets Manager's RotationToken belongs to it alone. */
  readonly core: (rotationToken?: SecretText) => Core
}

/** Lambda's longest run (Lambda quotas: 900 s), and one request that was sent at its end. */
const RUN_LIVES_MS = 915_000

/** What an effect and the look after it need at most, on a slow day. */
const STEP_NEEDS_MS = 2_000

/** Builds the adapters, once a process. Throws `invalid/config` with every problem of the environment. */
export function composeAws(environment: Readonly<Record<string, string | undefined>>): Aws {
  const config = readConfig(environment)
  const log = jsonLog(config.logLevel)
  const client = secretsManagerClient(config.storeEndpoint === undefined ? {} : { endpoint: config.storeEndpoint })
  const store = awsSecretsManager({ client })
  const settings: PostgresSettings = {
    ...config,
    ca: readCa(config),
    passwordPolicy: config.password,
    admin: awsAdmin(store)
  }
  const target = postgres(settings)
  return {
    config,
    log,
    postgres: settings,
    core: (rotationToken) => ({
      store: rotationToken ? store.withRotationToken(rotationToken) : store,
      targetFor: () => target,
      log,
      runLivesMs: RUN_LIVES_MS,
      stepNeedsMs: STEP_NEEDS_MS
    })
  }
}
