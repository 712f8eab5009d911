import { type Config, readCa } from '../../shared/config.ts'
import { typeOf } from '../../shared/key-document.ts'
import { KEY_TYPES } from '../../shared/kinds.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { awsIamAccessKey } from '../../shared/targets/aws-iam-access-key.ts'
import { azureStorageKey } from '../../shared/targets/azure-storage-key.ts'
import { byType } from '../../shared/targets/by-type.ts'
import { entraClientSecret } from '../../shared/targets/entra-client-secret.ts'
import { gcpApiKey } from '../../shared/targets/gcp-api-key.ts'
import { gcpServiceAccountKey } from '../../shared/targets/gcp-service-account-key.ts'
import { describedKeys } from '../../shared/targets/http-described.ts'
import { type PostgresSettings, postgres } from '../../shared/targets/postgres.ts'
import type { SignedIn } from './signed-in.ts'
import type { Stored } from './stores.ts'

const KEY_DOCUMENTS = Object.values(KEY_TYPES)

type Environment = Readonly<Record<string, string | undefined>>

/** Every target there is, as whoever is signed in: a database has an `engine`, a key a `type`. */
export function localTargets(
  environment: Environment,
  config: Config,
  database: PostgresSettings,
  { read }: Stored,
  { azureToken: token, googleHeaders: authorize }: SignedIn
): Core['targetFor'] {
  const e = (name: string): string | undefined => environment[name] || undefined
  const ca = readCa(config)
  const pair = postgres(database)
  const region = e('AWS_REGION') ?? e('AWS_DEFAULT_REGION') ?? 'us-east-1'
  const iam = awsIamAccessKey({ region, stsEndpoint: e('AWS_ENDPOINT_URL_STS') })
  const entra = entraClientSecret({ token, graph: e('KEYTURN_GRAPH_URL'), login: e('KEYTURN_LOGIN_URL'), ca })
  const storage = azureStorageKey({ token, arm: e('KEYTURN_ARM_URL'), blobEndpoint: e('KEYTURN_BLOB_URL'), ca })
  const endpoints = { iam: e('IAM_ENDPOINT'), token: e('OAUTH2_ENDPOINT'), policyAnalyzer: e('POLICY_ANALYZER_ENDPOINT') }
  const serviceAccount = gcpServiceAccountKey({ authorize, endpoints, ca })
  const apiKey = gcpApiKey({ authorize, endpoint: e('API_KEYS_ENDPOINT'), verifyUrl: e('KEYTURN_API_KEY_VERIFY_URL'), ca })
  const keys = byType({
    'aws-iam-access-key': () => iam,
    'entra-client-secret': () => entra,
    'azure-storage-key': () => storage,
    'gcp-service-account-key': () => serviceAccount,
    'gcp-api-key': () => apiKey,
    'http-api-key': describedKeys(config, read)
  })
  // A database's document may have a `type` of its owner's.
  return (document, kind) => (KEY_DOCUMENTS.includes(typeOf(document) ?? '') ? keys(document, kind) : pair)
}
