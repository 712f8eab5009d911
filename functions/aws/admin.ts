import { parseAdmin } from '../../shared/document.ts'
import { hasCode, KeyturnError } from '../../shared/errors.ts'
import type { AwsSecretsManager } from '../../shared/stores/aws-secrets-manager.ts'
import type { PostgresSettings } from '../../shared/targets/postgres.ts'
import { RDS_TAGS, type RdsLookup, rds, type Writer } from '../../shared/targets/rds.ts'
import type { SecretText } from '../../shared/types.ts'

type ReadAdmin = NonNullable<PostgresSettings['admin']>

/** Reads admin secrets of Secrets Manager; RDS is asked only where a secret names no host, or another one. */
export function awsAdmin(store: AwsSecretsManager): ReadAdmin {
  const lookup = rds(async () => new (await import('@aws-sdk/client-rds')).RDSClient({}))
  return (reference, host, signal) => adminOf(store, lookup, reference, host, signal)
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
): ReturnType<ReadAdmin> {
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
