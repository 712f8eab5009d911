import { readFileSync } from 'node:fs'
import { type Config, readConfig } from '../../shared/config.ts'
import { parseAdmin } from '../../shared/document.ts'
import { hasCode, KeyturnError } from '../../shared/errors.ts'
import { jsonLog, type Log } from '../../shared/log.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { secretsManagerClient } from '../../shared/stores/aws-client.ts'
import { type AwsSecretsManager, awsSecretsManager } from '../../shared/stores/aws-secrets-manager.ts'
import { type AdminLogin, postgres } from '../../shared/targets/postgres.ts'
import { RDS_TAGS, type RdsLookup, rds, type Writer } from '../../shared/targets/rds.ts'
import type { SecretText } from '../../shared/types.ts'

/** Everything a function on AWS works with. */
export interface Aws {
  readonly config: Config
  readonly log: Log
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
  const lookup = rds(async () => new (await import('@aws-sdk/client-rds')).RDSClient({}))
  const target = postgres({
    ...config,
    ca: config.caFile === undefined ? undefined : readCa(config.caFile),
    passwordPolicy: config.password,
    admin: (reference, host, signal) => adminOf(store, lookup, reference, host, signal)
  })
  return {
    config,
    log,
    core: (rotationToken) => ({
      store: rotationToken ? store.withRotationToken(rotationToken) : store,
      targetFor: () => target,
      log,
      runLivesMs: RUN_LIVES_MS,
      stepNeedsMs: STEP_NEEDS_MS
    })
  }
}

/**
 * The admin's login. Its host is the secret's own; a master secret that RDS manages has none, so RDS is asked; and a
 * secret for a replica is rotated at its writer, once RDS has said that it is the writer.
 */
async function adminOf(
  store: AwsSecretsManager,
  lookup: RdsLookup,
  reference: string,
  host: string,
  signal: AbortSignal
): Promise<AdminLogin> {
  const admin = parseAdmin(await readAdmin(store, reference, signal))
  const writer =
    admin.host === undefined ? await writerOf(store, lookup, reference, signal) : { host: admin.host, port: admin.port }
  const login = { ...admin, ...writer }
  if (writer.host.toLowerCase() === host.toLowerCase()) return login
  return { ...login, hostIsChecked: await lookup.isReplica(host, writer.host, signal) }
}

async function readAdmin(store: AwsSecretsManager, reference: string, signal: AbortSignal): Promise<SecretText> {
  try {
    return (await store.readCurrent(reference, signal)).text
  } catch (e) {
    if (hasCode(e, 'not-found/secret')) throw new KeyturnError('not-found/admin-secret', `there is no admin secret ${reference}`)
    throw e
  }
}

async function writerOf(store: AwsSecretsManager, lookup: RdsLookup, reference: string, signal: AbortSignal): Promise<Writer> {
  const tags = await store.tagsOf(reference, signal)
  const arn = RDS_TAGS.map((key) => tags[key]).find((value) => value !== undefined)
  if (arn === undefined)
    throw new KeyturnError('not-found/admin-secret', `the admin secret ${reference} names no host, and RDS does not manage it`)
  return lookup.writerOf(arn, signal)
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new KeyturnError('invalid/config', 'the file that KEYTURN_CA_FILE names cannot be read')
  }
}
